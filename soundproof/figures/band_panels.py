"""Grids of one panel per detector and explainer."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soundproof.analysis.bands import edges_hz
from soundproof.analysis.results import StudyResults
from soundproof.figures.style import PAGE_IN, blocks

MOST_COLUMNS = 5
MOST_TICKS = 6


def band_label(results: StudyResults) -> str:
    """What :func:`band_ticks` shows: frequencies, or numbers of bands where the frequencies are unknown."""
    return "Frequency (kHz)" if len(results.frequencies_hz) else "Band (1 = lowest)"


def band_ticks(axes: Axes, results: StudyResults, scale: str, n_bands: int) -> None:
    """Tick an axis of bands 1..K at the frequencies that separate them."""
    edges = edges_hz(results, scale, n_bands)
    every = -(-n_bands // MOST_TICKS)
    axes.grid(visible=False, axis="x")
    if not edges:
        axes.set_xticks(range(1, n_bands + 1, every))
        return
    kilohertz = [low / 1000 for low, _ in edges] + [edges[-1][1] / 1000]
    shown = range(0, n_bands + 1, every)
    axes.set_xticks([k + 0.5 for k in shown], [f"{kilohertz[k]:.2g}" for k in shown])


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
