"""T3: how much of the anomaly score goes away when what an explanation points at is replaced."""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.favours import FF
from soundproof.analysis.interval_words import OVER_CLIPS, OVER_MACHINES
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

LEVELS = {"ff_frame": "frame", "ff_segment": "segment"}
RULES = {"as_published": ("as_published",), "corrected": ("corrected",)}
LAST_TWO = (98.0, 99.0)
CAPTION = (
    "Faithfulness FF: share of the anomaly score that goes away when the frames at or above the curve's "
    "percentile are replaced by the detector's reconstruction, frame by frame or in the annotated part of "
    "the segments they fall in. Means over all percentiles, and over p98 and p99 as the paper "
    "summarises. As published, values are clipped at 0 clip by clip, which hides replacements that raise "
    "the score. As published, maps with ties (such as the blocks of an occlusion window) also replace more frames "
    "than their percentile says. Corrected, values are not clipped and every map replaces equally many frames, "
    "ties split at random. Chance replaces as many uniformly drawn frames as each map does; shifted: the map's own "
    "frames, shifted in time, which keeps how they cluster (random frames scatter and touch nearly every segment). "
    f"{FF} FF varies from machine to machine more than from clip to clip. "
    f"{OVER_CLIPS} {OVER_MACHINES}"
)
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Level", "level"),
    Column("Rule", "rule"),
    Column("Mean over p", "value", "ci_low", "ci_high", digits=3),
    Column("Over machines", "value", "machines_ci_low", "machines_ci_high", digits=3),
    Column("sd over seeds", "sd_seeds", digits=3),
    Column("Chance", "chance_uniform", digits=3),
    Column("Shifted", "chance_shift", digits=3),
    Column("Mean of p98, p99", "last_two", "last_two_ci_low", "last_two_ci_high", digits=3),
    Column("Chance (p98, p99)", "last_two_chance_uniform", digits=3),
    Column("Shifted (p98, p99)", "last_two_chance_shift", digits=3),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
_LAST_TWO_NAMES = {
    "value": "last_two",
    "ci_low": "last_two_ci_low",
    "ci_high": "last_two_ci_high",
    "sd_seeds": "last_two_sd_seeds",
    "interval": "last_two_interval",
    "machines_ci_low": "last_two_machines_ci_low",
    "machines_ci_high": "last_two_machines_ci_high",
    "chance_uniform": "last_two_chance_uniform",
    "chance_shift": "last_two_chance_shift",
}


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, explainer, level and rule."""
    parts = [
        _part(results, metric, protocols).assign(level=level, rule=rule.replace("_", " "))
        for metric, level in LEVELS.items()
        for rule, protocols in RULES.items()
    ]
    frame = pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True)
    if frame.empty:
        return absent(why_missing(results, *LEVELS), FORMATS, CAPTION)
    caption = CAPTION
    if "segment" not in set(frame["level"]):
        caption += f" Segment level not available: {why_missing(results, 'ff_segment')}."
    ordered = frame.sort_values(["level", "rule"], kind="stable", ignore_index=True)
    return FinishedTable(titled(ordered, results), caption, FORMATS)


def _part(results: StudyResults, metric: str, protocols: tuple[str, ...]) -> pd.DataFrame:
    keys = ["detector", "explainer"]
    whole = measure(results, metric, keys, protocols).drop(columns="flag_all")
    last = measure(results, metric, keys, protocols, LAST_TWO)
    return whole.merge(last[[*keys, *_LAST_TWO_NAMES]].rename(columns=_LAST_TWO_NAMES), on=keys, how="left")
