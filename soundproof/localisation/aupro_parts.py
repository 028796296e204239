"""What stands behind an AU-PRO: how much each clip weighs in it, its regions, and where its false positives lie.

AU-PRO belongs to a whole set, since its clips share thresholds. Its spread over clips is that of the clips'
influences, as the jackknife has them (Efron and Stein 1981, doi:10.1214/aos/1176345462).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage
from scipy.stats import rankdata

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.region_overlap import cell_structure, region_weights
from soundproof.statistics.roc import area_up_to

FALSE_POSITIVES: dict[str, str] = {
    "other_bands": "in the fault's frames, outside its bands",
    "other_frames": "in its bands, at other times",
    "between": "in its bands and frames, between its cells",
    "elsewhere": "elsewhere",
}
"""Where a cell outside the masks can lie, as protocols and in words."""
_POINTS = 4096


def clip_influences(
    maps: np.ndarray,
    masks: np.ndarray,
    value: float,
    limit: float,
    connectivity: Literal[4, 8] = 8,
    min_cells: int = 4,
) -> np.ndarray | Undefined:
    """Spread the AU-PRO of a set over its clips, so that the clips' mean is the AU-PRO and their spread its error.

    With A(i) the area without clip i and A(.) the mean of these, clip i gets ``value + (n - 1) (A(.) - A(i))``. The
    areas are read at no more than 4096 thresholds, which cancels in the differences.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames].
        value: AU-PRO of the set.
        limit: As for :func:`soundproof.localisation.aupro.aupro`.
        connectivity: Likewise.
        min_cells: Likewise.

    Returns:
        float64 [n_clips]; undefined where the set without one of its clips has no AU-PRO.
    """
    n_clips = len(maps)
    outside = (~masks).reshape(n_clips, -1).astype(np.float64)
    regions = region_weights(masks, connectivity, min_cells).reshape(n_clips, -1)
    if n_clips < 2 or min(np.count_nonzero(w.sum(axis=1)) for w in (outside, regions)) < 2:
        return Undefined("a single clip holds all regions, so that nothing is left without it")
    thresholds = np.unique(maps)[::-1]
    if len(thresholds) > _POINTS:
        thresholds = thresholds[np.linspace(0, len(thresholds) - 1, _POINTS).round().astype(np.int64)]
    x, y = (_reached(maps.reshape(n_clips, -1), weights, thresholds) for weights in (outside, regions))
    x, y = x.sum(axis=0) - x, y.sum(axis=0) - y
    areas = area_up_to(x / x[:, -1:], y / y[:, -1:], limit) / limit
    return np.asarray(value + (n_clips - 1) * (areas.mean() - areas))


def _reached(scores: np.ndarray, weights: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Weight at or above each threshold, float64 [n_rows, 1 + n_thresholds], first none."""
    out = np.zeros((len(scores), 1 + len(thresholds)))
    for row, (of_row, weight) in enumerate(zip(scores, weights, strict=True)):
        order = np.argsort(-of_row, kind="stable")
        sums = np.concatenate([[0.0], np.cumsum(weight[order])])
        out[row, 1:] = sums[np.searchsorted(-of_row[order], -thresholds, side="right")]
    return out


def false_positive_shares(
    maps: np.ndarray, masks: np.ndarray, limit: float
) -> dict[str, tuple[float, float]]:
    """Where the false positives lie, as means over false-positive rates from 0 to the limit.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames]; not all true.
        limit: Largest false-positive rate that counts.

    Returns:
        For each of :data:`FALSE_POSITIVES` its share, and its share of all cells outside the masks, which is what
        a random map has.
    """
    outside = ~masks
    bands = np.broadcast_to(masks.any(axis=2, keepdims=True), masks.shape)[outside]
    frames = np.broadcast_to(masks.any(axis=1, keepdims=True), masks.shape)[outside]
    rate = (rankdata(-maps[outside]) - 0.5) / bands.size
    # a cell is a false positive at all rates from its own to the limit; cells that tie share theirs
    weight = np.maximum(limit - rate, 0.0)
    places = {
        "other_bands": frames & ~bands,
        "other_frames": bands & ~frames,
        "between": bands & frames,
        "elsewhere": ~bands & ~frames,
    }
    total = weight.sum()
    return {
        name: (float(weight[place].sum() / total) if total else float(place.mean()), float(place.mean()))
        for name, place in places.items()
    }


def region_counts(masks: np.ndarray, connectivity: Literal[4, 8] = 8, min_cells: int = 4) -> tuple[int, int]:
    """How many regions count and how many are ignored, for they have fewer than ``min_cells`` cells."""
    labels, _ = ndimage.label(masks, cell_structure(connectivity))
    sizes = np.bincount(labels.ravel())[1:]
    kept = int((sizes >= min_cells).sum())
    return kept, len(sizes) - kept
