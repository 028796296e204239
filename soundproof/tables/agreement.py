"""Do the axes of quality rank the explanations alike?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from soundproof.analysis.criteria import criteria_named, measure_criteria
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
from soundproof.statistics import blocked_tau, blocked_w, holm

FORMATS = (
    Column("Compared", "compared"),
    Column("Statistic", "statistic"),
    Column("Value", "value"),
    Column("p", "p", digits=4),
    Column("p (Holm)", "p_holm", digits=4),
    Column("Explainers", "n_items"),
    Column("Detectors", "n_detectors"),
)
CAPTION = (
    "Agreement of the axes in ranking the explainers of a detector (random controls left out; axes turned so that "
    "more is better): coefficients are computed within each detector and averaged over detectors. Two "
    "detectors rank "
    "explainers much alike and are no independent witnesses: p is by permutation of explainers, moved in all "
    "detectors at once, and measures against chance. Kendall's W: 0 no agreement, 1 the same ranking; expected by "
    "chance: 1 / number of axes. Kendall's tau-b for pairs: 0 by chance, Holm's correction over all pairs. Few "
    "explainers decide little: of n, the smallest p of a pair is 2 / n!. Axes through the sound have tables "
    "of their own."
)
GROUPS = {
    "all axes": ("localisation", "faithfulness", "sanity"),
    "localisation axes": ("localisation",),
    "faithfulness axes": ("faithfulness",),
}


def build(results: StudyResults) -> FinishedTable:
    """Make the table: concordance of groups of axes first, then every pair."""
    scores, left_out = item_scores(results)
    if min(scores.shape) < 2:
        items = 0 if scores.empty else scores.index.get_level_values("explainer").nunique()
        reason = f"{items} explainers with {scores.shape[1]} axes in common; two of each are needed"
        return absent(reason, FORMATS, CAPTION)
    n_detectors = scores.index.get_level_values("detector").nunique()
    blocks = scores.to_numpy().reshape(n_detectors, -1, scores.shape[1])
    names = list(scores.columns)
    frame = pd.DataFrame(
        [*_concordances(blocks, names, results.study), *_pairs(blocks, names, results.study)]
    )
    frame = frame.assign(n_items=blocks.shape[1], n_detectors=n_detectors, p_holm=np.nan)
    pairs = frame["p"].notna() & frame["statistic"].eq("tau-b")
    frame.loc[pairs, "p_holm"] = holm(frame.loc[pairs, "p"].to_numpy(np.float64))
    caption = CAPTION
    if left_out:
        titles = ", ".join(results.detector_title(name) for name in left_out)
        caption += f" Left out, because they share too few explainers with the others: {titles}."
    return FinishedTable(frame, caption, FORMATS)


def item_scores(results: StudyResults) -> tuple[pd.DataFrame, list[str]]:
    """Mean of each explainer on each axis, more is better, for the explainers that all detectors have.

    Axes that go through the sound are measured on few clips, and on others than the rest: they have tables of their
    own (:mod:`soundproof.tables.sound_agreement`). Explainers that lack an axis are left out, because a ranking
    needs the same items on every axis. Where all detectors share fewer than two, the poorest are left out.

    Returns:
        Rows (detector, explainer) in order, columns axes; and the detectors left out.
    """
    long = measure_criteria(results)
    long = long[
        ~long["explainer"].map(results.is_control).astype(bool) & ~long["axis"].isin(_through_sound())
    ]
    wide = long.pivot_table(index=["detector", "explainer"], columns="axis", values="value")
    signs = {
        criterion.name: 1.0 if criterion.higher_is_better else -1.0
        for criterion in criteria_named(wide.columns)
    }
    scores = (wide[list(signs)] * pd.Series(signs)).dropna()
    explainers = {
        str(detector): set(part.index.get_level_values("explainer"))
        for detector, part in scores.groupby(level="detector")
    }
    left_out: list[str] = []
    while len(explainers) > 1 and len(set.intersection(*explainers.values())) < 2:
        left_out.append(min(explainers, key=lambda name: (len(explainers[name]), name)))
        del explainers[left_out[-1]]
    common = set.intersection(*explainers.values()) if explainers else set()
    kept = [
        detector in explainers and explainer in common
        for detector, explainer in zip(
            scores.index.get_level_values("detector"),
            scores.index.get_level_values("explainer"),
            strict=True,
        )
    ]
    return scores[kept].sort_index(), left_out


def _through_sound() -> set[str]:
    return {
        criterion.name
        for entry in (*LOCALISATION.values(), *FAITHFULNESS.values())
        if entry.needs & {"sound", "stems"}
        for criterion in entry.criteria
    }


def _concordances(blocks: np.ndarray, names: list[str], study: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for group, kinds in GROUPS.items():
        chosen = [criterion.name for criterion in criteria_named(names) if criterion.judges in kinds]
        if len(chosen) < 2:
            continue
        w, p = blocked_w(blocks[:, :, [names.index(name) for name in chosen]], study, group)
        row: dict[str, object] = {
            "compared": f"{group} ({len(chosen)})",
            "statistic": "W",
            "value": w,
            "p": p,
        }
        reason = "" if np.isfinite(w) else "every axis ties all explainers of a detector"
        rows.append(row | {"n_axes": len(chosen), "reason": reason})
    return rows


def _pairs(blocks: np.ndarray, names: list[str], study: str) -> list[dict[str, object]]:
    titles = {criterion.name: criterion.title for criterion in criteria_named(names)}
    tau, p = blocked_tau(blocks, study)
    rows: list[dict[str, object]] = []
    for i, j in combinations(range(len(names)), 2):
        a, b = names[i], names[j]
        reason = "" if np.isfinite(tau[i, j]) else "one axis ties all explainers of a detector"
        row: dict[str, object] = {"compared": f"{titles[a]} – {titles[b]}", "axis_a": a, "axis_b": b}
        row |= {"statistic": "tau-b", "value": float(tau[i, j]), "p": float(p[i, j])}
        rows.append(row | {"n_axes": 2, "reason": reason})
    return rows
