"""F5: what is replaced when faithfulness FF is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.results import StudyResults
from soundproof.figures.curves import legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.pictures import bracket_events, colour_bar, mark_events, name_axes, picture
from soundproof.figures.style import PAGE_IN, PEAK, REPLACED, empty, panels, styled
from soundproof.illustrations.table import Illustration

PERCENTILE = 98.0
MISSING = "no illustrated detector offers a reconstruction with replaced frames"
CAPTION = (
    "How FF is measured ({detector}, {explainer}, clip {clip}). Original features; the detector's "
    "reconstruction; the explainer's curve with the frames at or above its 98th percentile (dots), the "
    "replaced time (grey) and the labelled time (blue); and the modified input, whose score is compared "
    "with that of the original. Here {share:.1%} of the frames are replaced."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw original, reconstruction, curve and modified input of the first illustration that has them."""
    chosen = next(
        (one for one in illustrations if one.replaced_input is not None and one.curve is not None), None
    )
    if (
        chosen is None
        or chosen.reconstruction is None
        or chosen.replaced_input is None
        or chosen.curve is None
    ):
        return FinishedFigure(
            empty(MISSING), pd.DataFrame(), f"How FF is measured. Not available: {MISSING}."
        )
    replaced = (chosen.replaced_input != chosen.input).any(axis=0)
    figure, grid = panels(2, 2, width_in=PAGE_IN, height_in=4.0, sharex=True)
    limits = float(chosen.input.min()), float(chosen.input.max())
    for axes, values, title in (
        (grid[0, 0], chosen.input, "Original"),
        (grid[0, 1], chosen.reconstruction, "Reconstruction"),
        (grid[1, 1], chosen.replaced_input, "Modified input"),
    ):
        image = picture(axes, values, chosen, limits=limits)
        bracket_events(axes, chosen.events)
        axes.set_title(title)
        name_axes(axes, time=False)
    explainer = results.explainer_title(chosen.curve_explainer)
    peaks = _draw_curve(grid[1, 0], chosen, chosen.curve, replaced)
    grid[1, 0].set(title=f"Curve of {explainer}", ylabel="Relevance")
    for axes in grid[1]:
        axes.set_xlabel("Time (s)")
    legend_below(figure, grid[1, 0].get_legend_handles_labels()[0], 4)
    colour_bar(figure, image, list(grid[:, 1]), chosen.axes.unit)
    caption = CAPTION.format(
        detector=results.detector_title(chosen.detector),
        explainer=explainer,
        clip=chosen.clip_id,
        share=float(replaced.mean()),
    )
    return FinishedFigure(figure, _frame(chosen, chosen.curve, peaks, replaced), caption)


def _draw_curve(axes: Axes, one: Illustration, curve: np.ndarray, replaced: np.ndarray) -> np.ndarray:
    times = (np.arange(len(curve)) + 0.5) / one.axes.frames_per_second
    peaks = (curve >= np.percentile(curve, PERCENTILE)) & (curve > curve.min())
    edges = np.flatnonzero(np.diff(np.concatenate([[0], replaced.astype(np.int8), [0]])))
    for start, stop in edges.reshape(-1, 2) / one.axes.frames_per_second:
        axes.axvspan(start, stop, color=REPLACED, linewidth=0, label="replaced")
    mark_events(axes, one.events)
    axes.plot(times, curve, color="#333333", linewidth=0.8)
    axes.plot(times[peaks], curve[peaks], ".", color=PEAK, markersize=4, label="peak")
    axes.set_xlim(0, len(curve) / one.axes.frames_per_second)
    return np.asarray(peaks)


def _frame(one: Illustration, curve: np.ndarray, peaks: np.ndarray, replaced: np.ndarray) -> pd.DataFrame:
    parts = {
        name: part
        for name, part in one.parts().items()
        if name in ("input", "reconstruction", "replaced_input")
    }
    frames = np.arange(len(curve), dtype=np.int32)
    time = pd.DataFrame({"frame_index": frames, "time_s": frames / one.axes.frames_per_second})
    time = time.assign(detector=one.detector, clip_id=one.clip_id)
    values = {"curve": curve, "peak": peaks, "replaced": replaced}
    curves = [time.assign(part=name, value=np.asarray(value, np.float64)) for name, value in values.items()]
    return pd.concat([one.cells(parts), *curves], ignore_index=True)
