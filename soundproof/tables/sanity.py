"""Does a map depend on what was learnt, and does it add up?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

CHECKS = {
    "similarity_signed": ("randomisation_similarity", ("signed",)),
    "floor_signed": ("randomisation_floor", ("signed",)),
    "ceiling_signed": ("training_similarity", ("signed",)),
    "similarity_absolute": ("randomisation_similarity", ("absolute",)),
    "floor_absolute": ("randomisation_floor", ("absolute",)),
    "ceiling_absolute": ("training_similarity", ("absolute",)),
    "completeness_error": ("completeness_error", ("",)),
    "completeness_gap": ("completeness_gap", ("",)),
    "constant_map": ("constant_map", ("",)),
}
NUMBERS = ("value", "ci_low", "ci_high", "sd_seeds", "n_clips", "interval")


def _interval(header: str, name: str, digits: int = 2) -> Column:
    return Column(header, name, f"{name}_ci_low", f"{name}_ci_high", digits)


FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    _interval("Random weights (signed)", "similarity_signed"),
    Column("Noise times input (signed)", "floor_signed"),
    _interval("Another training (signed)", "ceiling_signed"),
    _interval("Random weights (absolute)", "similarity_absolute"),
    Column("Noise times input (absolute)", "floor_absolute"),
    _interval("Another training (absolute)", "ceiling_absolute"),
    Column("Compared trainings", "compared"),
    Column("Their clips", "similarity_signed_n_clips", digits=0),
    _interval("Completeness error", "completeness_error", 3),
    Column("Its clips", "completeness_error_n_clips", digits=0),
    Column("Constant maps", "constant_map"),
    Column("Seeds", "n_seeds", digits=0),
)
CAPTION = (
    "Sanity of the explainers: rank correlation between a map and another map of the same clip, of the "
    "relevance as it is and of its magnitude. Random weights: the map of the same detector with its weights "
    "(and what else it learnt) drawn at random, mean over the draws; near 1 the map does not depend on what was "
    "learnt. Another training: the map of the same detector trained with another seed, the highest that can be "
    "asked for; where it is no higher than random weights, the check cannot tell learning from chance. Noise "
    "times input: two maps of independent noise times the clip's distance from the baseline, the floor of "
    "methods whose relevance is such a product. No floor was measured for the other methods, whose maps may "
    "show the clip in other ways. Completeness error: |sum of the relevance - (score(x) - score(baseline))| as "
    "a part of |score(x) - score(baseline)|, mean over clips (0 is exact), for methods that promise it; clips "
    "whose score differs little from the baseline's weigh heavily. Constant maps: share of clips whose map "
    "marks nothing. "
    f"{OVER_CLIPS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    keys = ["detector", "explainer"]
    parts, seeds = [], {}
    for name, (metric, protocols) in CHECKS.items():
        measured = measure(results, metric, keys, protocols).set_index(keys)
        renamed = {number: name if number == "value" else f"{name}_{number}" for number in NUMBERS}
        parts.append(measured[list(NUMBERS)].rename(columns=renamed))
        seeds[name] = measured["n_seeds"]
    frame = pd.concat(parts, axis=1)
    if frame.empty:
        return absent("neither randomisation nor completeness was measured", FORMATS, CAPTION)
    frame["n_seeds"] = pd.concat(list(seeds.values())).groupby(keys).max()
    frame["compared"] = _compared(frame, seeds["ceiling_signed"])
    return FinishedTable(titled(frame.reset_index(), results), CAPTION, FORMATS)


def _compared(frame: pd.DataFrame, trainings: pd.Series) -> pd.Series:
    """How many trainings the ceiling is from, or why there is none."""
    several = trainings.reindex(frame.index)
    words = several.map(lambda n: f"{n:.0f}", na_action="ignore")
    once = frame["n_seeds"].eq(1).map({True: "none: trained once", False: "none: not compared"})
    return words.where(several.notna(), once)
