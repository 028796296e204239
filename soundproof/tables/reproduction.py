"""Every number that a paper reports beside ours, with where the reported one was found and a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.frames import records
from soundproof.analysis.our_numbers import KEYS, NUMBERS, our_numbers
from soundproof.analysis.reported import MARKS
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

METRICS = {
    "auc": "AUC",
    "pauc": "pAUC",
    "segment_f1": "segment F1",
    "segment_f1_best": "best segment F1",
    "ff_frame": "FF frame",
    "ff_segment": "FF segment",
    "ff_frame_mean_p98_p99": "FF frame, mean of p98 and p99",
    "auc_without_band": "AUC without a band",
    "band_rho": "band ρ (Fisher-z mean)",
    "average_precision": "PR-AUC",
    "max_f1": "max F1",
    "pooled_cell_auroc": "cell AUC",
    "pooled_frame_auroc": "frame AUC",
    "aupro": "AU-PRO",
    "soft_removal": "FF1",
    "clean_background": "FF2",
}
FORMATS = (
    Column("Artefact", "artefact"),
    Column("Data", "dataset"),
    Column("Quantity", "what"),
    Column("Reported", "reported", digits=3),
    Column("±", "reported_spread", digits=3),
    Column("Found in", "mark"),
    Column("Ours", "ours", "ours_ci_low", "ours_ci_high", 3),
    Column("Ours − reported", "difference", digits=3),
    Column("Verdict", "verdict"),
    Column("Note", "note"),
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per reported number."""
    caption = _caption(results)
    if results.reported is None or results.reported.empty:
        return absent("no paper's numbers belong to this study", FORMATS, caption)
    frame = compare(results, results.reported)
    frame["what"] = [_describe(row, results) for row in records(frame)]
    return FinishedTable(frame, caption, FORMATS)


def compare(results: StudyResults, reported: pd.DataFrame) -> pd.DataFrame:
    """Join reported numbers with ours and judge them.

    Returns:
        One row per reported number: its keys, reported, reported_spread, mark, note, ours with interval and
        spread, difference (ours - reported) and verdict.
    """
    columns = {"value": "ours"} | {name: f"ours_{name}" for name in NUMBERS[1:]}
    ours = our_numbers(results, reported).rename(columns=columns)
    theirs = reported.rename(columns={"value": "reported", "spread": "reported_spread"})
    joined = theirs.assign(_parameter=_parameter_key(theirs)).merge(
        ours.assign(_parameter=_parameter_key(ours)).drop(columns="parameter"),
        on=[key for key in KEYS if key != "parameter"] + ["_parameter"],
        how="left",
        validate="m:1",
    )
    numeric = list(columns.values())
    joined[numeric] = joined[numeric].astype("float64")
    joined = joined.drop(columns="_parameter").assign(difference=joined["ours"] - joined["reported"])
    joined["verdict"] = [_verdict(row, results.reported_dataset) for row in records(joined)]
    return joined


def _parameter_key(frame: pd.DataFrame) -> pd.Series:
    """Percentile as text, equal on both sides; the best over percentiles has none."""
    numbers = frame["parameter"].astype("float64").where(frame["metric"].ne("segment_f1_best"))
    return numbers.map(lambda p: "" if np.isnan(p) else f"{p:.6g}").astype("str")


def _verdict(row: dict[str, Any], dataset: str) -> str:
    ours, low, high = row["ours"], row["ours_ci_low"], row["ours_ci_high"]
    if np.isnan(ours):
        return "not measured"
    if row["dataset"] != dataset:
        return "other data"
    if np.isnan(low) or np.isnan(high):
        return "no interval"
    if low <= row["reported"] <= high:
        return "agrees"
    return "higher" if ours > row["reported"] else "lower"


def _describe(row: dict[str, Any], results: StudyResults) -> str:
    """Words for the keys of a number, left to right from who to what."""
    detector, explainer, parameter = row["detector"], row["explainer"], row["parameter"]
    parts = [
        results.detector_title(detector) if detector else "",
        results.explainer_title(explainer) if explainer else "",
        METRICS.get(row["metric"], row["metric"]),
        "" if row["protocol"] == "as_published" else row["protocol"].replace("_", " "),
        "" if np.isnan(parameter) else f"p{parameter:g}",
        row["machine"],
        row["anomaly_type"],
        row["domain"],
        row["paper"] if row["paper"].startswith("arXiv") else "",
    ]
    return ", ".join(part for part in parts if part)


def _caption(results: StudyResults) -> str:
    marks = "; ".join(f"{mark}: {meaning}" for mark, meaning in MARKS.items())
    caption = (
        "Reported numbers beside ours, with our 95 % interval over clips, for our machines and trainings. "
        f"Found in: {marks}."
    )
    if not results.reported_dataset:
        return (
            f"{caption} The papers used other data than this study, so values are not expected to agree and get "
            "no verdict; what can be compared is in the table of claims."
        )
    rule = "agrees where the reported number lies within our interval, else ours is higher or lower"
    return f"{caption} Verdict: {rule}."
