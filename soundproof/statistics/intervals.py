"""Ends of bootstrap intervals that hold for few clips, and where there is none.

Percentiles of a bootstrap are too narrow for few clips, for two reasons: they are biased where values are skewed,
and their spread lacks the factor n / (n - 1) and Student's heavier tails. The first is mended by BCa (Efron 1987,
doi:10.1080/01621459.1987.10478410), the second by taking the percentiles further out (Hesterberg 2015,
doi:10.1080/00031305.2015.1089789, section 4.3): instead of the normal quantile z, sqrt(n / (n - 1)) t of n - 1
degrees of freedom. ``docs/benchmarks.md`` shows what they cover.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

LEVEL = 0.95
MIN_CLIPS = 5
"""Clips (or machines, where machines are resampled) without which there is no interval."""
TOO_FEW = "too few clips"
TOO_FEW_MACHINES = "too few machines"


class Interval(NamedTuple):
    """A statistic and its interval; low and high are NaN where fewer than :data:`MIN_CLIPS` values were at hand."""

    value: float
    low: float
    high: float


def bca_ends(
    replicates: np.ndarray,
    values: np.ndarray,
    influence: np.ndarray,
    level: float = LEVEL,
    *,
    widened: bool = True,
) -> np.ndarray:
    """Bias-corrected and accelerated ends, one interval per column.

    Args:
        replicates: [n_resamples, n].
        values: The statistics themselves, [n].
        influence: What each unit contributes to each statistic, up to a factor, [n_units, n]; for a mean the
            deviations from it, in general the jackknife's.
        level: Coverage, 0..1.
        widened: Allow for few units, as above; else plain BCa.

    Returns:
        Lower and upper ends, [2, n].
    """
    n_units = len(influence)
    tail = (1 - level) / 2
    z = np.sqrt(n_units / (n_units - 1)) * t.ppf(tail, n_units - 1) if widened else norm.ppf(tail)
    ordered = np.sort(replicates, axis=0)
    # replicates that only rounding tells from the value are equal to it
    slack = 1e-12 * np.maximum(1.0, np.abs(values))
    below = ((replicates < values - slack).mean(axis=0) + (replicates <= values + slack).mean(axis=0)) / 2
    least = 0.5 / len(replicates)
    bias = norm.ppf(np.clip(below, least, 1 - least))
    cubes, squares = (influence**3).sum(axis=0), (influence**2).sum(axis=0)
    flat = squares <= slack**2
    acceleration = np.where(flat, 0.0, cubes / (6 * np.where(flat, 1.0, squares) ** 1.5))
    points = np.stack([bias + z, bias - z])
    # far out, a strong acceleration would turn the sign of the denominator and with it the order of the ends
    shares = norm.cdf(bias + points / np.maximum(1 - acceleration * points, 0.1))
    return _quantiles(ordered, shares)


def widened_percentiles(replicates: np.ndarray, degrees: float, level: float = LEVEL) -> tuple[float, float]:
    """Percentiles as far out as Student's t asks for, for replicates whose variance is not biased.

    Args:
        replicates: [n_resamples].
        degrees: Degrees of freedom of their variance.
        level: Coverage, 0..1.
    """
    tail = float(norm.cdf(t.ppf((1 - level) / 2, degrees)))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _quantiles(ordered: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Linear quantiles of sorted columns, at other shares [2, n] in every column."""
    places = shares * (len(ordered) - 1)
    under = np.floor(places).astype(np.int64)
    over = np.minimum(under + 1, len(ordered) - 1)
    low, high = np.take_along_axis(ordered, under, axis=0), np.take_along_axis(ordered, over, axis=0)
    return np.asarray(low + (places - under) * (high - low))
