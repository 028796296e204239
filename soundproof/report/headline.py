"""The few numbers of a study that a reader, `dvc metrics` and the README want first."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.analysis.criteria import criteria_named
from soundproof.exhibits.writing import read_finished_table
from soundproof.interfaces.metric import Criterion

DETECTION, QUALITY = "detection", "quality"
DIGITS = 4


def headline_criteria(quality: pd.DataFrame) -> list[Criterion]:
    """Headlines among the columns of the quality table; the first that was measured makes the sentence.

    Areas with a chance of 0.5 come first, where a win is a win, and last what flagging everything may win: the
    metrics say so (:attr:`soundproof.interfaces.metric.Criterion.headline`).
    """
    placed = [
        (criterion.headline, criterion)
        for criterion in criteria_named(quality.columns)
        if criterion.headline is not None
    ]
    return [criterion for _, criterion in sorted(placed, key=lambda pair: pair[0])]


def headline(tables: Path) -> dict[str, Any]:
    """Headline numbers of the study whose tables lie in ``tables``; what is undefined is left out.

    Returns:
        ``{"detection": {detector: auc}, "explanation": {detector: {explainer: {criterion: value}}}}``.
    """
    detection = read_finished_table(tables, DETECTION).frame
    explanation: dict[str, dict[str, dict[str, float]]] = {}
    quality = read_finished_table(tables, QUALITY).frame
    names = [criterion.name for criterion in headline_criteria(quality)]
    for row in quality.to_dict("records"):
        if "explainer" not in row:
            continue  # a table without a number holds one row with the reason
        values = {name: round(row[name], DIGITS) for name in names if pd.notna(row[name])}
        explanation.setdefault(str(row["detector"]), {})[str(row["explainer"])] = values
    aucs = {
        str(row["detector"]): round(row["auc"], DIGITS)
        for row in detection.to_dict("records")
        if pd.notna(row.get("auc"))
    }
    return {"detection": aucs, "explanation": explanation}


def headline_sentence(tables: Path, inputs: Collection[str] = ()) -> str:
    """The best explanation by the first headline that was measured; empty where none was.

    Whether it deserves trust is the verdict's to say (:mod:`soundproof.report.answer`), which stands before it.
    Beside the number stand chance, and what the input itself and flagging everything reach, where measured.

    Args:
        tables: Folder of the study's tables.
        inputs: Labels of the explainers that show the input itself.
    """
    frame = read_finished_table(tables, QUALITY).frame
    measured = [criterion for criterion in headline_criteria(frame) if frame[criterion.name].notna().any()]
    if not measured:
        return ""
    name = measured[0].name
    best = frame.sort_values(name, ascending=not measured[0].higher_is_better, kind="stable").iloc[0]
    shown = frame[frame["explainer"].isin(inputs) & frame["detector"].eq(best["detector"])]
    rivals = {
        "chance": best.get(f"{name}_chance_uniform"),
        "the input itself": None if best["explainer"] in inputs else next(iter(shown[name]), None),
        "flagging every segment": best.get(f"{name}_flag_all"),
    }
    beside = "".join(f", {rival} {value:.2f}" for rival, value in rivals.items() if pd.notna(value))
    best_one = f"{best['explainer_title']} of {best['detector_title']}, {best[name]:.2f}{beside}"
    return f"Best by {measured[0].words}: {best_one}."


def study_warnings(tables: Path) -> tuple[str, ...]:
    """What a reader of the study's detection figures must not miss."""
    return read_finished_table(tables, DETECTION).warnings
