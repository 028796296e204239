"""Every registered detector, fitted quickly on a few synthetic clips of two machines."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from toys.clap import tiny_clap
from toys.own_models import REQUIRED

from soundproof.detectors.embedding.settings import PatchSettings
from soundproof.detectors.foundation.settings import PACKAGE
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.abilities import Ability
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.storage.maps import Axes
from soundproof.training.settings import TrainingSettings

SMALL, ODD = (16, 24), (19, 29)
IDS = ["clip0", "clip1", "clip2", "clip3"]
"""Clips that are explained."""
N_CLIPS = 24
QUICKER: Mapping[str, Mapping[str, Any]] = {
    "featex": {"width": 0.125},
    "featex_naming": {"width": 0.125},
    "odin": {"width": 0.125},
    "mahalanobis": {"width": 0.125},
    # 24 clips of 2 rows of patches
    "patchcore": {"neighbours": 3},
    "cfa": {"nearest": 1, "negatives": 1},
    "clap_zero_shot": {"window_s": 0.1},
    "diffusion": {"width": 4, "repairs": 1, "steps_back": 2},
}
"""Settings that save time or that maps as small as these ask for; a new detector needs none."""


class ToyClips:
    """Training clips of two machines, each with a line of its own that comes and goes."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.axes = Axes(tuple(100.0 * (band + 1) for band in range(shape[0])), 40.0, shape[1], "dB")
        self.maps = clips(N_CLIPS, shape, seed=0)
        machines = ["one" if row % 2 else "two" for row in range(N_CLIPS)]
        self.frame = pd.DataFrame(
            {"clip_id": [f"clip{row:02d}" for row in range(N_CLIPS)], "machine": machines, "machine_id": "00"}
        )

    def __len__(self) -> int:
        return len(self.maps)

    def read(self, rows: list[int]) -> Tensor:
        return self.maps[rows]


def clips(n: int, shape: tuple[int, int], seed: int) -> Tensor:
    """Maps [n, n_freq, n_frames]: noise, and a line whose bin tells the machine."""
    maps = torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))
    for row in range(n):
        line = 1 + torch.sin(torch.arange(shape[1]) * (1 + row % 2))
        maps[row, (row % 2 + 1) * shape[0] // 3] += 3 * line
    return maps


def quick_settings(kind: str) -> dict[str, Any]:
    """One epoch of training, for those that train; no weights that may not be here."""
    chosen: dict[str, Any] = dict(REQUIRED.get(kind, {}))
    if issubclass(DETECTORS[kind].parameters, TrainingSettings):
        chosen.update(epochs=1, batch_size=8)
    if kind == "clap_zero_shot":
        chosen["weights"] = small_clap()
    if DETECTORS[kind].settings(chosen).needed_weights():
        chosen["backbone"] = "random"
    if issubclass(DETECTORS[kind].parameters, PatchSettings):
        chosen["neighbourhood"] = 1
    return {**chosen, **QUICKER.get(kind, {})}


@cache
def small_clap() -> Path:
    """Folder of a CLAP model that nobody trained."""
    return tiny_clap(Path(tempfile.mkdtemp()) / "clap")


@cache
def fitted(kind: str, shape: tuple[int, int], changes: tuple[tuple[str, Any], ...] = ()) -> Detector:
    """A frozen detector; shared by the tests, which leave it as it is."""
    entry = DETECTORS[kind]
    values = {**quick_settings(kind), **dict(changes)}
    if kind == "external":
        # the model returns what the settings say that it does
        values["arguments"] = {"output": values["output"]}
    detector: Detector = entry.load()(shape, entry.settings(values))
    # whoever asks first may be looking at a score without gradients
    with torch.enable_grad():
        detector.fit(ToyClips(shape), TrainingRun(seed=3))
    return detector.freeze()


ASKED = [
    kind
    for kind, entry in DETECTORS.items()
    if not entry.scores_only and (not entry.brought or find_spec(PACKAGE))
]
"""Detectors with a model that can be asked; ``tests/workflow/test_clap.py`` runs CLAP's, which needs a library."""


def offered(kind: str) -> frozenset[Ability]:
    """What a detector offers as it is fitted here."""
    return DETECTORS[kind].offered(DETECTORS[kind].settings(quick_settings(kind)))


def abilities_of(detector: Detector, x: Tensor) -> set[Ability]:
    """What a detector has beside a score, by trying."""
    found: set[Ability] = set()
    if detector.score(x.clone().requires_grad_()).requires_grad:
        found.add("gradients")
    with torch.no_grad():
        if detector.reconstruct(x) is not None:
            found.add("reconstruction")
        if detector.anomaly_map(x) is not None:
            found.add("map")
        if detector.embed(x) is not None:
            found.add("embedding")
        if detector.latents(x) is not None:
            found.add("latents")
    if detector.cam_layer is not None:
        found.add("cam_layer")
    return found
