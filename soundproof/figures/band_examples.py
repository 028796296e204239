"""Where each explainer points on a clip of each machine, with the frequency bands drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.bands import band_rows, finest
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.bands import band_edges_hz, band_of_bins
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.pictures import bracket_events, relevance_picture
from soundproof.figures.style import OUTLINE, PAGE_IN, Space, empty, placed_blocks, styled, without_ticks
from soundproof.illustrations.table import Illustration

NO_BANDS = "band removal was not measured"
NO_MAPS = "no clip of the study is illustrated with maps"
CAPTION = (
    "Relevance on {clips} with the {bands} {scale} frequency bands between whose relevance and effect ρ is "
    "computed: a block per detector, a row per machine, the clip of median score each. Bars: mean absolute "
    "relevance inside each band, on a scale of its own in every panel. Dashed blue: labelled time.{outline} "
    "Single clips show what bands average away, not how good a map is."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw a panel per illustrated detector, machine and explainer."""
    shown = [one for one in illustrations if one.maps]
    rows = band_rows(results, "band_relevance")
    if rows.empty or not shown:
        reason = NO_BANDS if rows.empty else NO_MAPS
        caption = CAPTION.format(clips="single clips", bands="K", scale="", outline="")
        return FinishedFigure(empty(reason), pd.DataFrame(), f"{caption} Not available: {reason}.")
    finest_rows = finest(rows)
    scale, n_bands = finest_rows["scale"].iloc[0], int(finest_rows["n_bands"].iloc[0])
    detectors = results.detectors(one.detector for one in shown)
    clips = list(dict.fromkeys(one.clip_id for one in shown))
    names = results.explainers(name for one in shown for name in one.maps)
    figure, grids = placed_blocks(
        [results.detector_title(detector) for detector in detectors],
        len(clips),
        len(names),
        width_in=max(PAGE_IN, 1.4 * len(names)),
        row_in=0.95,
        # the bars of a panel stand right of it
        space=Space(left=0.75, right=0.4, top=0.45, bottom=0.45, columns=0.5, rows=0.2),
        sharex="col",
    )
    frames = []
    for detector, grid in zip(detectors, grids, strict=True):
        of_clip = {one.clip_id: one for one in shown if one.detector == detector}
        for (row, clip), (column, name) in product(enumerate(clips), enumerate(names)):
            axes, one = grid[row, column], of_clip.get(clip)
            if one is None or name not in one.maps:
                axes.set_axis_off()
                continue
            of_bin = band_of_bins(one.axes.frequencies_hz, scale, n_bands)
            frames.append(_panel(axes, one, one.maps[name], of_bin).assign(explainer=name))
            _words(
                axes, results.explainer_title(name), one.machine, row == 0, column == 0, row == len(clips) - 1
            )
    masked = any(one.mask is not None for one in shown)
    caption = CAPTION.format(
        clips=f"clip {clips[0]}" if len(clips) == 1 else f"clips {', '.join(clips)}",
        bands=n_bands,
        scale=scale,
        outline=" Green, over the bars: each band's share of cells of the fault, to the same height."
        if masked
        else "",
    )
    return FinishedFigure(figure, pd.concat(frames, ignore_index=True), caption)


def _words(axes: Axes, title: str, machine: str, top: bool, left: bool, bottom: bool) -> None:
    if top:
        axes.set_title(title)
    if left:
        axes.set_ylabel(f"{machine}\nFrequency (kHz)".lstrip())
    else:
        without_ticks(axes, along="frequency")
    if bottom:
        axes.set_xlabel("Time (s)")


def _panel(axes: Axes, one: Illustration, relevance: np.ndarray, of_bin: np.ndarray) -> pd.DataFrame:
    """Draw map, band edges and a bar per band; return what the bars show."""
    relevance_picture(axes, relevance, one)
    bracket_events(axes, one.events)
    starts = np.flatnonzero(np.diff(of_bin)) + 1
    for start in starts:
        axes.axhline(start - 0.5, color="#00A0A0", linewidth=0.6)
    edges = np.array([0, *starts, len(of_bin)]) - 0.5
    means = np.array([np.abs(relevance[of_bin == band]).mean() for band in range(len(starts) + 1)])
    bars = axes.inset_axes((1.02, 0.0, 0.22, 1.0), sharey=axes)
    bars.barh(
        edges[:-1],
        means,
        height=np.diff(edges),
        align="edge",
        color="#7A7A7A",
        edgecolor="white",
        linewidth=0.4,
    )
    if one.mask is not None and one.mask.any():
        inside = np.array([one.mask[of_bin == band].mean() for band in range(len(means))])
        bars.stairs(
            inside / inside.max() * means.max(), edges, orientation="horizontal", color=OUTLINE, linewidth=1.0
        )
    bars.tick_params(left=False, labelleft=False, bottom=False, labelbottom=False)
    bars.grid(visible=False)
    low_hz, high_hz = zip(*band_edges_hz(one.axes.frequencies_hz, of_bin), strict=True)
    return pd.DataFrame(
        {
            "detector": one.detector,
            "machine": one.machine,
            "clip_id": one.clip_id,
            "band": np.arange(1, len(means) + 1),
            "low_hz": low_hz,
            "high_hz": high_hz,
            "mean_absolute_relevance": means,
        }
    )
