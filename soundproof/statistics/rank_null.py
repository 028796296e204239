"""What Spearman's rho of a few items, and its mean over clips, looks like by chance.

With few items rho takes few values: of three items, 1 comes up once in six random orders. The distribution over all
orders is exact up to 12 items (counted, not sampled) and without ties; tied values make it slightly wider than it
is. Source of the null: Kendall and Gibbons, Rank Correlation Methods, 5th ed. 1990, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm

from soundproof.core.errors import DataError
from soundproof.randomness.seeding import seed_from
from soundproof.statistics.fisher import spearman_limit

EXACT_UP_TO = 12
_DRAWS = 200_000
_DRAWS_OF_MEAN = 10_000
_EXACT_SUM = 20_000
"""Distances that the sum over clips may take before a normal distribution stands in for it."""


@dataclass(frozen=True)
class SpearmanNull:
    """Distribution of rho over random orders.

    Attributes:
        n_items: Number of items (bands).
        rho: Values that rho takes, rising, float64 [n_values].
        probabilities: Their probabilities, float64 [n_values].
        exact: Counted over all orders, rather than sampled.
    """

    n_items: int
    rho: np.ndarray
    probabilities: np.ndarray
    exact: bool

    def quantile(self, level: float) -> float:
        """Smallest value of rho that at least ``level`` of the orders do not exceed."""
        return _quantile(self.rho, self.probabilities, level)

    def p_value(self, rho: float) -> float:
        """Probability of a rho at least as large."""
        return _tail(self.rho, self.probabilities, rho)

    def p_value_of_mean(self, mean: float, n_clips: int) -> float:
        """Probability of a mean over clips at least as large, if every clip had its own random order.

        Clips of one machine often share their order of bands; a map that shows the same bands for every clip then
        reaches a small p with a single lucky order. Read it as a lower limit, and :meth:`p_value` of the mean,
        which treats all clips as one, as the cautious alternative.
        """
        if n_clips * (len(self.rho) - 1) > _EXACT_SUM:
            return float(norm.sf(mean / self._sd_of_mean(n_clips)))
        return _tail(*self._mean_over(n_clips), mean)

    def quantile_of_mean(self, level: float, n_clips: int) -> float:
        """Quantile of the mean over clips, each with its own random order."""
        if n_clips * (len(self.rho) - 1) > _EXACT_SUM:
            return float(norm.ppf(level) * self._sd_of_mean(n_clips))
        return _quantile(*self._mean_over(n_clips), level)

    def quantile_of_fisher_mean(self, level: float, n_clips: int) -> float:
        """Quantile of tanh(mean(atanh rho)) over clips, each with its own random order; sampled, by name.

        Coefficients are clipped as :func:`soundproof.statistics.fisher.spearman_limit` has it.
        """
        limit = spearman_limit(self.n_items)
        z = np.arctanh(np.clip(self.rho, -limit, limit))
        rng = np.random.default_rng(seed_from("quantile_of_fisher_mean", self.n_items, n_clips))
        means = rng.multinomial(n_clips, self.probabilities, size=_DRAWS_OF_MEAN) @ z / n_clips
        return float(np.tanh(np.quantile(means, level)))

    def _sd_of_mean(self, n_clips: int) -> float:
        # the variance of rho over all orders
        return float(1 / np.sqrt((self.n_items - 1) * n_clips))

    def _mean_over(self, n_clips: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and probabilities of the mean of ``n_clips`` independent draws."""
        # the values lie on a lattice of even sums of squared rank differences
        total, base, left = np.ones(1), self.probabilities, n_clips
        while left:
            if left & 1:
                total = np.convolve(total, base)
            left >>= 1
            base = np.convolve(base, base) if left else base
        return np.linspace(-1, 1, len(total)), total


@cache
def spearman_null(n_items: int) -> SpearmanNull:
    """Return the distribution of rho over random orders of ``n_items`` items.

    Raises:
        DataError: Fewer than two items.
    """
    if n_items < 2:
        raise DataError("a rank correlation of at least two items", f"{n_items}", "use more bands")
    exact = n_items <= EXACT_UP_TO
    counts = _counted(n_items) if exact else _sampled(n_items)
    # rho = 1 - 6 S / (n^3 - n); S, the sum of squared rank differences, is even
    largest = (n_items**3 - n_items) // 3
    probabilities = counts[largest::-2] / counts.sum()
    return SpearmanNull(n_items, np.linspace(-1, 1, largest // 2 + 1), probabilities, exact)


def _counted(n_items: int) -> np.ndarray:
    """Number of orders for each sum of squared rank differences, float64 [(n^3 - n) / 3 + 1].

    Items are placed one after the other; all that matters of the past is which places are taken.
    """
    largest = (n_items**3 - n_items) // 3
    taken = {0: np.ones(1)}
    for item in range(n_items):
        following: dict[int, np.ndarray] = {}
        for places, counts in taken.items():
            for place in range(n_items):
                if places >> place & 1:
                    continue
                later = following.setdefault(places | 1 << place, np.zeros(largest + 1))
                shift = (item - place) ** 2
                # no order exceeds the largest sum: what would be cut is zero
                later[shift : shift + len(counts)] += counts[: largest + 1 - shift]
        taken = following
    (counts,) = taken.values()
    return counts


def _sampled(n_items: int) -> np.ndarray:
    rng = np.random.default_rng(seed_from("spearman_null", n_items))
    items = np.arange(n_items)
    orders = rng.permuted(np.broadcast_to(items, (_DRAWS, n_items)), axis=1)
    largest = (n_items**3 - n_items) // 3
    return np.bincount(((orders - items) ** 2).sum(axis=1), minlength=largest + 1).astype(np.float64)


def _tail(values: np.ndarray, probabilities: np.ndarray, observed: float) -> float:
    # a value on the lattice, computed in floating point, belongs to its own tail
    return float(min(1.0, probabilities[values >= observed - 1e-9].sum()))


def _quantile(values: np.ndarray, probabilities: np.ndarray, level: float) -> float:
    reached = np.cumsum(probabilities) >= level - 1e-12
    return float(values[np.argmax(reached)])
