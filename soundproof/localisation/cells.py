"""Cell level: does the map rank the cells of the fault's time-frequency mask above the others?

Sign policy: maps enter as they are. High positive relevance means "this cell makes the clip anomalous";
negative relevance ranks below zero, never by its size. An explainer that is read by absolute value must hand
over absolute values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import hypergeom, rankdata

from soundproof.localisation.average_precision import average_precision
from soundproof.randomness.seeding import seed_from
from soundproof.randomness.ties import n_top, ranks, tie_breakers
from soundproof.statistics.roc import auroc_rows
from soundproof.truth.ground_truth import require_finite

ORACLE_QUANTILES: tuple[float, ...] = tuple(round(0.01 * q, 2) for q in range(50, 100))
"""Grid from which the oracle picks the quantile with the best overlap: 0.50, 0.51, ..., 0.99."""


def cell_auroc(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each clip's cells.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames].

    Returns:
        float64 [n_clips]; NaN marks clips whose mask is empty or full, for the caller to count.

    Raises:
        DataError: A map holds NaN or infinity.
    """
    require_finite(maps, "the maps")
    return auroc_rows(_rows(maps), _rows(masks))


def cell_auroc_shifted(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean cell AUROC over all circular shifts of each map in time, exactly.

    A shift permutes ranks within a frequency row, so that on average each masked cell has its row's mean
    rank. What remains above 0.5 is knowledge of *which bins*, none of *when*.

    Args and returns as :func:`cell_auroc`.
    """
    require_finite(maps, "the maps")
    ranks = rankdata(_rows(maps), axis=1).reshape(maps.shape)
    n_positive = masks.sum(axis=(1, 2), dtype=np.float64)
    n_pairs = n_positive * (masks[0].size - n_positive)
    rank_sum = (masks.sum(axis=2) * ranks.mean(axis=2)).sum(axis=1)
    wins = rank_sum - n_positive * (n_positive + 1) / 2
    return np.asarray(np.divide(wins, n_pairs, out=np.full(len(wins), np.nan), where=n_pairs > 0))


def cell_average_precision(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Average precision of each clip's cells, expected over random orders of cells that tie.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames].

    Returns:
        float64 [n_clips]; NaN marks clips whose mask is empty, for the caller to count.

    Raises:
        DataError: A map holds NaN or infinity.
    """
    require_finite(maps, "the maps")
    return np.array(
        [
            average_precision(scores, mask) if mask.any() else np.nan
            for scores, mask in zip(_rows(maps), _rows(masks), strict=True)
        ]
    )


def binarise(maps: np.ndarray, quantile: float) -> np.ndarray:
    """Mark the cells at or above each map's own quantile, for pictures.

    A cell at the map's minimum is never marked: a constant map marks nothing, and a mostly-zero map marks
    its non-zero cells instead of everything. What is *measured* marks equal numbers: :func:`iou`.

    Args:
        maps: [n_clips, n_freq, n_frames].
        quantile: 0..1, interpolated linearly between order statistics.

    Returns:
        bool, the shape of ``maps``.
    """
    maps = np.asarray(maps, dtype=np.float64)
    threshold = np.quantile(maps, quantile, axis=(1, 2), keepdims=True)
    return np.asarray((maps >= threshold) & (maps > maps.min(axis=(1, 2), keepdims=True)))


def _marked(maps: np.ndarray, quantiles: Sequence[float], ties: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield the top cells at each quantile, one at a time: a grid of them would not fit in memory."""
    rows = _rows(np.asarray(maps, dtype=np.float64))
    if ties is None:
        ties = tie_breakers([str(row) for row in range(len(rows))], rows.shape[1])
    order = ranks(rows, ties).reshape(maps.shape)
    for quantile in quantiles:
        yield order < n_top(rows.shape[1], quantile)


def iou(
    maps: np.ndarray, masks: np.ndarray, quantiles: Sequence[float], ties: np.ndarray | None = None
) -> np.ndarray:
    """Intersection over union of the binarised map and the mask.

    Every map marks as many cells as one without ties has at or above the quantile; a tie at the threshold is
    split at random, so that a constant map is a random one.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames].
        quantiles: Where to binarise, 0..1.
        ties: Random numbers that split ties (:func:`soundproof.randomness.ties.tie_breakers`); None: by position.

    Returns:
        float64 [n_clips, n_quantiles], 0..1; NaN marks clips whose mask is empty, for the caller to count.

    Raises:
        DataError: A map holds NaN or infinity.
    """
    require_finite(maps, "the maps")
    area = _count(masks)
    return np.stack(
        [_ratio(_count(marked & masks), _count(marked), area) for marked in _marked(maps, quantiles, ties)],
        axis=1,
    )


def iou_shifted(
    maps: np.ndarray, masks: np.ndarray, quantiles: Sequence[float], ties: np.ndarray | None = None
) -> np.ndarray:
    """Mean IoU over all circular shifts of each map in time, exactly.

    The overlaps at all lags are one cross-correlation along time, taken through the Fourier transform.

    Args and returns as :func:`iou`.
    """
    require_finite(maps, "the maps")
    spectrum = np.fft.rfft(masks, axis=2)
    area = _count(masks)[:, np.newaxis]
    means = []
    for marked in _marked(maps, quantiles, ties):
        product = (np.conj(np.fft.rfft(marked, axis=2)) * spectrum).sum(axis=1)
        overlap = np.rint(np.fft.irfft(product, n=maps.shape[2], axis=1))
        means.append(_ratio(overlap, _count(marked)[:, np.newaxis], area).mean(axis=1))
    return np.stack(means, axis=1)


@lru_cache(maxsize=4096)
def iou_chance(n_marked: int, n_positive: int, n_items: int) -> float:
    """Expected IoU of ``n_marked`` distinct cells drawn uniformly, exactly.

    Args:
        n_marked: Cells drawn.
        n_positive: Cells of the mask, at least 1.
        n_items: Cells of the map.

    Returns:
        The expectation over the hypergeometric overlap.
    """
    overlap = np.arange(min(n_marked, n_positive) + 1)
    weight = hypergeom.pmf(overlap, n_items, n_positive, n_marked)
    return float((weight * overlap / (n_marked + n_positive - overlap)).sum())


@lru_cache(maxsize=4096)
def oracle_iou_chance(
    n_positive: int, n_items: int, quantiles: tuple[float, ...] = ORACLE_QUANTILES, n_draws: int = 5000
) -> float:
    """Expected best IoU over the grid of a uniformly random ranking without ties.

    Only how many mask cells fall between neighbouring thresholds matters, so whole rankings need not be
    drawn. The draws depend on the arguments alone.

    Args:
        n_positive: Cells of the mask, at least 1.
        n_items: Cells of the map.
        quantiles: The oracle's grid.
        n_draws: Random rankings; 5000 leave a standard error below 1e-4 on the grid of a spectrogram.

    Returns:
        The mean over the draws of the best IoU.
    """
    sizes = np.unique([n_top(n_items, quantile) for quantile in quantiles])
    bands = np.diff(sizes, prepend=0, append=n_items)
    rng = np.random.default_rng(seed_from("oracle_iou_chance", n_positive, n_items))
    drawn = rng.multivariate_hypergeometric(bands, n_positive, size=n_draws)
    overlap = np.cumsum(drawn[:, :-1], axis=1)
    return float((overlap / (sizes + n_positive - overlap)).max(axis=1).mean())


def _rows(cells: np.ndarray) -> np.ndarray:
    return cells.reshape(len(cells), -1)


def _count(marked: np.ndarray) -> np.ndarray:
    return np.asarray(marked.sum(axis=(1, 2), dtype=np.float64))


def _ratio(overlap: np.ndarray, n_marked: np.ndarray, n_positive: np.ndarray) -> np.ndarray:
    """IoU from counts; NaN where the mask is empty."""
    union = np.where(n_positive > 0, n_marked + n_positive - overlap, np.nan)
    return np.asarray(overlap / union)
