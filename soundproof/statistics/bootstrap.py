"""Bootstrap over clips, for one set of values or for values of several seeds, and over machines and clips."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from soundproof.core.errors import DataError
from soundproof.statistics.intervals import LEVEL, MIN_CLIPS, Interval, bca_ends
from soundproof.statistics.resampling import nested_weights, unit_weights

_CHUNK = 256
"""Columns whose replicates are held in memory at once."""


class Statistic(Protocol):
    """A statistic that reduces one axis, such as :func:`numpy.mean`."""

    def __call__(self, values: np.ndarray, /, *, axis: int) -> np.ndarray:
        """Reduce ``values`` along ``axis``."""
        ...


class Ends(NamedTuple):
    """Ends of intervals of several means, each [n]; NaN where there were too few units to resample.

    Attributes:
        low: Lower end over clips, for these machines.
        high: Upper end.
        machines_low: Lower end over machines and their clips.
        machines_high: Upper end.
    """

    low: np.ndarray
    high: np.ndarray
    machines_low: np.ndarray
    machines_high: np.ndarray


def bootstrap_interval(
    values: np.ndarray,
    *names: str | int | float,
    statistic: Statistic = np.mean,
    n_resamples: int = 2000,
    level: float = LEVEL,
    widened: bool = True,
) -> Interval:
    """BCa interval of a statistic over clips.

    Args:
        values: One per clip, [n_clips].
        names: What the draws depend on: study, metric, detector, ...
        statistic: Reduces an axis.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.
        widened: Allow for few clips (:mod:`soundproof.statistics.intervals`); else plain BCa.

    Returns:
        The statistic of ``values`` and its interval; none of fewer than :data:`MIN_CLIPS` clips.

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
    n = values.size
    value = float(statistic(values, axis=0))
    if n < MIN_CLIPS:
        return Interval(value, np.nan, np.nan)
    weights = unit_weights(np.arange(n), n_resamples, "bootstrap_interval", *names)
    picks = np.repeat(np.tile(np.arange(n), n_resamples), weights.ravel().astype(np.int64))
    replicates = statistic(values[picks.reshape(n_resamples, n)], axis=1)
    left = np.array([np.delete(values, clip) for clip in range(n)])
    jackknife = statistic(left, axis=1)
    influence = jackknife.mean() - jackknife
    low, high = bca_ends(
        replicates[:, np.newaxis], np.array([value]), influence[:, np.newaxis], level, widened=widened
    )
    return Interval(value, float(low[0]), float(high[0]))


def mean_ends(
    values: np.ndarray,
    *names: str | int | float,
    units: np.ndarray | None = None,
    machines: np.ndarray | None = None,
    n_resamples: int = 2000,
    level: float = LEVEL,
) -> Ends:
    """Intervals of many means over the same clips, each a mean over seeds of means over clips.

    Seeds share their clips: one resample of the clips is applied to all seeds at once. Resampling rows would count
    each clip as often as there are seeds and make the intervals too narrow. How a mean would move with other
    trainings is no part of them.

    Args:
        values: [n, n_clips, n_seeds]; NaN where a clip is undefined for a seed.
        names: What the draws depend on, besides the number of units.
        units: What is resampled, by clip [n_clips], such as the recording that segments were cut from; None: clips.
        machines: Machine of each clip, [n_clips]; None: one machine.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.
    """
    n_clips = values.shape[1]
    unit = np.arange(n_clips) if units is None else np.unique(units, return_inverse=True)[1]
    machine = np.zeros(n_clips, int) if machines is None else np.unique(machines, return_inverse=True)[1]
    ends = np.full((4, len(values)), np.nan)
    for rows, of_unit in ((slice(0, 2), unit), (slice(2, 4), machine)):
        if of_unit.max(initial=-1) + 1 < MIN_CLIPS:
            continue
        weights = (
            unit_weights(unit, n_resamples, *names)
            if of_unit is unit
            else nested_weights(machine, unit, n_resamples, *names)
        )
        for start in range(0, len(values), _CHUNK):
            part = values[start : start + _CHUNK]
            means, influence = _linear(part)
            replicates = _replicates(part, weights)
            ends[rows, start : start + _CHUNK] = bca_ends(
                replicates, means, _summed(influence, of_unit), level
            )
    return Ends(*ends)


def _linear(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means [n], and what each clip contributes to them, up to a factor, [n_clips, n]."""
    present = np.isfinite(values)
    counts = present.sum(axis=1)
    filled = np.where(present, values, 0.0)
    means = np.divide(filled.sum(axis=1), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    deviations = np.where(present, filled - means[:, np.newaxis], 0.0) / np.maximum(counts, 1)[:, np.newaxis]
    return np.asarray(np.nanmean(means, axis=1)), np.asarray(deviations.sum(axis=2).T)


def _replicates(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of each replicate, [n_resamples, n]."""
    present = np.isfinite(values)
    if present.all():
        return np.asarray(weights @ values.mean(axis=2).T / weights.sum(axis=1, keepdims=True))
    sums, counts = (
        np.einsum("rc,ncs->rns", weights, part, optimize=True)
        for part in (np.where(present, values, 0.0), present.astype(np.float64))
    )
    # a replicate may miss every clip of a sparse seed; its mean is then that of the other seeds
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return np.asarray(np.nanmean(means, axis=2))


def _summed(influence: np.ndarray, of_unit: np.ndarray) -> np.ndarray:
    sums = np.zeros((of_unit.max() + 1, influence.shape[1]))
    np.add.at(sums, of_unit, influence)
    return sums
