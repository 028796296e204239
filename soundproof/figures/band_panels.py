"""Grids of one panel per detector and explainer."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soundproof.figures.style import PAGE_IN, blocks
from soundproof.results import StudyResults

MOST_COLUMNS = 5


def explainer_panels(
    frame: pd.DataFrame, results: StudyResults, *, row_height_in: float, x_label: str, y_label: str
) -> tuple[Figure, Iterator[tuple[str, str, Axes]]]:
    """Make a block of panels per detector.

    Args:
        frame: Columns detector and explainer.
        results: Names and order.
        row_height_in: Height of a row of panels, inches.
        x_label: Under the lowest panels.
        y_label: Left of the first panels.

    Returns:
        The figure, and (detector, explainer, axes) of each panel.
    """
    detectors = results.detectors(frame["detector"])
    explainers = results.explainers(frame["explainer"].dropna())
    rows = -(-len(explainers) // MOST_COLUMNS)
    columns = -(-len(explainers) // rows)
    height = len(detectors) * (rows * row_height_in + 0.3) + 0.4
    width = min(PAGE_IN, 0.6 + 2.0 * columns)
    figure, parts = blocks(len(detectors), rows, columns, width_in=width, height_in=height)
    panels = []
    for detector, (part, grid) in zip(detectors, parts, strict=True):
        part.suptitle(results.detector_title(detector), fontsize=8, fontweight="bold")
        for axes in grid.flat[len(explainers) :]:
            axes.set_axis_off()
        for index, explainer in enumerate(explainers):
            axes = grid.flat[index]
            axes.set_title(results.explainer_title(explainer))
            if index % columns == 0:
                axes.set_ylabel(y_label)
            if index + columns >= len(explainers):
                axes.set_xlabel(x_label)
            panels.append((detector, explainer, axes))
    return figure, iter(panels)
