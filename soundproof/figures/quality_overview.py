"""All axes at a glance: a dot per explainer, its interval, and where chance lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from soundproof.analysis.against_input import COLUMN, WORDS, against_input
from soundproof.analysis.criteria import criteria_named, measure_criteria
from soundproof.analysis.favours import favours
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import CHANCE, COLOURS, MARKERS, PAGE_IN, empty, panels, styled

MISSING = "no explanation of the study was measured"
PER_ROW = 4
MANY = 8
"""Detectors from which each has a tick of its own length, since longer ones would run into one another."""
CAPTION = (
    "Quality of the explanations on every measured axis: mean over clips and seeds (marker) with its 95 % "
    "bootstrap interval over clips, for these machines and trainings (bar), one colour and shape per "
    "detector. The vertical tick beside each marker is what a map without knowledge reaches on the same clips "
    "(chance), the dotted one at segment F1 what flagging every segment reaches. Arrows in the titles "
    "point to the better side. A marker that does not lie clearly on the better side of its tick says "
    "nothing in favour of the explainer."
)

HOLLOW = (
    f"Hollow markers are {WORDS}: the explainer does not beat the better one of the two input controls on the same "
    "clips (paired 95 % interval)."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one panel per axis, one line per explainer."""
    frame = measure_criteria(results)
    if frame.empty:
        return FinishedFigure(empty(MISSING), frame, f"{CAPTION} Not available: {MISSING}.")
    explainers = results.explainers(frame["explainer"])
    detectors = results.detectors(frame["detector"])
    drawn = criteria_named(frame["axis"])
    columns = min(PER_ROW, len(drawn))
    rows = -(-len(drawn) // columns)
    # a line has room for all detectors, and no less than its name takes
    line = max(0.17, 0.045 * len(detectors))
    height = rows * (0.5 + line * len(explainers)) + 0.4
    figure, grid = panels(rows, columns, width_in=PAGE_IN, height_in=height, sharey=True)
    compared = against_input(results)
    lost = {(pair.criterion.name, pair.detector, pair.explainer) for pair in compared if not pair.beats}
    keys = zip(frame["axis"], frame["detector"], frame["explainer"], strict=True)
    frame = frame.assign(**{COLUMN: [key in lost for key in keys]})
    for panel, criterion in zip(grid.flat, drawn, strict=False):
        _panel(panel, frame[frame["axis"].eq(criterion.name)], explainers, detectors)
        words = criterion.title.replace(" (", "\n(")
        panel.set_title(f"{words} {'→' if criterion.higher_is_better else '←'}")
    for panel in grid.flat[len(drawn) :]:
        panel.set_axis_off()
    for panel in grid[:, 0]:
        panel.set_yticks(range(len(explainers)), [results.explainer_title(name) for name in explainers])
    grid[0, 0].set_ylim(len(explainers) - 0.5, -0.5)
    figure.legend(handles=_legend(results, detectors), loc="outside lower center", ncols=3)
    told = favours(criterion.name for criterion in drawn)
    caption = f"{CAPTION} {HOLLOW}" if compared else CAPTION
    return FinishedFigure(figure, titled(frame, results), caption + told)


def _panel(axes: Axes, frame: pd.DataFrame, explainers: list[str], detectors: list[str]) -> None:
    step = (
        (0.56 if len(detectors) < MANY else 0.8) / max(1, len(detectors) - 1) if len(detectors) > 1 else 0.0
    )
    turns = np.array([detectors.index(name) for name in frame["detector"]], dtype=int)
    places = np.array([explainers.index(name) for name in frame["explainer"]], dtype=int)
    y = places + (turns - (len(detectors) - 1) / 2) * step
    colours = np.array(COLOURS)[turns % len(COLOURS)]
    known = np.isfinite(frame["ci_low"].to_numpy())
    axes.hlines(
        y[known],
        frame["ci_low"][known],
        frame["ci_high"][known],
        colors=colours[known].tolist(),
        linewidth=1.0,
    )
    half = max(0.5 * step, 0.02) if len(detectors) >= MANY else 0.2 if len(detectors) > 1 else 0.35
    chance, rival = (frame[name].to_numpy(dtype=float) for name in ("chance_uniform", "flag_all"))
    known = np.isfinite(chance)
    axes.vlines(chance[known], (y - half)[known], (y + half)[known], colors=CHANCE, linewidth=1.2)
    known &= np.isfinite(rival)
    axes.vlines(
        rival[known], (y - half)[known], (y + half)[known], colors=CHANCE, linestyles="dotted", linewidth=1.2
    )
    lost = frame[COLUMN].to_numpy(dtype=bool)
    # one call for all markers that look alike: an artist for each costs more than all else
    for turn, hollow in sorted({(int(turn), bool(hollow)) for turn, hollow in zip(turns, lost, strict=True)}):
        alike = (turns == turn) & (lost == hollow)
        colour = COLOURS[turn % len(COLOURS)]
        axes.plot(
            frame["value"][alike],
            y[alike],
            color=colour,
            marker=MARKERS[turn % len(MARKERS)],
            markersize=3.2,
            linestyle="none",
            markerfacecolor="white" if hollow else colour,
        )


def _legend(results: StudyResults, detectors: list[str]) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[turn % len(COLOURS)],
            marker=MARKERS[turn % len(MARKERS)],
            linewidth=1.0,
            label=results.detector_title(name),
        )
        for turn, name in enumerate(detectors)
    ]
    tick = Line2D([], [], color=CHANCE, marker="|", markersize=8, linestyle="none", label="chance")
    return [*handles, tick]
