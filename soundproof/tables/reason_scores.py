"""Does a map let one say the right thing?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.frames import means
from soundproof.analysis.interval_words import OVER_INDIVIDUALS, TOO_FEW_INDIVIDUALS
from soundproof.analysis.measures import select, summarise, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.storage.measurements import FLAG_ALL, MOST_FREQUENT, ORACLE, SHIFT, UNIFORM

METRIC = "reason_kind"
KEYS = ("detector", "explainer")
BESIDE = {
    "kind_noise": (METRIC, UNIFORM),
    "kind_shift": (METRIC, SHIFT),
    "kind_whole": (METRIC, FLAG_ALL),
    "kind_frequent": (METRIC, MOST_FREQUENT),
    "kind_oracle": (METRIC, ORACLE),
    "attributes": ("reason_attributes", ""),
    "attributes_shift": ("reason_attributes", SHIFT),
    "attributes_oracle": ("reason_attributes", ORACLE),
    "false": ("reason_false", ""),
    "false_oracle": ("reason_false", ORACLE),
    "abstained": ("reason_abstained", ""),
    "removal": ("reason_removal", ""),
    "left": ("reason_left", ""),
    "left_elsewhere": ("reason_left", "elsewhere"),
}
"""Columns beside the share of faults named right: measure and protocol of which they are the mean."""
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Fault named right", "value", "ci_low", "ci_high"),
    Column("Over the whole clip", "over_whole", "over_whole_low", "over_whole_high"),
    Column("Over the shifted map", "over_shift", "over_shift_low", "over_shift_high"),
    Column("Chance: noise", "kind_noise"),
    Column("Chance: shifted map", "kind_shift"),
    Column("Whole clip", "kind_whole"),
    Column("Chance: most frequent fault", "kind_frequent"),
    Column("True mask", "kind_oracle"),
    Column("Attributes within tolerance", "attributes"),
    Column("... of the shifted map", "attributes_shift"),
    Column("... of the true mask", "attributes_oracle"),
    Column("False statements", "false"),
    Column("... of the true mask", "false_oracle"),
    Column("Cannot tell", "abstained"),
    Column("Score left without what is named", "left"),
    Column("... without as much elsewhere", "left_elsewhere"),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Reasons in words against the drawn physics of the fault: a closed set of seven faults, named by rules from "
    "attributes that are measured on what a map marks of the sound. Beside the share of faults named right "
    "stand a map "
    "of noise, the map's cells shifted in time, the whole clip (no map at all), always naming the fault that is "
    "most "
    "frequent in its machine, and the true mask; two columns give its lead over the whole clip and over the "
    "shifted map, "
    "clip by clip. A false statement is a number of the sentence that contradicts what was drawn. Last, the "
    "share of "
    "the anomaly score that is left when what the sentence names is taken out of the sound, and as much at "
    "another time. "
    f"{OVER_INDIVIDUALS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    rows = select(results, METRIC)
    if rows.empty:
        return absent(why_missing(results, METRIC), FORMATS, CAPTION)
    frame = summarise(rows, KEYS, results.study, METRIC, units=results.individuals)
    frame["interval"] = frame["interval"].where(frame["interval"].eq(""), TOO_FEW_INDIVIDUALS)
    for column, (metric, protocol) in BESIDE.items():
        found = means(select(results, metric, (protocol,)), list(KEYS)).rename(columns={"value": column})
        frame = frame.merge(found[[*KEYS, column]], on=list(KEYS), how="left")
    for column, rival in (("over_whole", FLAG_ALL), ("over_shift", SHIFT)):
        frame = frame.merge(_lead(results, rival, column), on=list(KEYS), how="left")
    return FinishedTable(titled(frame, results), CAPTION, FORMATS)


def _lead(results: StudyResults, rival: str, column: str) -> pd.DataFrame:
    """Mean lead over a protocol of the same clips, and its interval in ``..._low`` and ``..._high``."""
    same = [*KEYS, "seed", "clip_id"]
    rows = select(results, METRIC)
    beside = select(results, METRIC, (rival,))[[*same, "value"]]
    paired = rows.merge(beside, on=same, suffixes=("", "_of_rival"))
    lead = paired.assign(value=paired["value"] - paired["value_of_rival"])
    summary = summarise(lead, KEYS, results.study, METRIC, rival, units=results.individuals)
    names = {"value": column, "ci_low": f"{column}_low", "ci_high": f"{column}_high"}
    return summary.rename(columns=names)[[*KEYS, *names.values()]]
