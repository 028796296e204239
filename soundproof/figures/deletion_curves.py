"""Deletion and insertion curves: how the score falls, or returns, in the order of relevance."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist

from soundproof.artefacts.measures import measure, titled
from soundproof.artefacts.missing import why_missing
from soundproof.figures.curves import UNIFORM_LOOK, draw_chance, draw_explainers, legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import PAGE_IN, empty, panels, styled
from soundproof.results import StudyResults

CURVES = {
    "deletion_curve": ("Deletion (lower is better)", "Share of cells removed", "Share of the score left"),
    "insertion_curve": (
        "Insertion (higher is better)",
        "Share of cells put back",
        "Share of the score regained",
    ),
}
CAPTION = (
    "Anomaly score while time-frequency cells go (deletion) or come back (insertion), most relevant "
    "first, as a share of the intact clip's score; the curves meet at what the background scores. Mean over "
    "clips and seeds. Shaded: "
    "95 % bootstrap interval over clips, for these machines and trainings. Dashed: cells in random order, "
    "which an explanation must beat."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one row of panels per detector, deletion | insertion."""
    by = ("detector", "explainer", "parameter")
    parts = [measure(results, metric, by).assign(metric=metric) for metric in CURVES]
    frame = pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True)
    if frame.empty:
        reason = why_missing(results, *CURVES)
        return FinishedFigure(empty(reason), frame, f"{CAPTION} Not available: {reason}.")
    detectors = results.detectors(frame["detector"])
    present = [metric for metric in CURVES if metric in set(frame["metric"])]
    width = PAGE_IN if len(present) > 1 else 3.6
    figure, grid = panels(len(detectors), len(present), width_in=width, height_in=2.2 * len(detectors) + 0.9)
    handles: list[Artist] = []
    for row, detector in zip(grid, detectors, strict=True):
        for axes, metric in zip(row, present, strict=True):
            part = frame[frame["detector"].eq(detector) & frame["metric"].eq(metric)]
            handles += draw_explainers(axes, part, results)
            handles += draw_chance(axes, part, "chance_uniform", "Chance: random cells", UNIFORM_LOOK)
            title, x_label, y_label = CURVES[metric]
            axes.set(title=f"{results.detector_title(detector)}: {title}", xlabel=x_label, ylabel=y_label)
            axes.set_xlim(0, 1)
    legend_below(figure, handles, 4 if len(present) > 1 else 2)
    return FinishedFigure(figure, titled(frame, results), CAPTION)
