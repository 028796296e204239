"""Paired comparison of explainers over the same clips, corrected for the number of comparisons."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata, wilcoxon

from soundproof.errors import DataError

COLUMNS = ["a", "b", "n", "statistic", "p", "p_holm", "median_difference", "rank_biserial"]


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


def wilcoxon_holm(frame: pd.DataFrame) -> pd.DataFrame:
    """Wilcoxon's signed-rank test between every pair of columns, with Holm's correction over all pairs.

    Clips where both values are equal say nothing about the direction and are dropped from the ranking
    (Wilcoxon 1945). A pair that is equal on every clip has p = 1 and no effect. A clip that lacks one of the
    two values is left out of that pair; ``n`` counts those that have both.

    Args:
        frame: One row per clip, one column per explainer; NaN where undefined.

    Returns:
        One row per pair: a, b, n, statistic (the smaller rank sum), p (two-sided), p_holm, median_difference
        (of a - b) and rank_biserial (-1..1, positive where a is larger; Kerby 2014,
        doi:10.2466/11.IT.3.1).

    Raises:
        DataError: A pair of explainers shares no clip.
    """
    rows = [_pair(frame, a, b) for a, b in combinations(frame.columns, 2)]
    table = pd.DataFrame(rows, columns=[column for column in COLUMNS if column != "p_holm"])
    return table.assign(p_holm=holm(table["p"].to_numpy(dtype=np.float64)))[COLUMNS]


def _pair(frame: pd.DataFrame, a: str, b: str) -> tuple[str, str, int, float, float, float, float]:
    # 0.7 - 0.4 and 0.4 - 0.1 differ in the last bit: unrounded, rounding noise would break ties
    difference = (frame[a] - frame[b]).dropna().to_numpy(dtype=np.float64).round(12)
    if difference.size == 0:
        raise DataError(f"clips measured for both '{a}' and '{b}'", "none", "compare them on the same clips")
    moved = difference[difference != 0]
    if moved.size == 0:
        return a, b, len(difference), 0.0, 1.0, 0.0, 0.0
    test = wilcoxon(moved, zero_method="wilcox")
    ranks = rankdata(np.abs(moved))
    effect = float((np.sign(moved) * ranks).sum() / ranks.sum())
    median = float(np.median(difference))
    return a, b, len(difference), float(test.statistic), float(test.pvalue), median, effect
