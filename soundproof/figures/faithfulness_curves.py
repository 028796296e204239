"""Faithfulness FF against the threshold."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.artist import Artist

from soundproof.analysis.measures import measure, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import FF_FAVOURS
from soundproof.figures.curves import (
    UNIFORM_LOOK,
    draw_chance,
    draw_chance_range,
    draw_explainers,
    legend_below,
)
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import PAGE_IN, empty, panels, styled

LEVELS: Mapping[str, str] = {"ff_frame": "frames", "ff_segment": "annotated part of segments"}
RULE = ("corrected",)
CAPTION = (
    "Faithfulness FF against the threshold: share of the anomaly score that goes away when the frames at "
    "or above the percentile of the explainer's curve are replaced by the detector's reconstruction (mean "
    "over clips and seeds, not clipped at 0). {levels}Shaded: 95 % bootstrap interval over clips, for these "
    "machines and trainings; FF varies from machine to machine more than from clip to clip. "
    "Every map replaces equally many frames, ties split at random. Dashed: as many frames drawn at random, which "
    "scatter and touch nearly every segment. Dotted: each map's own frames shifted in time, which keeps how they "
    f"cluster (median over explainers, the shade is their range). {FF_FAVOURS}"
)
BOTH = (
    "Left: frame by frame. Right: whole segments of which such a frame is part, within the annotated time. "
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one row of panels per detector, frame | segment."""
    return _draw(results, LEVELS)


@styled
def draw_frame(results: StudyResults) -> FinishedFigure:
    """Draw the frame level only, which needs no labels, one panel per detector."""
    return _draw(results, {"ff_frame": LEVELS["ff_frame"]})


def _draw(results: StudyResults, levels: Mapping[str, str]) -> FinishedFigure:
    by = ("detector", "explainer", "parameter")
    parts = [measure(results, metric, by, RULE).assign(metric=metric) for metric in levels]
    frame = pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True)
    present = [metric for metric in levels if metric in set(frame["metric"])]
    caption = CAPTION.format(levels=BOTH if len(present) > 1 else "")
    if frame.empty:
        reason = why_missing(results, *levels)
        return FinishedFigure(empty(reason), frame, f"{caption} Not available: {reason}.")
    if len(present) < len(levels):
        caption += f" The segment level is missing: {why_missing(results, 'ff_segment')}."
    detectors = results.detectors(frame["detector"])
    # frame and segment level side by side; with a single level the detectors stand side by side instead
    by_row = len(present) > 1
    shape = (len(detectors), len(present)) if by_row else (1, len(detectors))
    width = min(PAGE_IN, max(3.6, 3.6 * shape[1]))
    figure, grid = panels(
        *shape, width_in=width, height_in=2.2 * shape[0] + 0.9, sharex=True, sharey="col" if by_row else True
    )
    handles: list[Artist] = []
    for row, detector in enumerate(detectors):
        for column, metric in enumerate(present):
            axes = grid[row, column] if by_row else grid[0, row]
            part = frame[frame["detector"].eq(detector) & frame["metric"].eq(metric)]
            handles += draw_explainers(axes, part, results)
            handles += draw_chance(axes, part, "chance_uniform", "Chance: random frames", UNIFORM_LOOK)
            handles += draw_chance_range(axes, part, "chance_shift", "Chance: curve shifted in time")
            axes.set_title(f"{results.detector_title(detector)}: {levels[metric]}")
    for axes in grid[-1]:
        axes.set_xlabel("Threshold: percentile of the clip's curve")
    for axes in grid[:, 0]:
        axes.set_ylabel("FF (share of the score removed)")
    legend_below(figure, handles, 4 if shape[1] > 1 else 2)
    return FinishedFigure(figure, titled(frame, results), caption)
