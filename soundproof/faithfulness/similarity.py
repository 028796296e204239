"""How alike two maps of one clip are: Spearman's rank correlation over all cells."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

VARIANTS = ("signed", "absolute")
"""Of the relevance as it is, and of its magnitude."""


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compare maps clip by clip.

    A map that is constant ranks nothing and counts as unrelated, 0.

    Args:
        one: Relevance [B, n_freq, n_frames].
        other: Relevance of the same clips.

    Returns:
        Correlations float64 [2, B], in the order of :data:`VARIANTS`.
    """
    pairs = [(a.ravel(), b.ravel()) for a, b in zip(one, other, strict=True)]
    return np.array([[_rho(a, b) for a, b in pairs], [_rho(np.abs(a), np.abs(b)) for a, b in pairs]])


def _rho(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)
