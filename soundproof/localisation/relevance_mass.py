"""Relevance mass and rank accuracy (Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008, equations 1 and 2)."""

from __future__ import annotations

import numpy as np

from soundproof.core.registry import Parameters
from soundproof.localisation.measured import Measured
from soundproof.randomness.ties import ranks
from soundproof.storage.measurements import SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth, require_finite


def measure(maps: np.ndarray, truth: Truth, settings: Parameters) -> Measured:
    """Which part of a map's positive relevance lies in the fault, and which part of its K highest cells.

    K is the number of the fault's cells. Negative relevance counts as none; cells that tie share the last places
    by lot. Cells in random order reach the share of masked cells; the map itself, shifted in time, has of each band
    the share of masked frames there, exactly. NaN where a mask is empty, and for the mass where no relevance is
    positive.

    Raises:
        DataError: A map holds NaN or infinity.
    """
    require_finite(maps, "the maps")
    masks = truth.cells()
    n_masked = masks.sum(axis=(1, 2))
    # scaled by the largest first, so that no sum overflows
    positive = np.maximum(maps, 0, dtype=np.float64)
    largest = positive.max(axis=(1, 2), keepdims=True)
    mass = np.divide(positive, largest, out=np.zeros_like(positive), where=largest > 0)
    rows = maps.reshape(len(maps), -1)
    places = ranks(rows, truth.ties(rows.shape[1])).reshape(maps.shape)
    highest = (places < n_masked[:, None, None]).astype(np.float64)
    for metric, weights in (("relevance_mass", mass), ("relevance_rank", highest)):
        total = weights.sum(axis=(1, 2))
        of_band = weights.sum(axis=2)
        parts = {
            "": (weights * masks).sum(axis=(1, 2)),
            UNIFORM: masks.mean(axis=(1, 2)) * total,
            SHIFT: (of_band * masks.mean(axis=2)).sum(axis=1),
        }
        known = (n_masked > 0) & (total > 0)
        for protocol, part in parts.items():
            share = np.divide(part, total, out=np.full(len(maps), np.nan), where=known)
            yield Block(metric, protocol, None, share)
