"""Does the curve of an explainer peak in the seconds that the expert marked?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import measure, titled, with_clip_fact
from soundproof.analysis.missing import no_type, why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

METRIC = "segment_f1"
FLAG_ALL_WORDS = (
    "Flag all: F1 of flagging every segment, which needs no map; what does not exceed it is no success."
)
FIXED = 98.0
"""The percentile fixed beforehand: the one that the paper marks heat maps with."""
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("F1 at p98", "f1_p98", "f1_p98_ci_low", "f1_p98_ci_high"),
    Column("sd over seeds", "f1_p98_sd_seeds", digits=3),
    Column("Chance: uniform", "chance_uniform"),
    Column("Chance: shifted", "chance_shift"),
    Column("Flag all", "flag_all"),
    Column("Best F1 (oracle)", "f1_best", "f1_best_ci_low", "f1_best_ci_high"),
    Column("at p", "best_percentile", digits=0),
    Column("Its chance: uniform", "best_chance_uniform"),
    Column("Its chance: shifted", "best_chance_shift"),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Temporal localisation: segment F1 between the segments that hold a frame above the curve's own "
    "percentile and those that the annotation touches. p98 was fixed beforehand. The best percentile is "
    "an oracle, chosen on the test labels as the paper did; its interval does not cover that choice. "
    "Chance lines use as many peaks: at uniformly random frames, and with the curve itself shifted in "
    "time, which keeps how its peaks cluster. Every curve has equally many peaks, ties split at random. "
    f"{FLAG_ALL_WORDS} {OVER_CLIPS}"
)
_OWN = (
    "ci_low",
    "ci_high",
    "sd_seeds",
    "interval",
    "machines_ci_low",
    "machines_ci_high",
    "machines_interval",
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table of detectors and explainers: one row per detector and explainer."""
    curves = measure(results, METRIC, ("detector", "explainer", "parameter"))
    if curves.empty:
        return absent(why_missing(results, METRIC), FORMATS, CAPTION)
    fixed = _named(curves[curves["parameter"].sub(FIXED).abs() < 1e-6], "f1_p98", "")
    best = curves.loc[curves.groupby(["detector", "explainer"])["value"].idxmax()]
    best = _named(best.rename(columns={"parameter": "best_percentile"}), "f1_best", "best_")
    frame = best.merge(
        fixed.drop(columns=["parameter", "n_clips", "n_seeds", "n_machines", "flag_all"]),
        on=["detector", "explainer"],
        how="left",
    )
    reason = "percentile 98 was not measured" if fixed.empty else ""
    caption = f"{CAPTION} F1 at p98 not available: {reason}." if reason else CAPTION
    return FinishedTable(titled(frame.assign(reason=reason), results), caption, FORMATS)


def _named(frame: pd.DataFrame, name: str, chance: str) -> pd.DataFrame:
    columns = {"value": name} | {key: f"{name}_{key}" for key in _OWN}
    columns |= {key: f"{chance}{key}" for key in ("chance_uniform", "chance_shift")}
    return frame.rename(columns=columns)


TYPE_FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Anomaly type", "anomaly_type"),
    Column("F1 at p98", "value", "ci_low", "ci_high"),
    Column("sd over seeds", "sd_seeds", digits=3),
    Column("Chance: uniform", "chance_uniform"),
    Column("Chance: shifted", "chance_shift"),
    Column("Flag all", "flag_all"),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
TYPE_CAPTION = (
    "Segment F1 at the 98th percentile by type of anomaly, over the clips of that type. "
    f"{FLAG_ALL_WORDS} {OVER_CLIPS}"
)


def build_by_type(results: StudyResults) -> FinishedTable:
    """Make the table by type: one row per detector, explainer and anomaly type."""
    by = ("detector", "explainer", "anomaly_type")
    frame = measure(with_clip_fact(results, "anomaly_type"), METRIC, by, parameters=(FIXED,))
    if frame.empty:
        return absent(no_type(results, METRIC), TYPE_FORMATS, TYPE_CAPTION)
    return FinishedTable(titled(frame, results), TYPE_CAPTION, TYPE_FORMATS)
