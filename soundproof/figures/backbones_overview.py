"""Clip and cell areas by backbone: a marker per network, its interval, and the controls beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from soundproof.analysis.by_backbone import BY_BACKBONE, CELLS, MISSING, by_backbone, without_controls
from soundproof.analysis.frames import records
from soundproof.analysis.results import StudyResults
from soundproof.backbones.registry import BACKBONES
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import CHANCE, COLOURS, MARKERS, PAGE_IN, empty, panels, styled

CAPTION = (
    f"{BY_BACKBONE} The dotted line is chance. Black ticks: the chance of that very map, moved in time; a map that "
    "does not exceed its tick tells bands, but not when."
)
_PANELS = (("auc", "Clip AUC", 0.5), (CELLS, "Cell AUROC of its own map", 0.5))


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw two panels, one line per detector, one marker per backbone."""
    frame = by_backbone(results)
    if frame.empty:
        return FinishedFigure(empty(MISSING), frame, f"{CAPTION} Not available: {MISSING}.")
    kinds = list(dict.fromkeys(frame["kind_title"]))
    present = set(frame["backbone"])
    backbones = [name for name in BACKBONES if name in present]
    figure, grid = panels(1, 2, width_in=PAGE_IN, height_in=0.9 + 0.36 * len(kinds), sharey=True)
    for panel, (column, title, chance) in zip(grid[0], _PANELS, strict=True):
        panel.axvline(chance, color=CHANCE, linewidth=0.8, linestyle=":")
        _panel(panel, frame, column, kinds, backbones)
        panel.set_title(f"{title} →")
    grid[0, 0].set_yticks(range(len(kinds)), kinds)
    grid[0, 0].set_ylim(len(kinds) - 0.5, -0.5)
    figure.legend(handles=_legend(backbones), loc="outside lower center", ncols=4)
    return FinishedFigure(figure, frame, CAPTION, without_controls(results))


def _panel(axes: Axes, frame: pd.DataFrame, column: str, kinds: list[str], backbones: list[str]) -> None:
    step = 0.5 / max(2, len(backbones) - 1)
    of_kind = frame.groupby("kind_title")["backbone"].agg(set)
    for row in records(frame):
        beside = [name for name in backbones if name in of_kind[row["kind_title"]]]
        place = beside.index(row["backbone"]) - (len(beside) - 1) / 2
        y = kinds.index(row["kind_title"]) + place * step
        colour, marker = _look(backbones.index(row["backbone"]))
        low, high = row[f"{column}_ci_low"], row[f"{column}_ci_high"]
        if column == CELLS and np.isfinite(row["cell_chance_shift"]):
            tick = [y - 0.4 * step, y + 0.4 * step]
            axes.plot([row["cell_chance_shift"]] * 2, tick, color=CHANCE, linewidth=1.4)
        if np.isfinite(low):
            axes.plot([low, high], [y, y], color=colour, linewidth=1.0)
        axes.plot(row[column], y, color=colour, marker=marker, linestyle="none")


def _legend(backbones: list[str]) -> list[Line2D]:
    tick = Line2D(
        [], [], color=CHANCE, marker="|", markersize=7, linestyle="none", label="chance: shifted map"
    )
    return [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=BACKBONES[name].title)
        for name, (colour, marker) in zip(backbones, map(_look, range(len(backbones))), strict=True)
    ] + [tick]


def _look(turn: int) -> tuple[str, str]:
    return COLOURS[turn % len(COLOURS)], MARKERS[turn % len(MARKERS)]
