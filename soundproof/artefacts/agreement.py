"""T12: do the axes of quality rank the explanations alike?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from soundproof.artefacts.axes import AXES, measure_axes
from soundproof.artefacts.finished import Column, FinishedTable, absent
from soundproof.metrics import Undefined
from soundproof.results import StudyResults
from soundproof.statistics import holm, kendall_w

FORMATS = (
    Column("Compared", "compared"),
    Column("Statistic", "statistic"),
    Column("Value", "value"),
    Column("p", "p", digits=4),
    Column("p (Holm)", "p_holm", digits=4),
    Column("Items", "n_items"),
)
CAPTION = (
    "Agreement of the axes in ranking the explanations (items: detector with explainer, random controls "
    "left out; axes turned so that more is better). Kendall's W: 0 no agreement, 1 the same ranking, p by "
    "permutation, so that chance is what p measures against; expected W by chance: 1 / number of axes. "
    "Kendall's tau-b for pairs: 0 by chance, Holm's correction over all pairs."
)
GROUPS = {
    "all axes": ("localisation", "faithfulness", "sanity"),
    "localisation axes": ("localisation",),
    "faithfulness axes": ("faithfulness",),
}


def build(results: StudyResults) -> FinishedTable:
    """Make the table: concordance of groups of axes first, then every pair."""
    scores = item_scores(results)
    if min(scores.shape) < 2:
        reason = f"{scores.shape[0]} items with {scores.shape[1]} axes in common; two of each are needed"
        return absent(reason, FORMATS, CAPTION)
    frame = pd.DataFrame([*_concordances(scores, results.study), *_pairs(scores)])
    frame["p_holm"] = np.nan
    pairs = frame["p"].notna() & frame["statistic"].eq("tau-b")
    frame.loc[pairs, "p_holm"] = holm(frame.loc[pairs, "p"].to_numpy(np.float64))
    return FinishedTable(frame, CAPTION, FORMATS)


def item_scores(results: StudyResults) -> pd.DataFrame:
    """Mean of each item on each axis, more is better: rows (detector, explainer), columns axes.

    Items that lack an axis are left out, because a ranking needs the same items on every axis.
    """
    long = measure_axes(results)
    long = long[~long["explainer"].map(results.is_control).astype(bool)]
    wide = long.pivot_table(index=["detector", "explainer"], columns="axis", values="value")
    chosen = [axis for axis in AXES if axis.name in wide.columns]
    signs = {axis.name: 1.0 if axis.higher_is_better else -1.0 for axis in chosen}
    return (wide[list(signs)] * pd.Series(signs)).dropna()


def _concordances(scores: pd.DataFrame, study: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for group, kinds in GROUPS.items():
        names = [axis.name for axis in AXES if axis.name in scores.columns and axis.kind in kinds]
        if len(names) < 2:
            continue
        result = kendall_w(scores[names].to_numpy().T, study, group)
        row: dict[str, object] = {"compared": f"{group} ({len(names)})", "statistic": "W"}
        row |= {"n_items": len(scores), "n_axes": len(names), "value": np.nan, "p": np.nan, "reason": ""}
        if isinstance(result, Undefined):
            rows.append(row | {"reason": result.reason})
        else:
            rows.append(row | {"value": result.w, "p": result.p_permutation})
    return rows


def _pairs(scores: pd.DataFrame) -> list[dict[str, object]]:
    titles = {axis.name: axis.title for axis in AXES}
    rows: list[dict[str, object]] = []
    for a, b in combinations(scores.columns, 2):
        test = kendalltau(scores[a], scores[b])
        reason = "" if np.isfinite(test.statistic) else "one axis ties all items"
        row: dict[str, object] = {"compared": f"{titles[a]} – {titles[b]}", "axis_a": a, "axis_b": b}
        row |= {"statistic": "tau-b", "value": float(test.statistic), "p": float(test.pvalue)}
        rows.append(row | {"n_items": len(scores), "n_axes": 2, "reason": reason})
    return rows
