"""Does a map depend on what was learnt, and does it add up?"""

from __future__ import annotations

import pandas as pd

from soundproof.artefacts.finished import Column, FinishedTable, absent
from soundproof.artefacts.measures import measure, titled
from soundproof.results import StudyResults

CHECKS = {
    "similarity_signed": ("randomisation_similarity", ("signed",)),
    "similarity_absolute": ("randomisation_similarity", ("absolute",)),
    "completeness_gap": ("completeness_gap", ("",)),
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
    Column("Completeness gap", "completeness_gap", "completeness_gap_ci_low", "completeness_gap_ci_high", 3),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Sanity of the explainers. Similarity: rank correlation between the map and the map of the same "
    "detector with random weights; unrelated maps give 0, near 1 the map shows the input rather than what "
    "was learnt. Completeness gap: how far the relevance is from summing to the score's difference from "
    "the baseline, for methods that promise it (0 is exact). Intervals: 95 % bootstrap over clips."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    keys = ["detector", "explainer"]
    numbers = {"value": "", "ci_low": "_ci_low", "ci_high": "_ci_high", "sd_seeds": "_sd_seeds"}
    parts, counts = [], []
    for name, (metric, protocols) in CHECKS.items():
        measured = measure(results, metric, keys, protocols).set_index(keys)
        parts.append(
            measured[list(numbers)].rename(columns={old: name + new for old, new in numbers.items()})
        )
        counts.append(measured[["n_clips", "n_seeds"]])
    frame = pd.concat(parts, axis=1)
    if frame.empty:
        return absent("neither randomisation nor completeness was measured", FORMATS, CAPTION)
    most = pd.concat(counts).groupby(keys).max()
    frame = frame.join(most).reset_index().assign(chance=0.0)
    return FinishedTable(titled(frame, results), CAPTION, FORMATS)
