"""Band removal as a plain script makes it: one pass per clip, band and explainer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from soundproof.interfaces.detector import Detector


def effects_one_by_one(detector: Detector, x: Tensor, of_bin: Sequence[Tensor], n_explainers: int) -> Tensor:
    """Size of the score's change when a band is set to zero, measured anew for every explainer.

    Args:
        detector: Detector.
        x: Maps [B, n_freq, n_frames].
        of_bin: Band of each bin, int64 [n_freq], of each partition.
        n_explainers: How often each effect is measured.

    Returns:
        float64 [n_bands of all partitions, B].
    """
    effects: list[list[float]] = []
    with torch.no_grad():
        for _ in range(n_explainers):
            effects = [_effects(detector, clip, of_bin) for clip in x]
    return torch.tensor(effects, dtype=torch.float64).T


def _effects(detector: Detector, clip: Tensor, of_bin: Sequence[Tensor]) -> list[float]:
    intact = float(detector.score(clip[None]))
    effects = []
    for bands in of_bin:
        for k in range(int(bands.max()) + 1):
            without = clip.clone()
            without[bands == k] = 0
            effects.append(abs(intact - float(detector.score(without[None]))))
    return effects
