"""Mean of correlation coefficients by Fisher's z."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t

from soundproof.core.errors import DataError
from soundproof.statistics.intervals import MIN_CLIPS
from soundproof.statistics.recordings import error_of_mean, recordings_among


class FisherMean(NamedTuple):
    """A mean correlation.

    Attributes:
        value: tanh of the mean of atanh(rho).
        low: Lower end of the interval; NaN with too few coefficients.
        high: Upper end.
        n: Coefficients averaged.
        n_clipped: How many of them were moved to the limit; say so next to the mean.
    """

    value: float
    low: float
    high: float
    n: int
    n_clipped: int


def spearman_limit(n_items: int) -> float:
    """Choose where to clip Spearman coefficients of ``n_items`` items: half-way from 1 to the next value.

    Without ties the largest coefficient below 1 is 1 - 12 / (n^3 - n) (two neighbours swapped), so that the
    data cannot tell 1 from anything above 1 - 6 / (n^3 - n). A limit closer to 1 would let a few perfect
    rankings of few items outweigh all others, since atanh is unbounded.

    Raises:
        DataError: Fewer than three items, where the rule leaves no range.
    """
    if n_items < 3:
        raise DataError("a rank correlation of at least three items", f"{n_items}", "use more bands")
    return 1 - 6 / (n_items**3 - n_items)


def fisher_z_mean(
    rho: np.ndarray, limit: float = 1 - 1e-6, level: float = 0.95, recordings: np.ndarray | None = None
) -> FisherMean:
    """Average correlation coefficients over clips as tanh(mean(atanh rho)).

    Coefficients beyond ``limit`` are moved to it, because atanh(1) is infinite and a single such clip would
    make the mean 1. The default only avoids the infinity; for rank correlations of few items prefer
    :func:`spearman_limit`. The interval is Student's t over clips on the z scale.

    Args:
        rho: Coefficients, [n], each -1..1.
        limit: Largest absolute value that enters, 0 < limit < 1.
        level: Coverage, 0..1.
        recordings: Recording of each clip, [n], where one gives several; None: clips are independent.

    Returns:
        The mean, its interval, and how many coefficients were clipped.

    Raises:
        DataError: No coefficient, one outside -1..1 or not finite, or a limit outside (0, 1).
    """
    rho = np.asarray(rho, dtype=np.float64)
    # correlations computed in floating point may exceed 1 by rounding
    if rho.size == 0 or not (np.abs(rho) <= 1 + 1e-9).all() or not 0 < limit < 1:
        raise DataError(
            "correlation coefficients in -1..1 and a limit in (0, 1)",
            f"{rho.size} coefficients, {int((~(np.abs(rho) <= 1 + 1e-9)).sum())} unusable, limit {limit}",
            "leave out and count undefined coefficients before averaging",
        )
    z = np.arctanh(np.clip(rho, -limit, limit))
    mean = z.mean()
    half = np.nan
    if recordings_among(z.size, recordings) >= MIN_CLIPS:
        error, degrees = error_of_mean(z, recordings)
        half = t.ppf((1 + level) / 2, degrees) * error
    low, high = np.tanh([mean - half, mean + half])
    n_clipped = int((np.abs(rho) > limit).sum())
    return FisherMean(float(np.tanh(mean)), float(low), float(high), rho.size, n_clipped)
