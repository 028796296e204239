"""Segment F1 against the threshold, with two chance lines."""

from __future__ import annotations

import textwrap

from matplotlib.artist import Artist

from soundproof.analysis.measures import measure, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.figures.curves import (
    FLAG_ALL_LOOK,
    UNIFORM_LOOK,
    draw_chance,
    draw_chance_range,
    draw_explainers,
    legend_below,
)
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import PAGE_IN, empty, panels, styled
from soundproof.tables.temporal_localisation import FLAG_ALL_WORDS, METRIC

PER_ROW = 4
CAPTION = (
    "Temporal localisation against the threshold: segment F1, mean over clips and seeds, when the frames "
    "at or above each clip's own percentile of the curve count as peaks. Shaded: 95 % bootstrap interval "
    "over clips, for these machines and trainings. Dashed: expected F1 of as many uniformly random frames. "
    "Dotted: mean F1 of each "
    "explainer's own curve shifted in time, which keeps how peaks cluster; a curve that does not exceed "
    "it says nothing about when the fault is; median over explainers, the shade is their range. Every curve has "
    f"equally many peaks, ties split at random. Dash-dotted: {FLAG_ALL_WORDS[0].lower()}{FLAG_ALL_WORDS[1:]}"
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one panel per detector, one curve per explainer."""
    frame = measure(results, METRIC, ("detector", "explainer", "parameter"))
    if frame.empty:
        reason = why_missing(results, METRIC)
        return FinishedFigure(empty(reason), frame, f"{CAPTION} Not available: {reason}.")
    detectors = results.detectors(frame["detector"])
    columns = min(PER_ROW, len(detectors))
    rows = -(-len(detectors) // columns)
    width = max(3.6, min(PAGE_IN, 3.6 * columns))
    figure, grid = panels(
        rows, columns, width_in=width, height_in=3.3 if rows == 1 else 2.1 * rows + 0.7, sharey=True
    )
    handles: list[Artist] = []
    for axes, detector in zip(grid.flat, detectors, strict=False):
        part = frame[frame["detector"].eq(detector)]
        handles += draw_explainers(axes, part, results)
        handles += draw_chance(axes, part, "chance_uniform", "Chance: random frames", UNIFORM_LOOK)
        handles += draw_chance_range(axes, part, "chance_shift", "Chance: curve shifted in time")
        handles += draw_chance(axes, part, "flag_all", "Flag every segment", FLAG_ALL_LOOK)
        axes.set_title(textwrap.fill(results.detector_title(detector), 24 if columns > 2 else 60))
        axes.set_xlabel(
            "Percentile of the curve" if columns > 2 else "Threshold: percentile of the clip's curve"
        )
    for axes in grid.flat[len(detectors) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("Segment F1")
    legend_below(figure, handles, 5 if len(detectors) > 1 else 2)
    return FinishedFigure(figure, titled(frame, results), CAPTION)
