"""Intervals of areas under ROC curves, and of their means over machines and trainings, that hold near 1.

Each clip of a run has a placement, its part in the area (for the AUC: the share of clips of the other class that it
is on the right side of). Their variances within each class make the variance of the area, those of placements
averaged over trainings the variance of the mean over trainings, which share their clips (DeLong et al. 1988,
doi:10.2307/2531595); machines do not share clips, so that the variances of their areas add. It is what a joint
bootstrap of the mean over machines, clips resampled within machine and class, tends to, without its bias for few
clips. Where one recording gives several clips, their placements are summed first, since they vary together
(Obuchowski 1997, doi:10.2307/2533958).

Near 1 neither a bootstrap nor DeLong's variance holds: where the classes are separated both are zero. The interval
is therefore a score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953) of as many independent clips as
would give the variance found, and of no more than exponentially distributed scores would give at an area of 1
(Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747; Newcombe 2006, doi:10.1002/sim.2324).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from soundproof.statistics.intervals import LEVEL, MIN_CLIPS
from soundproof.statistics.roc import area_up_to, weighted_curve

_CHUNK = 256
"""Clips that are left out at once."""


class Placements(NamedTuple):
    """An area and what each clip contributes to it.

    Attributes:
        area: 0..1.
        normal: One per normal clip, float64 [n_normal].
        anomalous: One per anomalous clip, float64 [n_anomalous].
    """

    area: float
    normal: np.ndarray
    anomalous: np.ndarray


def auc_placements(scores: np.ndarray, anomalous: np.ndarray) -> Placements:
    """AUC with DeLong's placements, ties counted one half.

    Args:
        scores: Finite, [n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
    """
    ranks = rankdata(scores)
    n_normal, n_anomalous = int((~anomalous).sum()), int(anomalous.sum())
    # ranks among all, less those among its own class: how many clips of the other class lie below
    above = (ranks[anomalous] - rankdata(scores[anomalous])) / n_normal
    below = 1 - (ranks[~anomalous] - rankdata(scores[~anomalous])) / n_anomalous
    return Placements(float(above.mean()), below, above)


def partial_placements(scores: np.ndarray, anomalous: np.ndarray, max_fpr: float) -> Placements:
    """Standardised partial area up to ``max_fpr`` (McClish 1989) with the jackknife's pseudo-values.

    For ``max_fpr`` 1 these are the AUC and DeLong's placements. A class of a single clip has a placement that is
    not a number, because nothing is left without it.

    Args:
        scores: Finite, [n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
        max_fpr: 0 < max_fpr <= 1.
    """
    return jackknifed(
        scores, anomalous, lambda fpr, tpr: _standardised(area_up_to(fpr, tpr, max_fpr), max_fpr)
    )


def jackknifed(
    scores: np.ndarray, anomalous: np.ndarray, of_curve: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Placements:
    """A number that the ROC curve gives, with the jackknife's pseudo-values.

    Clips are left out within their class, whose share stays what it is: classes are not resampled.

    Args:
        scores: Finite, [n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
        of_curve: From false- and true-positive rates [..., n_points], one point per distinct score after (0, 0), to
            the number [...].

    Returns:
        The number and placements; not a number in a class of a single clip.
    """
    negative, positive = (~anomalous).astype(np.float64), anomalous.astype(np.float64)
    whole = float(of_curve(*weighted_curve(scores, negative, positive)))
    parts = np.full(len(scores), np.nan)
    for members in (~anomalous, anomalous):
        n, chosen = int(members.sum()), np.flatnonzero(members)
        for clips in np.array_split(chosen, -(-n // _CHUNK)) if n > 1 else []:
            left = 1 - np.eye(len(scores))[clips]
            without = of_curve(*weighted_curve(scores, negative * left, positive * left))
            parts[clips] = n * whole - (n - 1) * without
    return Placements(whole, parts[~anomalous], parts[anomalous])


def _standardised(area: np.ndarray, max_fpr: float) -> np.ndarray:
    if max_fpr == 1:
        return area
    least = max_fpr**2 / 2
    return np.asarray(0.5 * (1 + (area - least) / (max_fpr - least)))


def joint_interval(
    value: float,
    machines: list[list[Placements]],
    max_fpr: float = 1.0,
    level: float = LEVEL,
    recordings: list[tuple[np.ndarray, np.ndarray]] | None = None,
) -> tuple[float, float]:
    """Interval of a mean over machines of means over trainings.

    Args:
        value: The mean.
        machines: The trainings of each machine, with the same clips in the same order.
        max_fpr: Limit of the areas; a partial area rests on that share of the normal clips.
        level: Coverage, 0..1.
        recordings: Of each machine, the recordings of its normal and of its anomalous clips, in the order of the
            placements; None: each clip is a recording of its own.

    Returns:
        Lower and upper end, 0..1; NaN where all machines together have fewer than
        :data:`soundproof.statistics.intervals.MIN_CLIPS` recordings of a class, or one has a single one of a class,
        or too few normal clips for a single false alarm within ``max_fpr``.
    """
    variance, least = 0.0, 0.0
    total = np.zeros(2, int)
    for index, trainings in enumerate(machines):
        placed = [np.mean(part, axis=0) for part in zip(*(run[1:] for run in trainings), strict=True)]
        of = tuple(map(_apart, placed, ("n", "a"))) if recordings is None else recordings[index]
        sizes = np.array([len(np.unique(part)) for part in of])
        # a partial area of fewer normal clips is interpolated below its first false alarm, and biased
        if sizes.min() < 2 or sizes[0] * max_fpr < 1:
            return np.nan, np.nan
        variance += _variance(placed, of)
        least += 1 / most_effective(int(sizes[0]), int(sizes[1]), max_fpr)
        total += sizes
    if total.min() < MIN_CLIPS:
        return np.nan, np.nan
    n = len(machines)
    # a partial area is a mean of detection rates, 0..1, drawn out so that chance has 0.5
    slope = 1.0 if max_fpr == 1 else 1 / (2 - max_fpr)
    rate = 1 - (1 - value) / slope
    ends = score_interval(rate, variance / n**2 / slope**2, n**2 / least, level)
    low, high = (1 - (1 - end) * slope for end in ends)
    return low, high


def _apart(placed: np.ndarray, name: str) -> np.ndarray:
    return np.array([f"{name}{clip}" for clip in range(len(placed))])


def _variance(placed: list[np.ndarray], recordings: tuple[np.ndarray, ...]) -> float:
    """Variance of an area from the placements of both classes; without shared recordings, DeLong's."""
    names = np.unique(np.concatenate(recordings))
    sums, sizes = [], []
    for part, of in zip(placed, recordings, strict=True):
        where = np.searchsorted(names, of)
        sums.append(np.bincount(where, part - part.mean(), minlength=len(names)) / len(part))
        sizes.append(len(np.unique(where)))
    own = sum(n / (n - 1) * float(total @ total) for n, total in zip(sizes, sums, strict=True))
    # a recording with clips of both classes moves both parts of the area at once
    both = len(names) / (len(names) - 1) * float(sums[0] @ sums[1])
    return max(own + 2 * both, 0.0)


def most_effective(n_normal: int, n_anomalous: int, max_fpr: float = 1.0) -> float:
    """Number of independent clips that exponential scores would be worth at an area of 1."""
    counted = max(1.0, max_fpr * n_normal)
    return counted * n_anomalous / (1 + (counted + n_anomalous - 2) / 4)


def score_interval(value: float, variance: float, most: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval of a share of ``value (1 - value) / variance`` independent clips, at most ``most``.

    Args:
        value: 0..1.
        variance: Of ``value``, not negative.
        most: Largest number of clips.
        level: Coverage, 0..1.
    """
    spread = max(value * (1 - value), 0.0)
    # nothing varies more than a single clip that is or is not found
    n = min(max(spread / variance, 1.0), most) if variance > 0 and spread > 0 else most
    z = float(norm.ppf((1 + level) / 2))
    middle = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(spread / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))
