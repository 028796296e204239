"""Detection, localisation and faithfulness side by side on P2's levels, by SNR and machine by machine."""

from __future__ import annotations

from collections.abc import Sequence

from soundproof.analysis.levels import explains_normal, levels
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
    Column("Mean", "value", "ci_low", "ci_high", digits=3),
    Column("sd over runs", "sd", digits=3),
    Column("Chance: random", "chance", digits=3),
    Column("Chance: shifted", "chance_shift", digits=3),
    Column("Flag all", "flag_all", digits=3),
    Column("Runs", "n_runs"),
)
CAPTION = (
    "Detectors and their own maps on four levels: clips (the score), cells and frames (the map against the "
    "event, all explained clips of a machine ranked together{normal}), faithfulness (does the score fall when "
    "what is hot in the map is taken out?). A frame's score is the mean of its five largest cells. {over} In "
    "brackets 95 % intervals over clips, for these machines and trainings, none below 5 clips (rankings of a "
    "set: by how much each clip weighs in them). Chance: random: rankings, or heat, at random; shifted: the map"
    " itself, moved in time, which keeps what it knows of bands and of whole clips: only beyond it does a map "
    "tell *when*. Flag all: calling everything positive, or heat everywhere, which needs no map. Exact stems: "
    "cells that the event dominates in the mixture, or frames with such a cell; energy rule: the loudest cells "
    "(frames) of the event alone, whether or not anybody hears them. Max F1 has its threshold from what it is "
    "measured on, an oracle. FF as published depends on the range of scores in the set and counts normal clips "
    "where they are explained; corrected it is the share of the score that goes, of anomalous clips alone."
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
    normal = ", normal ones among them" if explains_normal(results) else "; no normal one is explained here"
    caption = CAPTION.format(over=over, normal=normal)
    frame = levels(results, by)
    if frame[frame["level"].isin(["cells", "frames"])].empty:
        return absent(why_missing(results, *_METRICS), (*leading, *_NUMBERS), caption)
    known = tuple(column for column in _NUMBERS if frame[column.value].notna().any())
    return FinishedTable(titled(frame, results), caption, (*leading, *known))
