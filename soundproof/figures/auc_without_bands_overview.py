"""AUC without each frequency band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from soundproof.analysis.band_areas import MEAN, band_areas
from soundproof.analysis.bands import finest, in_order
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.detection.registry import CHANCE_AUC
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.figures.band_panels import band_label, band_ticks
from soundproof.figures.curves import UNIFORM_LOOK, legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import COLOURS, MARKERS, PAGE_IN, empty, panels, styled

COLUMNS = 3
INTACT = "#4D4D4D"
CAPTION = (
    "Mean AUC over machines with one of {bands} frequency bands removed, by what the removed "
    "band shows. Bars: 95 % bootstrap interval over clips, for these machines and trainings. Solid line and "
    "shade: intact clips with their interval. "
    "Dashed: chance. A point above the line says that the detector ranks better without the band."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw a panel per detector."""
    areas, reason = band_areas(results)
    if areas.empty:
        caption = f"{CAPTION.format(bands='K')} Not available: {reason}."
        return FinishedFigure(empty(reason), areas, caption)
    mean = areas[areas["machine"].eq(MEAN)]
    intact, removed = mean[mean["band"].eq(0)], finest(mean[mean["band"].gt(0)])
    n_bands = int(removed["n_bands"].iloc[0])
    detectors, removals = results.detectors(removed["detector"]), in_order(removed["removal"])
    columns = min(COLUMNS, len(detectors))
    rows = -(-len(detectors) // columns)
    width = PAGE_IN if columns > 1 else 3.6
    figure, grid = panels(rows, columns, width_in=width, height_in=1.9 * rows + 0.6, sharey=True)
    handles: list[Artist] = []
    for index, detector in enumerate(detectors):
        axes = grid.flat[index]
        handles += _line(axes, intact[intact["detector"].eq(detector)].iloc[0], n_bands)
        handles += _points(axes, removed[removed["detector"].eq(detector)], removals)
        axes.set_title(results.detector_title(detector))
        band_ticks(axes, results, removed["scale"].iloc[0], n_bands)
        if index % columns == 0:
            axes.set_ylabel("AUC")
        if index + columns >= len(detectors):
            axes.set_xlabel(f"Removed band: {band_label(results)[0].lower()}{band_label(results)[1:]}")
    for axes in grid.flat[len(detectors) :]:
        axes.set_axis_off()
    legend_below(figure, handles, 5 if columns > 1 else 2)
    frame = titled(pd.concat([intact, removed], ignore_index=True), results)
    return FinishedFigure(figure, frame, CAPTION.format(bands=n_bands))


def _line(axes: Axes, intact: pd.Series, n_bands: int) -> list[Artist]:
    axes.axhspan(intact["ci_low"], intact["ci_high"], color=INTACT, alpha=0.12, linewidth=0)
    axes.set_xlim(0.4, n_bands + 0.6)
    return [
        axes.axhline(intact["value"], color=INTACT, linewidth=1.2, label="intact"),
        axes.axhline(CHANCE_AUC, label="Chance", **UNIFORM_LOOK),
    ]


def _points(axes: Axes, part: pd.DataFrame, removals: Sequence[str]) -> list[Artist]:
    handles: list[Artist] = []
    shifts = np.linspace(-0.15, 0.15, len(removals)) if len(removals) > 1 else np.zeros(1)
    for removal, shift, colour, marker in zip(removals, shifts, COLOURS, MARKERS, strict=False):
        rows = part[part["removal"].eq(removal)].sort_values("band")
        value = rows["value"].to_numpy(np.float64)
        spread = np.abs(rows[["ci_low", "ci_high"]].to_numpy(np.float64).T - value)
        drawn = axes.errorbar(
            rows["band"] + shift, value, spread, color=colour, marker=marker, linewidth=0.9, elinewidth=0.7
        )
        drawn.lines[0].set_label(f"replaced by {REMOVAL_TITLES[removal]}")
        handles.append(drawn.lines[0])
    return handles
