"""Detection, localisation and faithfulness side by side on P2's levels, by SNR and machine by machine."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from soundproof.analysis.levels import levels_of_runs
from soundproof.analysis.measures import titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

_METRICS = ("pooled_cell_auroc", "pooled_frame_auroc")
_LEADING = (Column("Detector", "detector_title"), Column("SNR (dB)", "snr"))
_MACHINE = Column("Machine", "machine")
_NUMBERS = (
    Column("Level", "level"),
    Column("Measure", "title"),
    Column("Judged by", "said"),
    Column("Mean", "value", digits=3),
    Column("sd", "sd", digits=3),
    Column("Chance", "chance", digits=3),
    Column("Flag all", "flag_all", digits=3),
    Column("Runs", "n_runs"),
)
CAPTION = (
    "Detectors and their own maps on four levels: clips (the score), cells and frames (the map against "
    "the event, all explained clips of a machine ranked together, normal ones among them), faithfulness "
    "(does the score fall when what is hot in the map is taken out?). A frame's score is the mean of its "
    "five largest cells. {over} Chance: rankings, or heat, at random; flag all: calling everything "
    "positive, or heat everywhere, which needs no map. Exact stems: cells that the event dominates in the"
    " mixture; energy rule: the loudest cells of the event alone, whether or not anybody hears them. Max "
    "F1 has its threshold from what it is measured on, an oracle. FF as published depends on the range of"
    " scores in the set and counts normal clips; corrected it is the share of the score that goes, of "
    "anomalous clips alone."
)
_OVER_RUNS = "Mean and standard deviation over machines (backgrounds) and trainings."
_OVER_SEEDS = "Mean and standard deviation over trainings."


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, SNR and measure."""
    return _table(results, ["detector", "snr"], _LEADING, _OVER_RUNS)


def build_by_machine(results: StudyResults) -> FinishedTable:
    """Make its supplement: one row per detector, machine and measure."""
    return _table(results, ["detector", "snr", "machine"], (*_LEADING, _MACHINE), _OVER_SEEDS)


def _table(results: StudyResults, by: Sequence[str], leading: tuple[Column, ...], over: str) -> FinishedTable:
    caption = CAPTION.format(over=over)
    runs = levels_of_runs(results)
    if runs[runs["level"].isin(["cells", "frames"])].empty:
        return absent(why_missing(results, *_METRICS), (*leading, *_NUMBERS), caption)
    keys = [*by, "order", "level", "title", "said"]
    numbers = {name: (name, "mean") for name in ("value", "chance", "flag_all")}
    frame = runs.groupby(keys, sort=True).agg(**numbers, sd=("value", "std"), n_runs=("value", "size"))
    known = tuple(
        column for column in _NUMBERS if column.value != "flag_all" or frame["flag_all"].notna().any()
    )
    finished: pd.DataFrame = titled(frame.reset_index(), results)
    return FinishedTable(finished, caption, (*leading, *known))
