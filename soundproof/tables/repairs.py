"""How much of a clip must be repaired until its detector takes it for normal?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

SHARES = ("normal_already", "never_normal", "repaired_share", "repaired_share_at_random")
_NUMBERS = ("value", "ci_low", "ci_high", "n_clips", "n_seeds")
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Clips", "never_normal_n_clips", digits=0),
    Column("Normal already", "normal_already"),
    Column("Never normal", "never_normal"),
    Column("Repaired cells", "repaired_share", "repaired_share_ci_low", "repaired_share_ci_high", 3),
    Column(
        "In random order",
        "repaired_share_at_random",
        "repaired_share_at_random_ci_low",
        "repaired_share_at_random_ci_high",
        3,
    ),
    Column("Their clips", "repaired_share_n_clips", digits=0),
    Column("Seeds", "never_normal_n_seeds", digits=0),
)
CAPTION = (
    "Repair: the smallest set of cells that was found whose repair brings the score of a clip into the range "
    "of normal training clips. Normal already: share of the clips whose score is inside as they are, so that "
    "their map is empty. Never normal: share of the clips that nothing brought there; what their map marks is "
    "not enough. Repaired cells: size of the set, mean over the other clips, as a part of all cells; in "
    "random order: as many cells as it takes where nothing says which come first (1: no fewer than all). "
    "Where the two are near to each other, the map says little. "
    f"{OVER_CLIPS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer that repairs clips."""
    keys = ["detector", "explainer"]
    parts = []
    for name in SHARES:
        measured = measure(results, name, keys).set_index(keys)
        renamed = {number: name if number == "value" else f"{name}_{number}" for number in _NUMBERS}
        parts.append(measured[list(_NUMBERS)].rename(columns=renamed))
    frame = pd.concat(parts, axis=1)
    if frame.empty:
        return absent("no explainer of the study repairs clips", FORMATS, CAPTION)
    return FinishedTable(titled(frame.reset_index(), results), CAPTION, FORMATS)
