"""Differences between two kinds of training, over clips and trainings.

A difference between the trainings at hand may be a difference between single trainings rather than between kinds.
The claim is about kinds, so that trainings are resampled beside clips. k - 1 of k are drawn, which keeps the
variance of their mean unbiased (Rao and Wu 1988, doi:10.1080/01621459.1988.10478591), percentiles are taken as far
out as Student's t asks for, and degrees of freedom are Welch and Satterthwaite's.
"""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from soundproof.randomness.seeding import seed_from
from soundproof.statistics.intervals import LEVEL, MIN_CLIPS, widened_percentiles
from soundproof.statistics.recordings import error_of_mean, recordings_among
from soundproof.statistics.resampling import unit_weights


class Difference(NamedTuple):
    """A difference that some claim is about.

    Attributes:
        value: The difference.
        low: Lower end of its interval; NaN where there is none.
        high: Upper end.
        p: Two-sided; NaN where nothing can be decided.
        n_clips: Clips that both sides share.
        n_seeds: Trainings of the side that has fewer.
    """

    value: float
    low: float
    high: float
    p: float
    n_clips: int
    n_seeds: int


def least_trainings(level: float = 0.05) -> int:
    """Number of trainings a side that can decide: k of each, perfectly separated, have p = 2 / C(2k, k).

    With two that is 0.33, with three 0.1, with four 0.03: fewer than four decide nothing at 0.05, however far apart
    they lie.
    """
    k = 2
    while 2 / comb(2 * k, k) >= level:
        k += 1
    return k


def training_difference(
    a: np.ndarray,
    b: np.ndarray,
    *names: str | int | float,
    recordings: np.ndarray | None = None,
    n_resamples: int = 2000,
    level: float = LEVEL,
) -> Difference:
    """Mean of a - b over clips and trainings.

    Args:
        a: [n_clips, n_trainings], finite.
        b: [n_clips, other n_trainings], the same clips.
        names: What the draws depend on, besides the number of clips.
        recordings: What is resampled in the place of clips: the recording of each, [n_clips]; None: clips.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.
    """
    n = len(a)
    paired = a.mean(axis=1) - b.mean(axis=1)
    if recordings_among(n, recordings) < MIN_CLIPS:
        return Difference(float(paired.mean()), np.nan, np.nan, np.nan, n, min(a.shape[1], b.shape[1]))
    unit = np.arange(n) if recordings is None else np.unique(recordings, return_inverse=True)[1]
    weights = unit_weights(unit, n_resamples, "training_difference", *names)
    weights = weights / weights.sum(axis=1, keepdims=True)
    sides = [(side.mean(axis=0), (weights @ side).T) for side in (a, b)]
    error, degrees = error_of_mean(paired, recordings)
    return _over_trainings(sides, error**2, degrees, n, names, level)


def area_difference(
    areas: tuple[np.ndarray, np.ndarray],
    replicates: tuple[np.ndarray, np.ndarray],
    n_clips: int,
    *names: str | int | float,
    n_recordings: int | None = None,
    level: float = LEVEL,
) -> Difference:
    """Difference of two detectors' areas, from paired replicates over clips of every training.

    Args:
        areas: Of the first and of the second detector's trainings, [n_trainings] each.
        replicates: [n_trainings, n_resamples] each, of the same resamples of clips.
        n_clips: Clips behind an area.
        names: What the draws of trainings depend on.
        n_recordings: Recordings that they come from, where recordings were resampled; None: as many as clips.
        level: Coverage, 0..1.
    """
    variance = float((replicates[0].mean(axis=0) - replicates[1].mean(axis=0)).var())
    sides = list(zip(areas, replicates, strict=True))
    return _over_trainings(sides, variance, (n_recordings or n_clips) - 1, n_clips, names, level)


def _over_trainings(
    sides: list[tuple[np.ndarray, np.ndarray]],
    clip_variance: float,
    clip_degrees: int,
    n_clips: int,
    names: tuple[str | int | float, ...],
    level: float,
) -> Difference:
    (means_a, replicates_a), (means_b, replicates_b) = sides
    value, n_seeds = float(means_a.mean() - means_b.mean()), min(len(means_a), len(means_b))
    if n_seeds < 2:
        return Difference(value, np.nan, np.nan, np.nan, n_clips, n_seeds)
    rng = np.random.default_rng(seed_from("trainings", *names))
    drawn = _mean_of_drawn(replicates_a, rng) - _mean_of_drawn(replicates_b, rng)
    parts = [(clip_variance, clip_degrees)]
    parts += [(float(means.var(ddof=1)) / len(means), len(means) - 1) for means in (means_a, means_b)]
    total = sum(variance for variance, _ in parts)
    if total == 0:
        # nothing varies, neither over clips nor over trainings
        return Difference(value, value, value, float(value == 0), n_clips, n_seeds)
    degrees = total**2 / sum(variance**2 / free for variance, free in parts)
    low, high = widened_percentiles(drawn, degrees, level)
    p = 2 * float(t.sf(abs(value) / drawn.std(), degrees)) if n_seeds >= least_trainings() else np.nan
    return Difference(value, low, high, p, n_clips, n_seeds)


def _mean_of_drawn(replicates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean of k - 1 trainings drawn with replacement, [n_resamples]."""
    k, n_resamples = replicates.shape
    drawn = rng.multinomial(k - 1, np.full(k, 1 / k), size=n_resamples)
    return np.asarray((drawn.T * replicates).sum(axis=0) / (k - 1))


def paired_difference(
    differences: np.ndarray,
    n_seeds: int,
    interval: tuple[float, float],
    recordings: np.ndarray | None = None,
) -> Difference:
    """Mean of paired differences for the trainings at hand, with the p of a paired t-test.

    Args:
        differences: One per clip, finite.
        n_seeds: Trainings that they are means over.
        interval: Ends, NaN where there are none.
        recordings: Recording of each clip, where one gives several; None: clips are independent.
    """
    n, value = len(differences), float(differences.mean())
    if recordings_among(n, recordings) < MIN_CLIPS:
        return Difference(value, np.nan, np.nan, np.nan, n, n_seeds)
    error, degrees = error_of_mean(differences, recordings)
    p = 2 * float(t.sf(abs(value) / error, degrees)) if error > 0 else float(value == 0)
    return Difference(value, *interval, p, n, n_seeds)
