"""How many raters it takes to find an effect, by how much raters and questions differed so far."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from soundproof.statistics.intervals import LEVEL
from soundproof.user_study.questions import CHANCE

POWER = 0.8
EFFECTS = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
"""Shares of right answers that are planned for."""
MIN_RATERS = 2


@dataclass(frozen=True)
class Shares:
    """Parts of the variance of a single answer.

    Attributes:
        raters: How much raters differ.
        items: How much questions differ.
    """

    raters: float
    items: float

    @property
    def rest(self) -> float:
        """What neither explains."""
        return max(0.0, 1.0 - self.raters - self.items)


def shares_of_variance(correct: np.ndarray) -> Shares:
    """Estimate both from answers, by the mean squares of a crossed design without repetition.

    E[MS_raters] = s_rest + I s_raters, E[MS_items] = s_rest + R s_items (Searle, Casella and McCulloch, Variance
    Components, 1992, section 4.2); what comes out negative is zero.

    Args:
        correct: 0 or 1, [n_raters, n_items], at least two of each; no answer is missing.
    """
    n_raters, n_items = correct.shape
    by_rater, by_item, mean = correct.mean(axis=1), correct.mean(axis=0), correct.mean()
    of_raters = n_items * float(((by_rater - mean) ** 2).sum()) / (n_raters - 1)
    of_items = n_raters * float(((by_item - mean) ** 2).sum()) / (n_items - 1)
    rest = correct - by_rater[:, np.newaxis] - by_item + mean
    of_rest = float((rest**2).sum()) / ((n_raters - 1) * (n_items - 1))
    raters, items = max(0.0, (of_raters - of_rest) / n_items), max(0.0, (of_items - of_rest) / n_raters)
    total = raters + items + of_rest
    return Shares(raters / total, items / total) if total else Shares(0.0, 0.0)


def raters_needed(
    effect: float, n_items: int, shares: Shares, *, same_items: bool = False, power: float = POWER
) -> int | None:
    """Raters who find with this power that answers are better than chance, by a two-sided test at 5 %.

    With R raters, I questions and p = ``effect``, the variance of the share of right answers is p (1 - p) times
    (s_raters / R + s_items / I + s_rest / (R I)); it must be ((p - 1/2) / (z + z_power))^2 at most.

    Args:
        effect: Share of right answers, above 1/2 and below 1.
        n_items: Questions of a rater.
        shares: Parts of the variance.
        same_items: Speak of these questions alone, not of others like them.
        power: Probability of finding it, 0..1.

    Returns:
        At least :data:`MIN_RATERS`; None where so few questions do not suffice, however many answer them.
    """
    quantiles = float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(power))
    allowed = ((effect - CHANCE) / quantiles) ** 2 / (effect * (1 - effect))
    of_items = 0.0 if same_items else shares.items / n_items
    if of_items >= allowed:
        return None
    return max(MIN_RATERS, math.ceil((shares.raters + shares.rest / n_items) / (allowed - of_items)))
