"""Percentile bootstrap over clips, for one set of values or for values of several seeds.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13. Every draw depends on names
(and on the number of clips) alone, so that a table has the same interval however its rows were ordered into
jobs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from soundproof.errors import DataError
from soundproof.seeding import seed_from


class Statistic(Protocol):
    """A statistic that reduces one axis, such as :func:`numpy.mean`."""

    def __call__(self, values: np.ndarray, /, *, axis: int) -> np.ndarray:
        """Reduce ``values`` along ``axis``."""
        ...


class Interval(NamedTuple):
    """A statistic and its interval; low and high are NaN where fewer than two values leave nothing to resample."""

    value: float
    low: float
    high: float


class Spread(NamedTuple):
    """A mean over clips and seeds.

    Attributes:
        mean: Mean over seeds of the mean over clips.
        sd: Standard deviation (n - 1) of the seeds' means; NaN for a single seed.
        ci_low: Lower end of the interval over clips; NaN with fewer than two clips.
        ci_high: Upper end.
        n_clips: Distinct clips; 0 for values of a whole set.
        n_seeds: Distinct seeds.
    """

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    n_clips: int
    n_seeds: int


def bootstrap_interval(
    values: np.ndarray,
    *names: str | int | float,
    statistic: Statistic = np.mean,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a statistic over clips.

    Args:
        values: One per clip, [n_clips].
        names: What the draws depend on: study, metric, detector, ...
        statistic: Reduces an axis.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.

    Returns:
        The statistic of ``values`` and its interval.

    Raises:
        DataError: No value, or one that is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise DataError(
            "finite values of at least one clip",
            f"shape {values.shape}, {int((~np.isfinite(values)).sum())} not finite",
            "leave out and count undefined values before averaging",
        )
    value = float(statistic(values, axis=0))
    if values.size < 2:
        return Interval(value, np.nan, np.nan)
    rng = np.random.default_rng(seed_from("bootstrap_interval", *names))
    picks = rng.integers(values.size, size=(n_resamples, values.size))
    return Interval(value, *_percentiles(statistic(values[picks], axis=1), level))


def mean_with_spread(
    frame: pd.DataFrame, *names: str | int | float, n_resamples: int = 2000, level: float = 0.95
) -> Spread:
    """Mean over clips and seeds, with its spread over seeds and its interval over clips.

    Seeds share their clips. One resample of the clips is therefore applied to all seeds at once; resampling
    rows would count each clip as often as there are seeds and make the interval too narrow. The interval tells
    how the mean would move with other clips, the standard deviation how it moves with other seeds.

    Args:
        frame: Columns value, clip_id, seed. A clip that is undefined for some seed is simply absent there.
            Where every clip_id is null the values belong to whole sets, and there is no interval.
        names: What the draws depend on.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.

    Returns:
        The mean and its two kinds of spread.

    Raises:
        DataError: No row, a value that is not finite, a clip twice for one seed, or set-level values among
            those of clips.
    """
    _check(frame)
    per_seed = frame.groupby("seed", sort=True)["value"].mean().to_numpy()
    sd = float(per_seed.std(ddof=1)) if len(per_seed) > 1 else np.nan
    mean = float(per_seed.mean())
    n_clips = int(frame["clip_id"].nunique())
    if n_clips < 2:
        return Spread(mean, sd, np.nan, np.nan, n_clips, len(per_seed))
    table = frame.pivot_table(index="clip_id", columns="seed", values="value", sort=True).to_numpy()
    rng = np.random.default_rng(seed_from("mean_with_spread", *names))
    weights = rng.multinomial(n_clips, np.full(n_clips, 1 / n_clips), size=n_resamples).astype(np.float64)
    sums = weights @ np.nan_to_num(table)
    counts = weights @ np.isfinite(table)
    # a replicate may miss every clip of a sparse seed; its mean is then that of the other seeds
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    low, high = _percentiles(np.nanmean(means, axis=1), level)
    return Spread(mean, sd, low, high, n_clips, len(per_seed))


def _percentiles(replicates: np.ndarray, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _check(frame: pd.DataFrame) -> None:
    null = frame["clip_id"].isna()
    problems = {
        "no row": frame.empty,
        "values that are not finite": not np.isfinite(frame["value"].to_numpy(dtype=np.float64)).all(),
        "set-level values among those of clips": null.any() and not null.all(),
        "a clip (or set) twice for one seed": frame.duplicated(["clip_id", "seed"]).any(),
    }
    found = [problem for problem, present in problems.items() if present]
    if found:
        raise DataError(
            "one finite value per clip and seed",
            ", ".join(found),
            "filter to one metric, protocol, parameter, detector and explainer first",
        )
