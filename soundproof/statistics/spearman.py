"""Spearman's rank correlation of many short vectors at once."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def spearman_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank correlation along the last axis; ties get their mean rank.

    Args:
        a: [..., n], finite.
        b: Broadcasts against ``a``.

    Returns:
        float64 [...], -1..1; NaN where one of the two vectors is constant.
    """
    x, y = (rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2 for values in (a, b))
    scale = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    with np.errstate(invalid="ignore"):
        return np.asarray((x * y).sum(axis=-1) / np.where(scale > 0, scale, np.nan))
