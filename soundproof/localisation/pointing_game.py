"""Pointing game: does the highest cell of the map lie in the fault? (Zhang et al. 2018, arXiv 1608.00507)."""

from __future__ import annotations

import numpy as np

from soundproof.core.registry import Parameters
from soundproof.localisation.measured import Measured
from soundproof.storage.measurements import SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth, require_finite


def measure(maps: np.ndarray, truth: Truth, settings: Parameters) -> Measured:
    """Tell whether each map [n_clips, n_freq, n_frames] points into the mask of its clip.

    The highest cell hits (1) or misses (0), without a tolerance around the mask. Of cells that share the highest
    value each counts alike: the value is the expectation over which of them is pointed at, so that a constant map
    has that of chance. A random cell hits with the share of masked cells; the map itself, shifted in time, with the
    share of masked frames in the band that it points at (the mean over all shifts, exactly). NaN where a mask is
    empty.

    Raises:
        DataError: A map holds NaN or infinity.
    """
    require_finite(maps, "the maps")
    masks = truth.cells()
    highest = maps == maps.max(axis=(1, 2), keepdims=True)
    pointed = highest / highest.sum(axis=(1, 2), keepdims=True)
    values = {
        "": (pointed * masks).sum(axis=(1, 2)),
        UNIFORM: masks.mean(axis=(1, 2)),
        SHIFT: (pointed.sum(axis=2) * masks.mean(axis=2)).sum(axis=1),
    }
    for protocol, value in values.items():
        yield Block("pointing_game", protocol, None, np.where(masks.any(axis=(1, 2)), value, np.nan))
