"""Deletion and insertion curves: how the score falls, or returns, in the order of relevance."""

from __future__ import annotations

import textwrap
from itertools import product

import pandas as pd
from matplotlib.artist import Artist

from soundproof.analysis.favours import favours
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import BACKGROUNDS
from soundproof.figures.curves import UNIFORM_LOOK, draw_chance, draw_explainers, legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import PAGE_IN, empty, panels, styled

CURVES = {
    "deletion_curve": ("deletion, lower is better", "Share of cells removed", "Share of the score left"),
    "insertion_curve": (
        "insertion, higher is better",
        "Share of cells put back",
        "Share of the score regained",
    ),
}
PER_ROW = 3
"""Panels beside each other where there is one metric alone."""
TITLE_LETTERS = 32
"""Letters of a title's line above a panel of a third of the page."""
CAPTION = (
    "Anomaly score while time-frequency cells go (deletion) or come back (insertion), most relevant "
    "first, as a share of the intact clip's score; the curves meet at what the background scores. One panel, "
    "or one row of panels, per detector and background, which stands in brackets. Mean over clips and seeds. "
    "Shaded: 95 % bootstrap interval over clips, for these machines and trainings. Dashed: cells in random "
    "order, which an explanation must beat; cells that tie go in random order too."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw deletion | insertion in a row per detector and background, or a panel where one was measured."""
    by = ("detector", "explainer", "parameter")
    parts = [
        measure(results, metric, by, (kind,)).assign(metric=metric, background=kind)
        for metric in CURVES
        for kind in BACKGROUNDS
    ]
    frame = pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True)
    if frame.empty:
        reason = why_missing(results, *CURVES)
        return FinishedFigure(empty(reason), frame, f"{CAPTION} Not available: {reason}.")
    rows = [
        (detector, kind)
        for detector in results.detectors(frame["detector"])
        for kind in BACKGROUNDS
        if (frame["detector"].eq(detector) & frame["background"].eq(kind)).any()
    ]
    present = [metric for metric in CURVES if metric in set(frame["metric"])]
    n_columns = len(present) if len(present) > 1 else min(PER_ROW, len(rows))
    n_rows = -(-len(rows) * len(present) // n_columns)
    width = PAGE_IN if n_columns > 1 else 3.6
    figure, grid = panels(n_rows, n_columns, width_in=width, height_in=2.2 * n_rows + 0.9)
    handles: list[Artist] = []
    shown = list(product(rows, present))
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, ((detector, kind), metric) in zip(grid.flat, shown, strict=False):
        part = frame[frame["detector"].eq(detector) & frame["background"].eq(kind)]
        part = part[part["metric"].eq(metric)]
        title, x_label, y_label = CURVES[metric]
        handles += draw_explainers(axes, part, results)
        handles += draw_chance(axes, part, "chance_uniform", "Chance: random cells", UNIFORM_LOOK)
        who = f"{results.detector_title(detector)} ({BACKGROUNDS[kind]})"
        words = f"{who}: {title}" if n_columns < PER_ROW else f"{textwrap.fill(who, TITLE_LETTERS)}\n{title}"
        axes.set(title=words, xlabel=x_label, ylabel=y_label)
        axes.set_xlim(0, 1)
    legend_below(figure, handles, 4 if n_columns > 1 else 2)
    told = favours(f"deletion_auc_{kind}" for kind in frame["background"].unique())
    return FinishedFigure(figure, titled(frame, results), CAPTION + told)
