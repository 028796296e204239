"""What stands in for a removed part of a clip."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.registry import Background
from soundproof.interfaces.detector import Detector


def background(detector: Detector, x: Tensor, kind: Background, size: int) -> Tensor:
    """Return the map that removed cells are taken from.

    ``zero`` is the literal value 0, which on a dB scale is loud, not silent (P2's removal suffers from it).
    Medians are lower medians, so that they are values that occur.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        kind: Which background.
        size: Maps that may go through the detector at once.

    Returns:
        [B, n_freq, n_frames].

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none.
    """
    if kind == "reconstruction":
        return in_passes(lambda rows: _reconstruction(detector, rows), x, size)
    if kind == "zero":
        return torch.zeros_like(x)
    values = x.flatten(1)[:, None, :] if kind == "clip_median" else x
    # sorted, because torch.median has no deterministic form on a GPU
    median = values.sort(dim=-1).values[..., (values.shape[-1] - 1) // 2]
    return median[..., None].expand_as(x)


def _reconstruction(detector: Detector, x: Tensor) -> Tensor:
    reconstruction = detector.reconstruct(x)
    if reconstruction is None:
        raise ConfigError(
            f"replacement by the reconstruction of {type(detector).__name__}",
            "a detector that does not reconstruct",
            "use 'ff_background', or another 'replacement'",
        )
    return reconstruction
