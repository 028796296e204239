"""Band removal as a plain script makes it: one pass per clip, band and explainer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from soundproof.detectors.base import Detector


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
    effects = []
    with torch.no_grad():
        for _ in range(n_explainers):
            effects = [
                torch.tensor([_effect(detector, clip, bands == k) for clip in x], dtype=torch.float64)
                for bands in of_bin
                for k in range(int(bands.max()) + 1)
            ]
    return torch.stack(effects)


def _effect(detector: Detector, clip: Tensor, band: Tensor) -> float:
    without = clip.clone()
    without[band] = 0
    return abs(float(detector.score(clip[None])) - float(detector.score(without[None])))
