"""What stands in for a removed part of a clip."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.detectors.batching import in_passes
from soundproof.interfaces.abilities import lacks
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.replacement import Background, NormalClips


def background(
    detector: Detector, x: Tensor, kind: Background, size: int, normal: NormalClips | None = None
) -> Tensor:
    """Return the map that removed cells are taken from.

    ``zero`` is the literal value 0, which on a dB scale is loud, not silent (P2's removal suffers from it).
    Medians are lower medians, so that they are values that occur.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        kind: Which background.
        size: Maps that may go through the detector at once.
        normal: Normal clips, for the one that is nearest.

    Returns:
        [B, n_freq, n_frames].

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none; or the nearest normal clip, where
            nobody gave any.
        DataError: The nearest normal clip is asked for, and there is none to train on.
    """
    if kind == "reconstruction":
        return in_passes(lambda rows: _reconstruction(detector, rows), x, size)
    if kind == "nearest_normal":
        return nearest_normal(x, normal)
    if kind == "zero":
        return torch.zeros_like(x)
    values = x.flatten(1)[:, None, :] if kind == "clip_median" else x
    # sorted, because torch.median has no deterministic form on a GPU
    median = values.sort(dim=-1).values[..., (values.shape[-1] - 1) // 2]
    return median[..., None].expand_as(x)


def _reconstruction(detector: Detector, x: Tensor) -> Tensor:
    reconstruction = detector.reconstruct(x)
    if reconstruction is None:
        remedy = "use 'ff_background', or another 'replacement'"
        raise lacks("replacement by the reconstruction", type(detector).__name__, ["reconstruction"], remedy)
    return reconstruction


def nearest_normal(x: Tensor, normal: NormalClips | None) -> Tensor:
    """The normal training clip nearest to each clip, [B, n_freq, n_frames].

    Raises:
        ConfigError: Nobody gave any.
        DataError: There is none to train on.
    """
    return known_normal(normal, "the normal clip nearest to each clip").nearest(x)


def known_normal(normal: NormalClips | None, asked: str) -> NormalClips:
    """Normal clips, where the caller gave some.

    Raises:
        ConfigError: It gave none.
    """
    if normal is None:
        raise ConfigError(asked, "no normal clips at hand", "run it in a study, or hand over 'normal'")
    return normal
