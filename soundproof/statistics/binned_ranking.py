"""Ranking measures of very many items in one pass and bounded memory, each with a bound of its error.

Scores fall into bins whose edges lie on the float32 scale itself: a bin is all numbers that share sign,
exponent and the first 11 bits of the fraction, so that neighbouring edges are 0.05 % apart whatever the range.
Within a bin the order of items is not known, unless they are all equal; a measure is then known up to what the
best and the worst order within bins would give, and that is the bound. It falls with the number of bins that
the scores fill.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import digamma

from soundproof.core.errors import DataError

BITS = 20
"""Leading bits of a float32 number that tell its bin: about a million bins, 8 MiB for each count."""
_SIGN = np.uint32(1 << 31)
_FEW = 1 << 17
"""Items below which sorting them takes less time than going through all bins."""


class Bounded(NamedTuple):
    """A number, and how far the exact one may lie from it.

    Attributes:
        value: The number.
        error: Not negative; 0: exact but for rounding.
    """

    value: float
    error: float


class RankingHistogram:
    """Counts of items and of positives, bin by bin.

    Args:
        n_truths: Ground truths by which the same items are judged.
    """

    def __init__(self, n_truths: int = 1) -> None:
        n_bins = 1 << BITS
        self._items = np.zeros(n_bins, np.int64)
        self._positive = np.zeros((n_truths, n_bins), np.float64)
        self._lowest = np.full(n_bins, np.iinfo(np.uint32).max, np.uint32)
        self._highest = np.zeros(n_bins, np.uint32)

    def add(self, scores: np.ndarray, *positive: np.ndarray) -> None:
        """Count items.

        Args:
            scores: Finite, any shape, rounded to float32; higher = more positive.
            positive: bool, or the chance 0..1 to be positive, the shape of ``scores``, one for each ground truth.

        Raises:
            DataError: As many ground truths as were announced are needed, or a score is not finite.
        """
        if len(positive) != len(self._positive) or not np.isfinite(scores).all():
            raise DataError(
                f"finite scores with {len(self._positive)} ground truths",
                f"{len(positive)} ground truths, {int((~np.isfinite(scores)).sum())} scores not finite",
                "look at what made the scores",
            )
        keys = _keys(scores.ravel())
        bins = keys >> np.uint32(32 - BITS)
        # of few items only the bins that they fill are gone through
        where, place = np.unique(bins, return_inverse=True) if bins.size < _FEW else (slice(None), bins)
        n_bins = len(self._items[where])
        self._items[where] += np.bincount(place, minlength=n_bins)
        for counts, truth in zip(self._positive, positive, strict=True):
            marked = truth.ravel()
            counts[where] += (
                np.bincount(place[marked], minlength=n_bins)
                if marked.dtype == bool
                else np.bincount(place, marked, minlength=n_bins)
            )
        np.minimum.at(self._lowest, bins, keys)
        np.maximum.at(self._highest, bins, keys)

    def ranking(self, truth: int = 0) -> BinnedRanking:
        """The ranking as one of the ground truths judges it."""
        used = self._used()
        hits = self._positive[truth, used]
        return BinnedRanking(hits, self._items[used] - hits, tied=self._lowest[used] == self._highest[used])

    def groups(self, n_groups: int) -> np.ndarray:
        """Gather neighbouring bins into groups of about equally many items, the highest scores in group 0.

        Returns:
            Group of each bin, int64 [bins], for :class:`ClipCounts`.
        """
        used = self._used()
        items = self._items[used]
        above = np.cumsum(items) - items
        groups = np.zeros(len(self._items), np.int64)
        groups[used] = above * n_groups // max(1, int(items.sum()))
        return groups

    def _used(self) -> np.ndarray:
        """Bins that hold any item, the highest scores first."""
        return np.flatnonzero(self._items)[::-1]


class ClipCounts:
    """The same counts clip by clip, in few groups of bins: enough to see how much a clip weighs.

    Args:
        groups: Group of each bin (:meth:`RankingHistogram.groups`).
        n_truths: Ground truths by which the same items are judged.
    """

    def __init__(self, groups: np.ndarray, n_truths: int) -> None:
        self._groups = groups
        self._n_groups = int(groups.max()) + 1
        self._items: list[np.ndarray] = []
        self._positive: list[list[np.ndarray]] = [[] for _ in range(n_truths)]

    def add(self, scores: np.ndarray, *positive: np.ndarray) -> None:
        """Count the items of a clip.

        Args:
            scores: Of one clip, any shape.
            positive: bool, the shape of ``scores``, one for each ground truth.
        """
        group = self._groups[_keys(scores.ravel()) >> np.uint32(32 - BITS)]
        self._items.append(np.bincount(group, minlength=self._n_groups))
        for counts, truth in zip(self._positive, positive, strict=True):
            counts.append(np.bincount(group[truth.ravel()], minlength=self._n_groups))

    def influences(
        self, truth: int, value: float, measure: Callable[[BinnedRanking], Bounded]
    ) -> np.ndarray | None:
        """Spread a measure of the set over its clips, so that the clips' mean is it and their spread its error.

        With A(i) the measure without clip i and A(.) the mean of these, clip i gets ``value + (n - 1) (A(.) -
        A(i))``, as the jackknife has it (Efron and Stein 1981, doi:10.1214/aos/1176345462). That bins are gathered
        cancels in the differences.

        Args:
            truth: Which of the ground truths judges.
            value: The measure of the set.
            measure: Reads it from a ranking.

        Returns:
            float64 [n_clips]; None where the set without one of its clips holds one class only.
        """
        items, hits = np.array(self._items), np.array(self._positive[truth], np.float64)
        n_clips = len(items)
        hits_left = hits.sum(axis=0) - hits
        misses_left = items.sum(axis=0) - items - hits_left
        if n_clips < 2 or not (hits_left.any(axis=1) & misses_left.any(axis=1)).all():
            return None
        left = np.array(
            [
                measure(_of_items(hits_of_rest, misses_of_rest)).value
                for hits_of_rest, misses_of_rest in zip(hits_left, misses_left, strict=True)
            ]
        )
        return np.asarray(value + (n_clips - 1) * (left.mean() - left))


class BinnedRanking:
    """A ranking known bin by bin.

    Args:
        positive: Positives in each bin, float64 [n_bins], the highest bin first.
        negative: Negatives likewise.
        tied: Whether all items of a bin are equal, bool [n_bins].
    """

    def __init__(self, positive: np.ndarray, negative: np.ndarray, tied: np.ndarray) -> None:
        self._hits, self._misses, self._tied = positive, negative, tied
        # sums of chances are whole but for rounding
        self.n_positive = round(float(positive.sum()))
        self.n_negative = round(float(negative.sum()))

    def auroc(self) -> Bounded:
        """Area under the ROC curve, ties counted one half; both classes must be there.

        Within a bin that is not all equal every pair of a positive and a negative may go either way.
        """
        below = self.n_negative - np.cumsum(self._misses)
        pairs = self._hits * self._misses
        n_pairs = float(self.n_positive) * self.n_negative
        wins = float((self._hits * below).sum() + pairs.sum() / 2)
        return Bounded(wins / n_pairs, float(pairs[~self._tied].sum()) / 2 / n_pairs)

    def average_precision(self) -> Bounded:
        """Average precision, expected over random orders of the items of a bin; there must be a positive.

        The bound puts positives first, or last, in each bin that is not all equal.
        """
        hits, misses = self._hits, self._misses
        before, false = np.cumsum(hits) - hits, np.cumsum(misses) - misses
        expected = _of_random_order(hits, hits + misses, before, before + false)
        best = _of_positives_in_a_row(hits, before, false)
        worst = _of_positives_in_a_row(hits, before, false + misses)
        value, high, low = (
            float(np.where(self._tied, expected, part).sum()) / self.n_positive
            for part in (expected, best, worst)
        )
        # sums of a million terms may end a rounding error above 1
        return Bounded(min(value, 1.0), max(high - value, value - low, 0.0))

    def best_f1(self) -> Bounded:
        """Largest F1 over thresholds between bins, on these very items; there must be a positive.

        A threshold within a bin could at best flag all its positives and none of its negatives.
        """
        found, false = np.cumsum(self._hits), np.cumsum(self._misses)
        value = float((2 * found / (found + false + self.n_positive)).max())
        within = 2 * found / (found + false - self._misses + self.n_positive)
        at_best = float(within[~self._tied].max(initial=0.0))
        return Bounded(value, max(at_best - value, 0.0))


def _of_items(hits: np.ndarray, misses: np.ndarray) -> BinnedRanking:
    """The ranking of those bins that hold any item, none of them known to be equal."""
    used = hits + misses > 0
    return BinnedRanking(hits[used], misses[used], np.zeros(int(used.sum()), dtype=bool))


def _keys(scores: np.ndarray) -> np.ndarray:
    """Whole numbers in the order of the scores, equal where they are, uint32 [n_items]."""
    # adding 0 turns -0 into 0
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _of_random_order(hits: np.ndarray, size: np.ndarray, before: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Precision summed over the positives of each tie, expected over its orders.

    Item i of a tie of s items with r positives, behind N items with R positives, adds r/s times
    (R + 1 + (i - 1) c) / (N + i) with c = (r - 1)/(s - 1), summed here over i = 1..s.
    """
    slope = (hits - 1) / np.maximum(size - 1, 1)
    steps = digamma(place + size + 1) - digamma(place + 1)
    return np.asarray(hits / size * (size * slope + (before + 1 - slope * (place + 1)) * steps))


def _of_positives_in_a_row(hits: np.ndarray, before: np.ndarray, false: np.ndarray) -> np.ndarray:
    """Precision summed over positives in a row, behind ``before`` positives and ``false`` negatives."""
    place = before + false
    return np.asarray(hits - false * (digamma(place + hits + 1) - digamma(place + 1)))
