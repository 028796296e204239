"""Wilcoxon's signed-rank test where clips of one machine go together.

The clip-wise test treats every clip as a witness of its own. Where a difference has the same sign on all clips of a
machine, its p holds for these machines only. For other machines the signs of a machine's clips are flipped
together: the statistic of Rosner, Glynn and Lee 2006 (doi:10.1111/j.1541-0420.2005.00389.x), the rank sum over
all clips, with its exact permutation distribution, because a normal one needs many machines.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from soundproof.randomness.seeding import seed_from

EXACT_UP_TO = 12
"""Machines up to which all sign patterns are counted."""
_DRAWS = 9999


def clustered_signed_rank(differences: np.ndarray, machines: np.ndarray, *names: str | int | float) -> float:
    """Two-sided p of the signed-rank sum over machines.

    With M machines it cannot fall below 2 / 2^M: five decide nothing at 0.05.

    Args:
        differences: Finite, [n]; zeros are dropped as in Wilcoxon's test.
        machines: Machine of each, [n].
        names: What sampled sign patterns depend on, where machines are many.

    Returns:
        0..1; 1 where all differences are zero.
    """
    moved = differences != 0
    if not moved.any():
        return 1.0
    ranks = np.sign(differences[moved]) * rankdata(np.abs(differences[moved]))
    sums = np.bincount(pd.factorize(machines[moved], sort=True)[0], weights=ranks)
    n, observed = len(sums), abs(sums.sum())
    if n <= EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1)
        return float((np.abs(signs @ sums) >= observed - 1e-9).mean())
    rng = np.random.default_rng(seed_from("clustered_signed_rank", n, *names))
    signs = rng.choice([-1.0, 1.0], size=(_DRAWS, n))
    return float((1 + (np.abs(signs @ sums) >= observed - 1e-9).sum()) / (1 + _DRAWS))
