"""A study to ask people about, its pictures and sounds, and raters of known skill who answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from soundproof.storage.maps import Axes
from soundproof.user_study.key import METRICS_SCHEMA, KitKey
from soundproof.user_study.kit import Kit, KitSettings, write_kit
from soundproof.user_study.media import Picture
from soundproof.user_study.questions import Clip, Material

AXES = Axes(tuple(np.geomspace(50, 3500, 12)), 20.0, 40, "dB")
RATE_HZ = 8000
EXPLAINERS = {
    "error_map": "Error map",
    "saliency": "Saliency",
    "occlusion": "Occlusion",
    "random_map": "Random (control)",
    "input_map": "Input (control)",
}
QUALITY = {"error_map": 0.9, "saliency": 0.75, "occlusion": 0.62, "random_map": 0.5, "input_map": 0.55}
SHARES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
INPUTS = {"clips": "c11b5"}


def clip(number: int, *, anomalous: bool) -> Clip:
    """Clip ``bad_<number>`` or ``good_<number>``: fans and valves of two units each, at two SNRs."""
    return Clip(
        clip_id=f"{'bad' if anomalous else 'good'}_{number:02d}",
        machine=("fan", "valve")[number % 2],
        unit=f"id_{number // 2 % 2}",
        snr_db=(0.0, 6.0)[number // 4 % 2],
        anomalous=anomalous,
        masked=anomalous,
    )


def material(n_clips: int = 16, **changes: object) -> Material:
    """Numbers of a study of ``n_clips`` explained clips and as many normal ones."""
    explained = [clip(number, anomalous=True) for number in range(n_clips)]
    spread = {one.clip_id: 0.01 * (place % 5) for place, one in enumerate(explained)}
    facts: dict[str, object] = {
        "study": "bench/toy",
        "explainers": EXPLAINERS,
        "controls": frozenset({"random_map", "input_map"}),
        "explained": explained,
        "normals": [clip(number, anomalous=False) for number in range(n_clips)],
        "criterion": "Cell AUROC",
        "quality": {
            (one.clip_id, label): value + spread[one.clip_id]
            for one in explained
            for label, value in QUALITY.items()
        },
        "scores": {one.clip_id: 1.5 + 0.1 * (place % 6) for place, one in enumerate(explained)},
        "thresholds": {"fan": 1.0, "valve": 1.25},
        # what a map marks well brings the score down fast
        "removals": {
            (one.clip_id, label): {share: 1 - share ** (1.5 - QUALITY[label]) for share in SHARES}
            for one in explained
            for label in EXPLAINERS
        },
        "replacement": "what the detector expects there",
    }
    return Material(**(facts | changes))


class ToyMedia:
    """Pictures with a fault in the rows 4 to 7 and the frames 10 to 19, and tones.

    Args:
        silent: Whether there is no sound.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent

    def picture(self, clip_id: str, explainers: Sequence[str]) -> Picture:
        rng = np.random.default_rng(int(clip_id[-2:]))
        mask = np.zeros(AXES.shape, bool)
        mask[4:8, 10:20] = True
        maps = {
            label: np.abs(rng.normal(size=AXES.shape)) + 10 * max(0.0, QUALITY[label] - 0.5) * mask
            for label in explainers
        }
        spectrogram = (rng.normal(size=AXES.shape) + 3 * mask).astype(np.float32)
        return Picture(axes=AXES, spectrogram=spectrogram, maps=maps, mask=mask)

    def sound(self, clip_id: str) -> tuple[np.ndarray, int]:
        time = np.arange(RATE_HZ) / RATE_HZ
        tone = 0.2 * np.sin(2 * np.pi * (200 + 10 * int(clip_id[-2:])) * time)
        return (2 * tone if clip_id.startswith("bad") else tone), RATE_HZ


def metrics() -> pd.DataFrame:
    """The study's criteria: one that ranks the explainers by quality, and one of which less is better."""
    rows = [
        (label, name, value if name == "cell_auroc" else 1 - value, 16, title, judges, name == "cell_auroc")
        for label, value in QUALITY.items()
        for name, title, judges in (
            ("cell_auroc", "Cell AUROC", "localisation"),
            ("deletion_auc", "Deletion AUC", "faithfulness"),
        )
    ]
    return pd.DataFrame(rows, columns=METRICS_SCHEMA.names)


def kit(folder: Path, *, silent: bool = False, **settings: object) -> Kit:
    """A kit of the toy study."""
    return write_kit(
        folder,
        material(),
        metrics(),
        ToyMedia(silent=silent),
        KitSettings(**settings),
        {"explainers": EXPLAINERS},
        INPUTS,
    )


def answered(
    key: KitKey, rater: str, chosen: Sequence[str], names: Sequence[str] | None = None, **changes: object
) -> dict[str, object]:
    """A file of answers as the page saves it.

    Args:
        key: The kit's key.
        rater: Code.
        chosen: Answers of the questions.
        names: The questions; None: all, as in the key.
        changes: Fields that differ.
    """
    asked = list(key.questions["question"]) if names is None else names
    answers = [
        {"question": name, "choice": choice, "side": "left", "seconds": 4.5, "plays": 2}
        for name, choice in zip(asked, chosen, strict=True)
    ]
    facts: dict[str, object] = {
        "format": "soundproof-answers-1",
        "study": key.study,
        "digest": key.digest,
        "rater": rater,
        "consent": True,
        "form": 0,
        "began": "2026-11-26T06:00:00.000Z",
        "answers": answers,
    }
    return facts | changes


def saved(folder: Path, file: dict[str, object], name: str = "") -> Path:
    """Save a file of answers under its rater's code."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name or file['rater']}.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    return path


def choices(key: KitKey, skill: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Answers of one rater who knows each question's answer with probability ``skill`` [n_questions].

    Checks are always answered rightly.
    """
    right = (rng.random(len(skill)) < skill) | key.questions["check"].to_numpy(bool)
    other = {"a": "b", "b": "a"}
    return [truth if hit else other[truth] for truth, hit in zip(key.questions["truth"], right, strict=True)]
