"""Deletion and insertion curves: how the score falls, or returns, in the order of relevance."""

from __future__ import annotations

import textwrap

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

PER_ROW = 3
CURVES = {
    "deletion_curve": ("deletion, lower is better", "Share of cells removed", "Share of the score left"),
    "insertion_curve": (
        "insertion, higher is better",
        "Share of cells put back",
        "Share of the score regained",
    ),
}
CAPTION = (
    "Anomaly score while time-frequency cells go (deletion) or come back (insertion), most relevant "
    "first, as a share of the intact clip's score; the curves meet at what the background scores. One panel of "
    "each direction per detector and background, which stands in brackets. Mean over clips and seeds. Shaded: "
    "95 % bootstrap interval over clips, for these machines and trainings. Dashed: cells in random order, which an "
    "explanation must beat; cells that tie go in random order too."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one row of panels per detector and background, deletion | insertion."""
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
    # several panels of one direction stand beside one another
    columns = min(PER_ROW, len(rows)) if len(present) == 1 and len(rows) > PER_ROW else len(present)
    n_rows = -(-len(rows) * len(present) // columns)
    width = PAGE_IN if columns > 1 else 3.6
    figure, grid = panels(n_rows, columns, width_in=width, height_in=2.2 * n_rows + 0.9)
    handles: list[Artist] = []
    shown = iter(grid.flat)
    for detector, kind in rows:
        for metric in present:
            axes = next(shown)
            part = frame[frame["detector"].eq(detector) & frame["background"].eq(kind)]
            part = part[part["metric"].eq(metric)]
            title, x_label, y_label = CURVES[metric]
            handles += draw_explainers(axes, part, results)
            handles += draw_chance(axes, part, "chance_uniform", "Chance: random cells", UNIFORM_LOOK)
            who = f"{results.detector_title(detector)} ({BACKGROUNDS[kind]})"
            words = f"{who}: {title}"
            axes.set(title=textwrap.fill(words, 34) if columns > 2 else words, xlabel=x_label, ylabel=y_label)
            axes.set_xlim(0, 1)
    for axes in shown:
        axes.set_axis_off()
    legend_below(figure, handles, 4 if columns > 1 else 2)
    told = favours(f"deletion_auc_{kind}" for kind in frame["background"].unique())
    return FinishedFigure(figure, titled(frame, results), CAPTION + told)
