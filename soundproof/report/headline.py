"""The few numbers of a study that a reader, `dvc metrics` and the README want first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.exhibits.writing import read_finished_table
from soundproof.faithfulness.registry import BACKGROUNDS
from soundproof.report.cautions import detector_cautions

DETECTION, QUALITY = "T1_detection", "quality"
AXES = {
    "cell_auroc": "cell AUROC",
    "frame_auroc": "frame AUROC",
    "aupro": "AU-PRO",
    **{
        f"{metric}_{kind}": f"{title} ({words})"
        for metric, title in (("deletion_auc", "deletion AUC"), ("insertion_auc", "insertion AUC"))
        for kind, words in BACKGROUNDS.items()
    },
    "ff_frame": "FF, frames",
    "segment_f1": "segment F1 at p98",
}
"""Columns of the quality table that are headlines, in words.

The first that was measured makes the sentence: areas with a chance of 0.5 come first, where a win is a win, and
segment F1 last, which flagging everything may win.
"""
INPUT = "input_map"
"""Kind of the explainer that shows the input itself, the rival that needs no detector."""
DIGITS = 4


def headline(tables: Path) -> dict[str, Any]:
    """Headline numbers of the study whose tables lie in ``tables``; what is undefined is left out.

    Returns:
        ``{"detection": {detector: auc}, "explanation": {detector: {explainer: {axis: value}}}}``.
    """
    detection = read_finished_table(tables, DETECTION).frame
    explanation: dict[str, dict[str, dict[str, float]]] = {}
    for row in read_finished_table(tables, QUALITY).frame.to_dict("records"):
        if "explainer" not in row:
            continue  # a table without a number holds one row with the reason
        values = {axis: round(row[axis], DIGITS) for axis in AXES if pd.notna(row.get(axis))}
        explanation.setdefault(str(row["detector"]), {})[str(row["explainer"])] = values
    aucs = {
        str(row["detector"]): round(row["auc"], DIGITS)
        for row in detection.to_dict("records")
        if pd.notna(row.get("auc"))
    }
    return {"detection": aucs, "explanation": explanation}


def headline_sentence(tables: Path) -> str:
    """The study's main result, after what outdoes its detectors; empty where no headline axis was measured.

    Beside the number stand chance, and what the input itself and flagging everything reach, where measured.
    """
    frame = read_finished_table(tables, QUALITY).frame
    axis = next((axis for axis in AXES if axis in frame and frame[axis].notna().any()), None)
    if axis is None:
        return ""
    best = frame.sort_values(axis, ascending=axis.startswith("deletion_auc"), kind="stable").iloc[0]
    shown = frame[frame["explainer"].eq(INPUT) & frame["detector"].eq(best["detector"])]
    rivals = {
        "chance": best.get(f"{axis}_chance_uniform"),
        "the input itself": None if best["explainer"] == INPUT else next(iter(shown[axis]), None),
        "flagging every segment": best.get(f"{axis}_flag_all"),
    }
    beside = "".join(f", {name} {value:.2f}" for name, value in rivals.items() if pd.notna(value))
    said = [*detector_cautions(read_finished_table(tables, DETECTION).frame), ""]
    best_one = f"{best['explainer_title']} of {best['detector_title']}, {best[axis]:.2f}{beside}"
    return " ".join(said) + f"Best by {AXES[axis]}: {best_one}."


def study_warnings(tables: Path) -> tuple[str, ...]:
    """What a reader of the study's detection figures must not miss."""
    return read_finished_table(tables, DETECTION).warnings
