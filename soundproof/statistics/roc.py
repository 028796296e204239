"""Ranking curves: areas under them, for many rows or many weightings at once."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auroc_rows(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each row, ties counted one half.

    Args:
        scores: [n_rows, n_items], higher = more positive.
        positive: bool [n_rows, n_items].

    Returns:
        float64 [n_rows]; NaN marks rows that hold one class only, for the caller to count and leave out.
    """
    n_positive = positive.sum(axis=1, dtype=np.float64)
    n_pairs = n_positive * (positive.shape[1] - n_positive)
    rank_sum = np.where(positive, rankdata(scores, axis=1), 0.0).sum(axis=1)
    wins = rank_sum - n_positive * (n_positive + 1) / 2
    return np.asarray(np.divide(wins, n_pairs, out=np.full(len(wins), np.nan), where=n_pairs > 0))


def weighted_curve(
    scores: np.ndarray, x_weights: np.ndarray, y_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulate two weights from the highest score to the lowest, one point per distinct score.

    With ``x_weights`` marking the negatives and ``y_weights`` the positives this is the ROC curve; other
    weights give its bootstrap replicates or the per-region overlap curve.

    Args:
        scores: [n_items].
        x_weights: [..., n_items], not negative, positive sum.
        y_weights: [..., n_items], likewise.

    Returns:
        The curve's x and y, each [..., n_points], from (0, 0) to (1, 1).
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return _cumulated(x_weights, order, last_of_tie), _cumulated(y_weights, order, last_of_tie)


def _cumulated(weights: np.ndarray, order: np.ndarray, last_of_tie: np.ndarray) -> np.ndarray:
    sums = np.cumsum(weights[..., order], axis=-1, dtype=np.float64)[..., last_of_tie]
    return np.concatenate([np.zeros_like(sums[..., :1]), sums / sums[..., -1:]], axis=-1)


def area_up_to(x: np.ndarray, y: np.ndarray, limit: float) -> np.ndarray:
    """Trapezoidal area under ``y(x)`` for ``0 <= x <= limit``, interpolated linearly at the limit.

    Args:
        x: [..., n_points], from 0 to 1, not decreasing.
        y: [..., n_points].
        limit: Upper end of the integral, 0 < limit <= 1.

    Returns:
        The area, [...], not divided by the limit.
    """
    steps = np.diff(x, axis=-1)
    used = np.clip(limit - x[..., :-1], 0.0, steps)
    fraction = np.divide(used, steps, out=np.zeros_like(steps), where=steps > 0)
    y_from = y[..., :-1]
    y_to = y_from + fraction * np.diff(y, axis=-1)
    return np.asarray((used * (y_from + y_to) / 2).sum(axis=-1))
