"""One clip as several detectors see it: its map, the event, each detector's own map and its curve over time."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.own_maps import own_map
from soundproof.figures.pictures import bracket_events, mark_events, outline, picture, relevance_picture
from soundproof.figures.style import PAGE_IN, empty, panels, styled, without_ticks
from soundproof.illustrations.table import Illustration, first_of_detectors
from soundproof.localisation.frames import frame_curves

COLUMNS = 4
MISSING = "no clip is illustrated with the own map of a detector"
CAPTION = (
    "The anomalous clip {clip} as detectors see it. First the clip's map ({unit}){mask}, then the own map"
    " of each detector (dark to bright, each on its own scale up to its 99.5th percentile). Below each: "
    "the score of a frame, the mean of its five largest cells, in the map's own unit. Blue: labelled "
    "time.{outline} A picture of one clip shows what maps look like, not how good they are; the tables "
    "do."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw the clip and its mask, then one pair of panels per detector."""
    own = {one.detector: own_map(results, one) for one in first_of_detectors(illustrations)}
    shown = [one for one in first_of_detectors(illustrations) if own[one.detector] is not None]
    if not shown:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Maps of detectors. Not available: {MISSING}.")
    first = shown[0]
    # a detector that explains another clip would be read as one that sees this clip differently
    shown = [one for one in shown if one.clip_id == first.clip_id]
    parts: list[tuple[str, np.ndarray, str]] = [("Input", first.input, "")]
    if first.mask is not None:
        parts.append(("Event (exact mask)", first.mask.astype(np.float64), ""))
    for one in shown:
        values = own[one.detector]
        if values is not None:
            parts.append((results.detector_title(one.detector), values, one.detector))
    n_rows = -(-len(parts) // COLUMNS)
    figure, grid = panels(
        2 * n_rows,
        min(COLUMNS, len(parts)),
        width_in=PAGE_IN,
        height_in=2.5 * n_rows,
        height_ratios=(2.0, 1.0) * n_rows,
    )
    for axes in grid.flat:
        axes.set_axis_off()
    frames = []
    for index, (title, values, detector) in enumerate(parts):
        row, column = divmod(index, COLUMNS)
        above, below = grid[2 * row, column], grid[2 * row + 1, column]
        _map(above, first, title, values, detector)
        _curve(below, first, values)
        if column == 0:
            above.set_ylabel("Frequency (kHz)")
            below.set_ylabel("Frame score")
        cells = first.cells({"own_map" if detector else title.split()[0].lower(): values})
        frames.append(cells.assign(detector=detector))
    caption = CAPTION.format(
        clip=first.clip_id,
        unit=first.axes.unit,
        mask=" and the cells of the event" if first.mask is not None else "",
        outline=" Green outline: cells that the event dominates." if first.mask is not None else "",
    )
    return FinishedFigure(figure, pd.concat(frames, ignore_index=True), caption)


def _map(axes: Axes, one: Illustration, title: str, values: np.ndarray, detector: str) -> None:
    axes.set_axis_on()
    if detector:
        relevance_picture(axes, values, one)
    elif title == "Input":
        picture(axes, values, one)
    else:
        picture(axes, values, one, colours="Greys", limits=(0.0, 1.0))
    bracket_events(axes, one.events)
    outline(axes, one, one.mask)
    axes.set_title(textwrap.fill(title, 22))
    without_ticks(axes, along="time")


def _curve(axes: Axes, one: Illustration, values: np.ndarray) -> None:
    axes.set_axis_on()
    curve = frame_curves(values[np.newaxis], "top5_mean")[0]
    times = (np.arange(len(curve)) + 0.5) / one.axes.frames_per_second
    mark_events(axes, one.events)
    axes.plot(times, curve, color="#333333", linewidth=0.7)
    axes.set_xlim(0, len(curve) / one.axes.frames_per_second)
    axes.set_xlabel("Time (s)")
