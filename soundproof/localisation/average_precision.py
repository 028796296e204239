"""Average precision that does not depend on how ties happen to be ordered."""

from __future__ import annotations

import numpy as np


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Average precision, expected over random orders of the items that tie.

    Without ties it is the step-wise sum of precision over the positives (Davis and Goadrich 2006). Item ``i`` of a
    tie of ``n`` items with ``r`` positives, behind ``N`` items with ``R`` positives, is positive with probability
    ``r / n`` and then has, on average, ``R + 1 + (i - 1)(r - 1)/(n - 1)`` positives among the first ``N + i``. A
    constant map therefore has exactly the expectation of a random ranking
    (:func:`soundproof.statistics.precision_recall.average_precision_chance`).

    Args:
        scores: [n_items], higher = more positive.
        positive: bool [n_items], at least one.

    Returns:
        The expectation, 0..1.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    first = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0]))
    sizes = np.diff(first, append=len(ordered))
    hits = np.add.reduceat(positive[order].astype(np.float64), first)
    behind = np.cumsum(hits) - hits
    group = np.repeat(np.arange(len(first)), sizes)
    place = np.arange(len(ordered)) - first[group]
    share = hits / sizes
    slope = (hits - 1) / np.maximum(sizes - 1, 1)
    expected_hits = behind[group] + 1 + place * slope[group]
    return float((share[group] * expected_hits / np.arange(1, len(ordered) + 1)).sum() / hits.sum())
