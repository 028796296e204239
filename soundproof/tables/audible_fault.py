"""Does one hear the fault in what an explanation points at?"""

from __future__ import annotations

from soundproof.analysis.frames import means
from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import measure, select, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.storage.measurements import ORACLE

METRIC = "si_sdr"
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("SI-SDR (dB)", "value", "ci_low", "ci_high", digits=1),
    Column("sd over seeds", "sd_seeds", digits=2),
    Column("Chance: random cells", "chance_uniform", digits=1),
    Column("Chance: shifted", "chance_shift", digits=1),
    Column("The clip itself", "flag_all", digits=1),
    Column("True mask", "oracle", digits=1),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "How much of what a map lets through of the clip's sound is the fault: SI-SDR against the fault's stem, in dB "
    "(Le Roux et al. 2019). Beside it chance (the map's own values at random cells; the map shifted in time), the "
    "clip itself, which needs no map (what does not exceed it makes the fault no more audible), and the true mask "
    "on the same grid: how far a map that is right gets. Faults that take sound away have no value. "
    f"{OVER_CLIPS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    frame = measure(results, METRIC)
    if frame.empty:
        return absent(why_missing(results, METRIC), FORMATS, CAPTION)
    keys = ["detector", "explainer"]
    oracle = means(select(results, METRIC, (ORACLE,)), keys).rename(columns={"value": "oracle"})
    return FinishedTable(titled(frame.merge(oracle, on=keys, how="left"), results), CAPTION, FORMATS)
