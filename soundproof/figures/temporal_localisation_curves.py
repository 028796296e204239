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

CAPTION = (
    "Temporal localisation against the threshold: segment F1, mean over clips and seeds, when the frames "
    "at or above each clip's own percentile of the curve count as peaks. Shaded: 95 % bootstrap interval "
    "over clips, for these machines and trainings. Dashed: expected F1 of as many uniformly random frames. "
    "Dotted: mean F1 of each "
    "explainer's own curve shifted in time, which keeps how peaks cluster; a curve that does not exceed "
    "it says nothing about when the fault is; median over explainers, the shade is their range. Every curve has "
    f"equally many peaks, ties split at random. Dash-dotted: {FLAG_ALL_WORDS[0].lower()}{FLAG_ALL_WORDS[1:]}"
)
PER_ROW = 4
"""Panels beside each other; of more none could be read."""
TITLE_LETTERS = 26
"""Letters of a title's line."""


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one panel per detector, one curve per explainer."""
    frame = measure(results, METRIC, ("detector", "explainer", "parameter"))
    if frame.empty:
        reason = why_missing(results, METRIC)
        return FinishedFigure(empty(reason), frame, f"{CAPTION} Not available: {reason}.")
    detectors = results.detectors(frame["detector"])
    n_columns = min(PER_ROW, len(detectors))
    n_rows = -(-len(detectors) // n_columns)
    figure, grid = panels(
        n_rows,
        n_columns,
        width_in=max(3.6, min(PAGE_IN, 3.6 * n_columns)),
        height_in=3.3 if n_rows == 1 else 2.0 * n_rows + 0.9,
        sharey=True,
    )
    handles: list[Artist] = []
    for axes in grid.flat[len(detectors) :]:
        axes.set_axis_off()
    for axes, detector in zip(grid.flat, detectors, strict=False):
        part = frame[frame["detector"].eq(detector)]
        handles += draw_explainers(axes, part, results)
        handles += draw_chance(axes, part, "chance_uniform", "Chance: random frames", UNIFORM_LOOK)
        handles += draw_chance_range(axes, part, "chance_shift", "Chance: curve shifted in time")
        handles += draw_chance(axes, part, "flag_all", "Flag every segment", FLAG_ALL_LOOK)
        axes.set_title(textwrap.fill(results.detector_title(detector), TITLE_LETTERS))
        axes.set_xlabel("Threshold: percentile of the clip's curve" if n_columns < PER_ROW else "Percentile")
    for axes in grid[:, 0]:
        axes.set_ylabel("Segment F1")
    legend_below(figure, handles, 5 if len(detectors) > 1 else 2)
    return FinishedFigure(figure, titled(frame, results), CAPTION)
