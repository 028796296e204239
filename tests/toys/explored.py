"""Clips for the explorer: two machines, two detectors, a signed and an unsigned explainer, sounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from soundproof.explorer.page import Views
from soundproof.explorer.view import ClipSound, ClipView, Collection, Event, Measure, Measured
from soundproof.storage.maps import Axes

RATE = 8000
SECONDS = 2.0
AXES = Axes(tuple(np.geomspace(50, 3500, 12)), 20.0, 40, "dB")
EXPLANATIONS = [
    (detector, explainer) for detector in ("ae", "mae") for explainer in ("error_map", "saliency")
]
MEASURES = (
    Measure("cell_auroc", "Cell AUROC", "localisation"),
    Measure("deletion_auc", "Deletion AUC", "faithfulness", higher_is_better=False),
)
NORMALS = np.linspace(0, 1, 21)
"""Scores of normal fans."""


def tone(frequency: float, gain: float = 1.0) -> np.ndarray:
    time = np.arange(round(SECONDS * RATE)) / RATE
    samples: np.ndarray = (gain * 8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
    return samples


def view(number: int, axes: Axes = AXES, explanations: Sequence[tuple[str, str]] = EXPLANATIONS) -> ClipView:
    """Clip ``c<number>``: a fan or a valve, with a fault in the rows 4 to 7 and the frames 10 to 19."""
    rng = np.random.default_rng(number)
    mask = np.zeros(axes.shape, bool)
    mask[4:8, 10:20] = True
    maps = {
        of: np.abs(rng.normal(size=axes.shape)) + 4 * mask
        if of[1] != "saliency"
        else rng.normal(size=axes.shape) + 4 * mask
        for of in explanations
    }
    name = f"c{number:03d}"
    return ClipView(
        clip_id=name,
        facts={
            "machine": ("fan", "valve")[number % 2],
            "machine_id": "id00",
            "label": "anomaly",
            "anomaly_type": ("rub", "leak", "bearing")[number % 3],
        },
        snr_db=(-6.0, 0.0, 6.0)[number % 3],
        axes=axes,
        spectrogram=(rng.normal(size=axes.shape) + 3 * mask).astype(np.float32),
        maps=maps,
        mask=mask,
        events=[Event(0.5, 1.0, 200.0, 900.0)],
        scores={"ae": 0.1 * number, "mae": 1 - 0.1 * number},
        numbers={of: {"cell_auroc": Measured((7 * number) % 10 / 10, 0.5)} for of in explanations},
        sounds=[
            ClipSound("clip", tone(200 + 50 * number), RATE),
            ClipSound("marked", tone(400, 0.5), RATE, ("ae", "saliency")),
            ClipSound("left", tone(800, 0.5), RATE, ("ae", "saliency")),
        ],
    )


def collection(**changes: object) -> Collection:
    facts: dict[str, object] = {
        "title": "Toy study",
        "detectors": {"ae": "AE", "mae": "MAE"},
        "explainers": {"error_map": "Error map", "saliency": "Saliency"},
        "measures": MEASURES,
        "normal_scores": {("ae", "fan"): NORMALS, ("mae", "fan"): NORMALS},
        "back": ("../index.html", "All results of this study"),
    }
    return Collection(**(facts | changes))


def given(views: Iterable[ClipView]) -> tuple[list[str], Views]:
    """Clips as the page asks for them: their ids, and what gives them by id."""
    by_id = {one.clip_id: one for one in views}
    return list(by_id), lambda clip_ids: (by_id[clip_id] for clip_id in clip_ids)
