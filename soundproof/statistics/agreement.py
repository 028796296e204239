"""Do several rankings of the same things agree?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from soundproof.errors import DataError
from soundproof.metrics import Undefined
from soundproof.seeding import seed_from


class Concordance(NamedTuple):
    """Kendall's coefficient of concordance.

    Attributes:
        w: 0 (no agreement) to 1 (the same ranking).
        chi2: m (n - 1) W.
        p_chi2: From the chi-squared distribution with n - 1 degrees of freedom; poor below about 8 items.
        p_permutation: From independent random orders of each judge's ranks; valid for few items too.
    """

    w: float
    chi2: float
    p_chi2: float
    p_permutation: float


def kendall_w(
    scores: np.ndarray, *names: str | int | float, n_permutations: int = 9999
) -> Concordance | Undefined:
    """Kendall's W of m judges over n items, corrected for ties.

    W = (12 sum R_i^2 - 3 m^2 n (n + 1)^2) / (m^2 n (n^2 - 1) - m sum T_j), with R_i the rank sum of item i and
    T_j = sum (t^3 - t) over judge j's groups of t tied items (Kendall and Babington Smith 1939,
    doi:10.1214/aoms/1177732186). The permutation p counts the observed order among the draws, so that it is
    never zero.

    Args:
        scores: Scores or ranks, [m, n]; every judge in the same direction. They are ranked here.
        names: What the permutations depend on.
        n_permutations: Random orders.

    Returns:
        The coefficient and its p-values; undefined where every judge ties all items.

    Raises:
        DataError: Fewer than two judges or items, or a score that is not finite.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or min(scores.shape) < 2 or not np.isfinite(scores).all():
        raise DataError(
            "finite scores of at least two judges for at least two items",
            f"shape {scores.shape}, {int((~np.isfinite(scores)).sum())} not finite",
            "leave out items that some judge could not score",
        )
    ranks = rankdata(scores, axis=1)
    m, n = ranks.shape
    group_sizes = (np.unique(row, return_counts=True)[1].astype(np.float64) for row in ranks)
    ties = sum(float((size**3 - size).sum()) for size in group_sizes)
    largest = m**2 * n * (n**2 - 1) - m * ties
    if largest == 0:
        return Undefined("every judge ties all items")
    w = float(_numerator(ranks)) / largest
    statistic = m * (n - 1) * w
    rng = np.random.default_rng(seed_from("kendall_w", *names))
    orders = rng.permuted(np.broadcast_to(ranks, (n_permutations, m, n)), axis=2)
    # rank sums are multiples of one half, so that their squares compare exactly
    as_large = int((_numerator(orders) >= _numerator(ranks)).sum())
    p_permutation = (1 + as_large) / (1 + n_permutations)
    return Concordance(w, statistic, float(chi2.sf(statistic, n - 1)), p_permutation)


def _numerator(ranks: np.ndarray) -> np.ndarray:
    m, n = ranks.shape[-2:]
    sums = ranks.sum(axis=-2)
    return np.asarray(12 * (sums**2).sum(axis=-1) - 3 * m**2 * n * (n + 1) ** 2)


def kendall_tau(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b between every two columns.

    Args:
        table: One row per item (an explainer), one column per axis (a metric), all in the same direction.

    Returns:
        Symmetric frame with 1 on the diagonal; NaN beside a column that ties all items.
    """
    return table.corr(method="kendall")
