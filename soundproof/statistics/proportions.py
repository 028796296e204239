"""Intervals of shares: exact for independent trials, and for trials that share raters or items."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta, t

from soundproof.statistics.intervals import LEVEL, Interval

MIN_CLUSTERS = 2
"""Clusters without which nothing says how much they differ."""


def exact_interval(successes: float, trials: float, level: float = LEVEL) -> Interval:
    """Exact interval of a share for independent trials (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).

    Args:
        successes: How many succeeded; a fraction where trials are counted by what they are worth.
        trials: How many there were, likewise.
        level: Coverage, 0..1; at least that, since counts are whole.

    Returns:
        The share and its interval; NaN without any trial.
    """
    if not trials:
        return Interval(np.nan, np.nan, np.nan)
    tail, failures = (1 - level) / 2, trials - successes
    low = 0.0 if successes <= 0 else float(beta.ppf(tail, successes, failures + 1))
    high = 1.0 if failures <= 0 else float(beta.ppf(1 - tail, successes + 1, failures))
    return Interval(successes / trials, low, high)


def clustered_interval(outcomes: np.ndarray, *clusters: np.ndarray, level: float = LEVEL) -> Interval:
    """Interval of a share whose trials share something: a rater, an item, or both.

    The variance of the share adds up over one or two kinds of clusters (Liang and Zeger 1986,
    doi:10.1093/biomet/73.1.13; for two kinds Cameron, Gelbach and Miller 2011, doi:10.1198/jbes.2010.07136,
    equation 2.8, here no smaller than that of either kind or of independent trials). It says how many independent
    trials these are worth, with Student's quantile of as many degrees of freedom as the fewest clusters have, less
    one; the exact interval of so many follows (Korn and Graubard 1998, Survey Methodology 24, section 2). Where
    every trial has the same outcome, clusters cannot be told from trials, and the fewest clusters count.

    Args:
        outcomes: 0 or 1 per trial, [n].
        clusters: Label of each trial's cluster, [n] per kind; one kind or two.
        level: Coverage, 0..1.

    Returns:
        The share and its interval; NaN ends with fewer than :data:`MIN_CLUSTERS` clusters of a kind.
    """
    outcomes = np.asarray(outcomes, dtype=np.float64)
    n = len(outcomes)
    numbers = [pd.factorize(labels)[0] for labels in clusters]
    fewest = min((int(of_kind.max(initial=-1)) + 1 for of_kind in numbers), default=0)
    share = float(outcomes.mean()) if n else np.nan
    if fewest < MIN_CLUSTERS:
        return Interval(share, np.nan, np.nan)
    spread = share * (1 - share)
    if spread == 0:
        return exact_interval(share * fewest, fewest, level)
    deviations = outcomes - share
    independent = _variance(deviations, np.arange(n))
    of_kinds = [_variance(deviations, of_kind) for of_kind in numbers]
    both = sum(of_kinds) - (len(of_kinds) - 1) * independent
    variance = max(both, independent, *of_kinds)
    tail = (1 + level) / 2
    worth = spread / variance * float(t.ppf(tail, n - 1) / t.ppf(tail, fewest - 1)) ** 2
    worth = min(worth, n)
    return Interval(share, *exact_interval(share * worth, worth, level)[1:])


def _variance(deviations: np.ndarray, number: np.ndarray) -> float:
    """Variance of a mean, from sums of deviations [n] over clusters numbered 0..n_clusters - 1 [n]."""
    sums = np.bincount(number, weights=deviations)
    return float(len(sums) / (len(sums) - 1) * (sums @ sums) / len(deviations) ** 2)
