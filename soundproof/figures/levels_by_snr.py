"""P2's levels at a glance: a marker per detector and SNR, its interval, and what it has to exceed."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from soundproof.analysis.frames import records
from soundproof.analysis.levels import levels
from soundproof.analysis.measures import titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import CHANCE, COLOURS, MARKERS, PAGE_IN, empty, panels, styled

DRAWN = (
    ("clips", "AUC", ""),
    ("cells", "AUC", "exact stems"),
    ("cells", "AUC", "energy rule, as published"),
    ("cells", "AU-PRO", "exact stems, anomalous clips"),
    ("frames", "AUC", "labelled time, as published"),
    ("frames", "AUC", "exact stems"),
    ("faithfulness", "FF1", "corrected"),
    ("faithfulness", "FF2", "corrected"),
)
"""Level, measure and what it is judged by, one panel each as far as they are measured."""
PER_ROW = 3
CAPTION = (
    "Detection, localisation and faithfulness by SNR (dB, the legend's markers), each detector by its score and"
    " its own map: means over machines (backgrounds) and trainings with 95 % intervals over clips, none below 5"
    " clips. Solid ticks: a random order (faithfulness: heat at random cells). Dotted ticks: the detector's own"
    " map moved in time, which still knows bands and whole clips; only beyond it does a map tell when. Arrows "
    "point to the better side. All numbers, and those as published, stand in the table of levels."
)
_TICK = 0.36


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one panel per measure, one line per detector, one marker per SNR."""
    frame = levels(results, ["detector", "snr"])
    parts = {drawn: part for drawn in DRAWN if not (part := _measured(frame, *drawn)).empty}
    if not {"cells", "frames"} & {level for level, _, _ in parts}:
        reason = why_missing(results, "pooled_cell_auroc", "pooled_frame_auroc")
        return FinishedFigure(empty(reason), pd.DataFrame(), f"{CAPTION} Not available: {reason}.")
    frame = pd.concat(parts.values(), ignore_index=True)
    detectors = results.detectors(frame["detector"])
    snrs = sorted(set(frame["snr"]), key=_decibels)
    columns = min(PER_ROW, len(parts))
    rows = -(-len(parts) // columns)
    height = rows * (0.6 + 0.09 * len(detectors) * (1 + len(snrs))) + 0.4
    figure, grid = panels(rows, columns, width_in=PAGE_IN, height_in=height, sharey=True)
    for axes, (drawn, part) in zip(grid.flat, parts.items(), strict=False):
        _panel(axes, part, detectors, snrs)
        level, title, said = drawn
        axes.set_title(textwrap.fill(f"{title} of {level}{f' ({said})' if said else ''} →", 34))
        axes.set_xlabel("Share of the score that goes" if level == "faithfulness" else "Area")
    for axes in grid.flat[len(parts) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(detectors)), [results.detector_title(name) for name in detectors])
        axes.set_ylabel("Detector")
    grid[0, 0].set_ylim(len(detectors) - 0.5, -0.5)
    figure.legend(handles=_legend(snrs), loc="outside lower center", ncols=len(snrs) + 2)
    return FinishedFigure(figure, titled(frame, results), CAPTION)


def _measured(frame: pd.DataFrame, level: str, title: str, said: str) -> pd.DataFrame:
    return frame[frame["level"].eq(level) & frame["title"].eq(title) & frame["said"].eq(said)]


def _panel(axes: Axes, part: pd.DataFrame, detectors: list[str], snrs: list[str]) -> None:
    step = 0.7 / len(snrs)
    for row in records(part):
        turn = snrs.index(row["snr"])
        y = detectors.index(row["detector"]) + (turn - (len(snrs) - 1) / 2) * step
        for column, line, width in (("chance", "-", 1.2), ("chance_shift", ":", 2.2)):
            if np.isfinite(row[column]):
                ends = [y - _TICK * step, y + _TICK * step]
                axes.plot([row[column]] * 2, ends, color=CHANCE, linewidth=width, linestyle=line)
        colour, marker = _look(turn)
        if np.isfinite(row["ci_low"]):
            axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, linewidth=1.0)
        axes.plot(row["value"], y, color=colour, marker=marker, linestyle="none")


def _legend(snrs: list[str]) -> list[Line2D]:
    found = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=f"{snr} dB" if snr else "one SNR")
        for snr, (colour, marker) in zip(snrs, map(_look, range(len(snrs))), strict=True)
    ]
    random = Line2D([], [], color=CHANCE, linestyle="-", label="chance: random")
    return [
        *found,
        random,
        Line2D([], [], color=CHANCE, linestyle=":", linewidth=2.2, label="chance: shifted"),
    ]


def _look(turn: int) -> tuple[str, str]:
    return COLOURS[turn % len(COLOURS)], MARKERS[turn % len(MARKERS)]


def _decibels(label: str) -> tuple[float, ...]:
    return tuple(float(part) for part in label.split(", ")) if label else ()
