"""Precision and recall along a ranking: their area, the best F1, and what rankings without knowledge reach.

Both depend on the share of positives, unlike areas under ROC curves: print it, or a chance level, beside them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import digamma

from soundproof.randomness.seeding import seed_from

_EXACT_UP_TO = 50_000
"""Items up to which random rankings are drawn for the best F1; beyond, the draws differ from flagging all by less
than their own error."""
_DRAWS = 4000
_SUMMED_UP_TO = 1_000_000
"""Items up to which the harmonic number is summed term by term."""


def average_precision_of(fpr: np.ndarray, tpr: np.ndarray, prevalence: float) -> np.ndarray:
    """Step-wise sum of precision over recall, without interpolation (Davis and Goadrich 2006).

    Args:
        fpr: [..., n_points], from 0 to 1, one point per distinct score, the first before any.
        tpr: [..., n_points].
        prevalence: Share of positives, 0 < prevalence < 1.

    Returns:
        The area, [...].
    """
    hits = prevalence * tpr
    flagged = hits + (1 - prevalence) * fpr
    precision = np.divide(hits, flagged, out=np.zeros_like(flagged), where=flagged > 0)
    return np.asarray((np.diff(tpr, axis=-1) * precision[..., 1:]).sum(axis=-1))


def best_f1_of(fpr: np.ndarray, tpr: np.ndarray, prevalence: float) -> np.ndarray:
    """Largest F1 = 2 TP / (TP + FP + P) over all thresholds; an oracle, since it is chosen on these very items.

    Args and returns as :func:`average_precision_of`.
    """
    hits = prevalence * tpr
    return np.asarray((2 * hits / (hits + (1 - prevalence) * fpr + prevalence)).max(axis=-1))


def average_precision_chance(n_positive: int, n_items: int) -> float:
    """Expected average precision of a uniformly random ranking without ties, exactly.

    Rank i holds a positive with probability R/N and, given that, (i - 1)(R - 1)/(N - 1) others lie above it
    on average; summed over ranks this is [H_N + (N - H_N)(R - 1)/(N - 1)] / N, with H_N the harmonic number.

    Args:
        n_positive: R, at least 1.
        n_items: N, at least R.

    Returns:
        The expectation; slightly above the share of positives R/N.
    """
    if n_items == 1:
        return 1.0
    harmonic = (
        float((1.0 / np.arange(1, n_items + 1)).sum())
        if n_items <= _SUMMED_UP_TO
        else float(digamma(n_items + 1) + np.euler_gamma)
    )
    return (harmonic + (n_items - harmonic) * (n_positive - 1) / (n_items - 1)) / n_items


def flag_all_f1(n_positive: int, n_items: int) -> float:
    """F1 of calling every item positive, 2 R / (R + N): no best threshold does worse."""
    return 2 * n_positive / (n_positive + n_items)


@lru_cache(maxsize=4096)
def best_f1_chance(n_positive: int, n_items: int) -> float:
    """Expected best F1 of a uniformly random ranking without ties.

    At the i-th positive, which stands at place q, F1 is 2 i / (q + R); the best threshold is at one of these.
    Places are drawn; the draws depend on the arguments alone. Of more than 50 000 items it is what flagging
    all has.

    Args:
        n_positive: R, at least 1.
        n_items: N, at least R.

    Returns:
        The mean over draws, whose standard error is below 0.002 for 10 items and falls with their number.
    """
    if n_items > _EXACT_UP_TO:
        return flag_all_f1(n_positive, n_items)
    rng = np.random.default_rng(seed_from("best_f1_chance", n_positive, n_items))
    n_draws = min(_DRAWS, max(50, 4_000_000 // n_items))
    counts = np.arange(1, n_positive + 1)
    total = 0.0
    for _ in range(n_draws):
        places = np.sort(rng.permutation(n_items)[:n_positive]) + 1
        total += float((2 * counts / (places + n_positive)).max())
    return total / n_draws
