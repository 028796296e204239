"""One map per family of explainable detectors on a clip of each fault, the truth outlined."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.results import StudyResults
from soundproof.detectors.registry import one_of_each_family
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.own_maps import own_map
from soundproof.figures.pictures import bracket_events, outline, picture, relevance_picture
from soundproof.figures.style import PAGE_IN, Space, empty, placed_blocks, styled
from soundproof.illustrations.table import Illustration

MISSING = "no clip of a known fault is illustrated with the own map of a detector"
CAPTION = (
    "A clip of each fault ({unit}), and the own map of one member of each family: the first in the study's file, "
    "whatever it reaches. Clips are of median score by {chooser}, of a machine or of all clips of the fault; no "
    "map chose them. Maps from dark to bright, signed ones red and blue around white, each on its own scale up to "
    "its 99.5th percentile. Green outline: cells that the fault dominates. Dashed blue: labelled time. Pictures of "
    "single clips show what maps look like, not how good they are; the tables do."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw a row per fault: the clip, then one map per family."""
    faults = results.clips.set_index("clip_id")["anomaly_type"].to_dict()
    explained = [one for one in illustrations if own_map(results, one) is not None]
    labels = one_of_each_family(results.families, results.detectors(one.detector for one in explained))
    cells: dict[str, dict[str, Illustration]] = {}
    for one in explained:
        fault = faults.get(one.clip_id)
        if one.detector in labels and isinstance(fault, str):
            cells.setdefault(fault, {}).setdefault(one.detector, one)
    if not cells:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Gallery. Not available: {MISSING}.")
    figure, (grid,) = placed_blocks(
        [""],
        len(cells),
        1 + len(labels),
        width_in=PAGE_IN,
        row_in=0.72,
        space=Space(left=0.85, right=0.1, top=0.62, bottom=0.42, columns=0.1, rows=0.14),
    )
    frames = []
    for row, (fault, of_fault) in zip(grid, sorted(cells.items()), strict=True):
        first = next(iter(of_fault.values()))
        picture(row[0], first.input, first)
        row[0].set_ylabel(f"{textwrap.fill(fault.replace('_', ' '), 10)}\nkHz")
        _truth(row[0], first)
        frames.append(first.cells({"input": first.input}).assign(detector="", fault=fault))
        for axes, label in zip(row[1:], labels, strict=True):
            own = of_fault.get(label)
            values = None if own is None else own_map(results, own)
            if own is None or values is None:
                axes.set_axis_off()
                continue
            relevance_picture(axes, values, own)
            _truth(axes, own)
            axes.tick_params(labelleft=False)
            frames.append(own.cells({"own_map": values}).assign(fault=fault))
    _words(
        grid, ["Input", *(f"{results.families[label]}: {results.detector_title(label)}" for label in labels)]
    )
    caption = CAPTION.format(unit=first.axes.unit, chooser=results.detector_title(labels[0]))
    return FinishedFigure(figure, pd.concat(frames, ignore_index=True), caption)


def _truth(axes: Axes, one: Illustration) -> None:
    bracket_events(axes, one.events)
    outline(axes, one, one.mask)


def _words(grid: np.ndarray, titles: Sequence[str]) -> None:
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(textwrap.fill(title, 15))
    for axes in grid[:-1].flat:
        axes.tick_params(labelbottom=False)
    for axes in grid[-1]:
        axes.set_xlabel("Time (s)")
