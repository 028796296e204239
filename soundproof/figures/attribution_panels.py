"""Where each explainer points, for every explained detector on one clip."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import INPUT_MAP
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.pictures import (
    bracket_events,
    mark_events,
    outline,
    picture,
    relevance_picture,
)
from soundproof.figures.style import PAGE_IN, PEAK, Space, empty, placed_blocks, styled, without_ticks
from soundproof.illustrations.table import Illustration, first_of_detectors
from soundproof.localisation.cells import binarise
from soundproof.localisation.frames import frame_curves

PERCENTILE = 98.0
MISSING = "no clip of the study is illustrated with maps"
CAPTION = (
    "Attribution on clip {clip}: what the detector was given ({unit}), then one column per explainer{blocks}. "
    "Top: the input, and relevance by time and frequency "
    "(red raises the anomaly score, blue lowers it; maps without sign from dark to bright; each map on "
    "its own scale). Middle: cells at or above the map's own 98th percentile. Bottom: the map summed "
    "over frequency, in standard deviations (z); dots are frames at or above the curve's 98th percentile. "
    "Blue: labelled time.{outline}{controls} Pictures of single clips show what maps look like, not how good they "
    "are; the tables do."
)
CONTROLS = (
    " The same detectors on controls of their backbone (random weights, no network) are left to the explorer "
    "and to the figure of the detectors' own maps."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw three rows of panels per illustration, one column per explainer."""
    explained = [one for one in first_of_detectors(illustrations) if one.maps]
    controls = results.controls_among({one.detector for one in explained})
    shown = [one for one in explained if one.detector not in controls]
    if not shown:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Attribution. Not available: {MISSING}.")
    # the input stands in front of all others anyway
    names = [
        name
        for name in results.explainers(name for one in shown for name in one.maps)
        if results.explainer_kind(name) != INPUT_MAP
    ]
    width = max(PAGE_IN, 1.15 * (len(names) + 1) + 0.6)
    titles = [_wrapped(results.explainer_title(name)) for name in names]
    lines = max((title.count("\n") + 1 for title in titles), default=1)
    figure, grids = placed_blocks(
        [results.detector_title(one.detector) for one in shown],
        3,
        len(names) + 1,
        width_in=width,
        row_in=0.62,
        space=Space(left=0.6, right=0.12, top=0.32 + 0.13 * lines, bottom=0.45, columns=0.4, rows=0.12),
        sharex="col",
    )
    frames = []
    for one, grid in zip(shown, grids, strict=True):
        picture(grid[0, 0], one.input, one)
        _marked(grid[:, 0], one, one.input)
        grid[0, 0].set_title("Input")
        frames.append(_frame(one, "input", one.input))
        for column, name, title in zip(grid.T[1:], names, titles, strict=True):
            if name in one.maps:
                relevance_picture(column[0], one.maps[name], one)
                _marked(column, one, one.maps[name])
                column[0].set_title(title)
                frames.append(_frame(one, name, one.maps[name]))
            else:
                for axes in column:
                    axes.set_axis_off()
        _scales(grid)
    clips = ", ".join(dict.fromkeys(one.clip_id for one in shown))
    has_mask = any(one.mask is not None for one in shown)
    caption = CAPTION.format(
        clip=clips,
        unit=shown[0].axes.unit,
        blocks=", one block of rows per detector" if len(shown) > 1 else "",
        controls=CONTROLS if len(shown) < len(explained) else "",
        outline=" Green outline: cells that the fault dominates." if has_mask else "",
    )
    return FinishedFigure(figure, pd.concat(frames, ignore_index=True), caption)


def _marked(rows: np.ndarray, one: Illustration, values: np.ndarray) -> None:
    """What stands below a map and over it: its highest cells, its curve, the truth."""
    picture(rows[1], _binarised(values), one, colours="Greys", limits=(0.0, 1.0))
    for axes in rows[:2]:
        bracket_events(axes, one.events)
        outline(axes, one, one.mask)
    _curve(rows[2], one, values)


def _curve(axes: Axes, one: Illustration, relevance: np.ndarray) -> None:
    z, peaks = _z_curve(relevance)
    times = (np.arange(len(z)) + 0.5) / one.axes.frames_per_second
    mark_events(axes, one.events)
    axes.plot(times, z, color="#333333", linewidth=0.6)
    axes.plot(times[peaks], z[peaks], ".", color=PEAK, markersize=3)
    axes.set_xlim(0, len(z) / one.axes.frames_per_second)


def _binarised(relevance: np.ndarray) -> np.ndarray:
    return np.asarray(binarise(relevance[np.newaxis], PERCENTILE / 100)[0], dtype=np.float64)


def _z_curve(relevance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardised curve and its peaks, each [n_frames]; a constant curve has none."""
    curve = frame_curves(relevance[np.newaxis])[0]
    spread = float(curve.std())
    z = (curve - curve.mean()) / spread if spread > 0 else np.zeros_like(curve)
    return z, (z >= np.percentile(z, PERCENTILE)) & (z > z.min())


def _scales(rows: np.ndarray) -> None:
    for axes in rows[:2].flat:
        without_ticks(axes, along="time")
    for axes in rows[:2, 1:].flat:
        without_ticks(axes, along="frequency")
    for axes in rows[:2, 0]:
        axes.set_ylabel("kHz")
    rows[2, 0].set_ylabel("z")
    for axes in rows[2]:
        axes.set_xlabel("Time (s)")


def _wrapped(title: str) -> str:
    return textwrap.fill(title, 12)


def _frame(one: Illustration, name: str, relevance: np.ndarray) -> pd.DataFrame:
    z, peaks = _z_curve(relevance)
    cells = one.cells({"relevance": relevance, "binarised": _binarised(relevance)})
    curve = pd.DataFrame(
        {
            "frame_index": np.arange(len(z), dtype=np.int32),
            "time_s": np.arange(len(z)) / one.axes.frames_per_second,
            "detector": one.detector,
            "clip_id": one.clip_id,
        }
    )
    curves = [
        curve.assign(part="z_curve", value=z),
        curve.assign(part="peak", value=peaks.astype(np.float64)),
    ]
    return pd.concat([cells, *curves], ignore_index=True).assign(explainer=name)
