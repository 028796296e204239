"""Resampling of recordings, where one recording gave several clips.

Segments of one recording share the machine, the room and the day, so they are not independent observations; a
resample takes a recording with all of its clips, or leaves it out (cluster bootstrap: Davison and Hinkley,
Bootstrap Methods and their Application, 1997, section 3.8).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVEL = 0.95


def recording_weights(recordings: np.ndarray, rng: np.random.Generator, n_resamples: int) -> np.ndarray:
    """How often each replicate holds each clip.

    Args:
        recordings: Recording of each clip, [n_clips]; one of its own for each where clips are independent, which
            gives the weights of the plain bootstrap.
        rng: Where the draws come from.
        n_resamples: Bootstrap replicates.

    Returns:
        Whole numbers as float64 [n_resamples, n_clips].
    """
    number, names = pd.factorize(recordings)
    n_recordings = len(names)
    drawn = rng.multinomial(n_recordings, np.full(n_recordings, 1 / n_recordings), size=n_resamples)
    return drawn[:, number].astype(np.float64)


def recordings_among(n_clips: int, recordings: np.ndarray | None) -> int:
    """Number of independent observations: recordings, or clips where each is one of its own (None)."""
    return n_clips if recordings is None else len(np.unique(recordings))


def error_of_mean(values: np.ndarray, recordings: np.ndarray | None = None) -> tuple[float, int]:
    """Standard error of a mean over clips, and its degrees of freedom.

    Args:
        values: One per clip, finite, [n_clips], at least two.
        recordings: Recording of each clip, [n_clips], at least two different ones: deviations of clips of one
            recording are summed first, since they vary together (Liang and Zeger 1986,
            doi:10.1093/biomet/73.1.13); None: clips are independent.
    """
    n = len(values)
    if recordings is None:
        return float(values.std(ddof=1) / np.sqrt(n)), n - 1
    number, names = pd.factorize(recordings)
    sums = np.bincount(number, weights=values - values.mean())
    return float(np.sqrt(len(names) / (len(names) - 1) * (sums @ sums)) / n), len(names) - 1


def mean_over_recordings(
    table: np.ndarray, recordings: np.ndarray, rng: np.random.Generator, n_resamples: int = 2000
) -> tuple[float, float]:
    """Ends of the 95 % percentile interval of a mean over clips and seeds, with recordings resampled.

    Args:
        table: Values [n_clips, n_seeds]; NaN where a clip is undefined for a seed.
        recordings: Recording of each clip, [n_clips].
        rng: Where the draws come from.
        n_resamples: Bootstrap replicates.

    Returns:
        Lower and upper end; NaN where there are fewer than two recordings.
    """
    if len(set(recordings)) < 2:
        return np.nan, np.nan
    weights = recording_weights(recordings, rng, n_resamples)
    sums, counts = weights @ np.nan_to_num(table), weights @ np.isfinite(table)
    # a replicate may miss every clip of a sparse seed; its mean is then that of the other seeds
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return interval_of(np.nanmean(means, axis=1))


def interval_of(replicates: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % percentile interval of replicates; NaN without any."""
    if not replicates.size:
        return np.nan, np.nan
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return float(low), float(high)
