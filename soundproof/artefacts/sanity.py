"""Does a map depend on what was learnt, and does it add up?"""

from __future__ import annotations

import pandas as pd

from soundproof.artefacts.finished import Column, FinishedTable, absent
from soundproof.artefacts.interval_words import OVER_CLIPS
from soundproof.artefacts.measures import measure, titled
from soundproof.results import StudyResults

CHECKS = {
    "similarity_signed": ("randomisation_similarity", ("signed",)),
    "similarity_absolute": ("randomisation_similarity", ("absolute",)),
    "completeness_gap": ("completeness_gap", ("",)),
    "constant_map": ("constant_map", ("",)),
}
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column(
        "Similarity after randomisation (signed)",
        "similarity_signed",
        "similarity_signed_ci_low",
        "similarity_signed_ci_high",
    ),
    Column(
        "Similarity (absolute)",
        "similarity_absolute",
        "similarity_absolute_ci_low",
        "similarity_absolute_ci_high",
    ),
    Column("Chance", "chance"),
    Column("Its clips", "similarity_signed_n_clips", digits=0),
    Column("Completeness gap", "completeness_gap", "completeness_gap_ci_low", "completeness_gap_ci_high", 3),
    Column("Its clips (gap)", "completeness_gap_n_clips", digits=0),
    Column("Constant maps", "constant_map"),
    Column("Seeds", "n_seeds", digits=0),
)
CAPTION = (
    "Sanity of the explainers. Similarity: rank correlation between the map and the map of the same "
    "detector with random weights; unrelated maps give 0 (chance), near 1 the map does not depend on what "
    "was learnt. Completeness gap: how far the relevance is from summing to the score's difference from "
    "the baseline, for methods that promise it (0 is exact). Constant maps: share of clips whose map "
    f"marks nothing. {OVER_CLIPS}"
)
NUMBERS = ("value", "ci_low", "ci_high", "sd_seeds", "n_clips", "interval")


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    keys = ["detector", "explainer"]
    parts, seeds = [], []
    for name, (metric, protocols) in CHECKS.items():
        measured = measure(results, metric, keys, protocols).set_index(keys)
        renamed = {number: name if number == "value" else f"{name}_{number}" for number in NUMBERS}
        parts.append(measured[list(NUMBERS)].rename(columns=renamed))
        seeds.append(measured["n_seeds"])
    frame = pd.concat(parts, axis=1)
    if frame.empty:
        return absent("neither randomisation nor completeness was measured", FORMATS, CAPTION)
    frame["n_seeds"] = pd.concat(seeds).groupby(keys).max()
    return FinishedTable(titled(frame.reset_index().assign(chance=0.0), results), CAPTION, FORMATS)
