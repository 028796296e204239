"""Paired comparison of explainers over the same clips, corrected for the number of comparisons."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import permutation_test, rankdata, wilcoxon

from soundproof.core.errors import DataError
from soundproof.statistics.clustered import clustered_signed_rank

COLUMNS = ["a", "b", "n", "statistic", "p", "p_holm", "median_difference", "rank_biserial"]
COLUMNS += ["n_machines", "p_machines", "p_machines_holm"]
_SIGNS_UP_TO = 13
"""Clips up to which SciPy counts all patterns of signs where differences tie."""


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values by Holm's step-down procedure (Holm 1979, Scandinavian Journal of Statistics 6).

    Args:
        p_values: [n_tests].

    Returns:
        float64 [n_tests], 0..1, in the order of the input; never below the raw value.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values, kind="stable")
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def wilcoxon_holm(frame: pd.DataFrame, machines: np.ndarray | None = None) -> pd.DataFrame:
    """Wilcoxon's signed-rank test between every pair of columns, with Holm's correction over all pairs.

    Clips where both values are equal say nothing about the direction and are dropped from the ranking
    (Wilcoxon 1945). A pair that is equal on every clip has p = 1 and no effect. A clip that lacks one of the
    two values is left out of that pair; ``n`` counts those that have both.

    Args:
        frame: One row per clip, one column per explainer; NaN where undefined.
        machines: Machine of each row; None: one machine.

    Returns:
        One row per pair: a, b, n, statistic (the smaller rank sum), p (two-sided), p_holm, median_difference
        (of a - b) and rank_biserial (-1..1, positive where a is larger; Kerby 2014,
        doi:10.2466/11.IT.3.1); then n_machines, p_machines
        (:func:`soundproof.statistics.clustered.clustered_signed_rank`) and p_machines_holm.

    Raises:
        DataError: A pair of explainers shares no clip.
    """
    machine = np.zeros(len(frame)) if machines is None else machines
    rows = [_pair(frame, machine, a, b) for a, b in combinations(frame.columns, 2)]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if not name.endswith("_holm")])
    adjusted = {f"{name}_holm": holm(table[name].to_numpy(np.float64)) for name in ("p", "p_machines")}
    return table.assign(**adjusted)[COLUMNS]


def _pair(
    frame: pd.DataFrame, machine: np.ndarray, a: str, b: str
) -> tuple[str, str, int, float, float, float, float, int, float]:
    # 0.7 - 0.4 and 0.4 - 0.1 differ in the last bit: unrounded, rounding noise would break ties
    difference = (frame[a] - frame[b]).to_numpy(dtype=np.float64).round(12)
    both = np.isfinite(difference)
    difference, machine = difference[both], machine[both]
    if difference.size == 0:
        raise DataError(f"clips measured for both '{a}' and '{b}'", "none", "compare them on the same clips")
    moved = difference[difference != 0]
    over_machines = len(np.unique(machine)), clustered_signed_rank(difference, machine)
    if moved.size == 0:
        return a, b, len(difference), 0.0, 1.0, 0.0, 0.0, *over_machines
    ranks = rankdata(np.abs(moved))
    statistic, p = _signed_rank_test(moved, ranks)
    effect = float((np.sign(moved) * ranks).sum() / ranks.sum())
    median = float(np.median(difference))
    return a, b, len(difference), statistic, p, median, effect, *over_machines


def _signed_rank_test(moved: np.ndarray, ranks: np.ndarray) -> tuple[float, float]:
    """Smaller rank sum and two-sided p of SciPy's ``wilcoxon``, of few tied differences a hundred times faster.

    There it counts all patterns of signs and ranks the differences anew for each, one call of Python after the
    other; a sign changes no rank.

    Args:
        moved: Differences other than zero, [n].
        ranks: Of their magnitudes, [n].
    """
    if len(moved) > _SIGNS_UP_TO or len(np.unique(ranks)) == len(ranks):
        test = wilcoxon(moved)
        return float(test.statistic), float(test.pvalue)
    counted = permutation_test(
        (moved,),
        lambda flipped, axis: ((flipped > 0) * ranks).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**_SIGNS_UP_TO,
        axis=-1,
    )
    return float(min(counted.statistic, ranks.sum() - counted.statistic)), float(counted.pvalue)
