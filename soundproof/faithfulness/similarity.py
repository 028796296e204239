"""How alike two maps of one clip are: Spearman's rank correlation over all cells.

A map that is compared with several others is ranked once. Ranks and correlations are those of SciPy's ``spearmanr``
to the last bit, without its p-values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

VARIANTS = ("signed", "absolute")
"""Of the relevance as it is, and of its magnitude."""

Ranked = Sequence[Sequence[np.ndarray | None]]
"""Ranks of the cells, float64 [n_freq * n_frames], by variant and clip; None where a map is constant."""


def ranked(maps: np.ndarray) -> Ranked:
    """Rank the cells of each map, in the order of :data:`VARIANTS`.

    Args:
        maps: Relevance [B, n_freq, n_frames].
    """
    cells = maps.reshape(len(maps), -1)
    signed = [_ranks(values) for values in cells]
    absolute = [
        # where nothing is negative, magnitudes are the values
        ranks if (values >= 0).all() else _ranks(np.abs(values))
        for values, ranks in zip(cells, signed, strict=True)
    ]
    return signed, absolute


def similarity_of(one: Ranked, other: Ranked) -> np.ndarray:
    """Compare ranked maps clip by clip.

    A map that is constant ranks nothing and counts as unrelated, 0.

    Args:
        one: From :func:`ranked`.
        other: Of the same clips.

    Returns:
        Correlations float64 [2, B], in the order of :data:`VARIANTS`; NaN where a map holds one.
    """
    return np.array(
        [[_rho(a, b) for a, b in zip(*pair, strict=True)] for pair in zip(one, other, strict=True)]
    )


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compare maps clip by clip, as :func:`similarity_of`.

    Args:
        one: Relevance [B, n_freq, n_frames].
        other: Relevance of the same clips.
    """
    return similarity_of(ranked(one), ranked(other))


def _ranks(values: np.ndarray) -> np.ndarray | None:
    """Rank from 1; ties get their mean rank. None where all are the same, NaN where one is."""
    span = np.ptp(values)
    if span == 0:
        return None
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    order = np.argsort(values)
    ascending = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    lengths = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (lengths + 1) / 2, lengths)
    return ranks


def _rho(a: np.ndarray | None, b: np.ndarray | None) -> float:
    if a is None or b is None:
        return 0.0
    return float(np.corrcoef(np.column_stack((a, b)), rowvar=False)[1, 0])
