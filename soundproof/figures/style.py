"""One look for all figures: widths of a two-column paper, colours that colour-blind readers tell apart.

Figures are made without pyplot, hence without global state, and under fixed settings, hence with the same
bytes on every run.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

COLUMN_IN = 3.5
"""Width of one column of a two-column page, inches."""
PAGE_IN = 7.2
"""Width of the page, inches."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#4D4D4D")
"""Okabe and Ito's palette for colour-blind readers; its yellow, too pale for lines, is replaced by purple."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CHANCE = "#222222"
CONTROL: dict[str, Any] = {"color": "#999999", "marker": ".", "linestyle": "-."}
"""Look of explainers that know nothing by design."""
EVENT = "#0072B2"
PEAK = "#D55E00"
REPLACED = "#C8C8C8"
OUTLINE = "#00C853"
MAP_COLOURS = "magma"
SIGNED_COLOURS = "RdBu_r"

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "image.interpolation": "nearest",
    "image.resample": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.hashsalt": "soundproof",
}

P = ParamSpec("P")
T = TypeVar("T")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run a drawing function under :data:`SETTINGS`, whatever the user's matplotlibrc says."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(cast(Any, SETTINGS))
            return draw(*args, **kwargs)

    return wrapper


def panels(
    n_rows: int, n_columns: int, *, width_in: float, height_in: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Make a figure with a grid of axes.

    Returns:
        The figure and an object array of axes [n_rows, n_columns].
    """
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def blocks(
    count: int, n_rows: int, n_columns: int, *, width_in: float, height_in: float
) -> tuple[Figure, list[tuple[SubFigure, np.ndarray]]]:
    """Make a figure of blocks, one below the other, each with its own heading and grid of axes.

    Returns:
        The figure and, per block, the part of it that takes the heading and its axes [n_rows, n_columns].
    """
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(count, 1, squeeze=False)[:, 0]
    return figure, [(part, part.subplots(n_rows, n_columns, squeeze=False)) for part in parts]


@dataclass(frozen=True)
class Space:
    """Room around and between the panels of a block, inches.

    Attributes:
        left: For what stands left of the first column.
        right: For what stands right of the last one.
        top: For heading and titles.
        bottom: For what stands under the last row.
        columns: Between two columns.
        rows: Between two rows.
    """

    left: float
    right: float
    top: float
    bottom: float
    columns: float
    rows: float


def placed_blocks(
    headings: Sequence[str],
    n_rows: int,
    n_columns: int,
    *,
    width_in: float,
    row_in: float,
    space: Space,
    **options: Any,
) -> tuple[Figure, list[np.ndarray]]:
    """Make a figure of blocks, one below the other, whose panels are placed by measure.

    For many pictures with the same words around them: to find the room by drawing, as :func:`blocks` does, costs as
    much as to draw them, and leaves too much of it where a block has several titles.

    Args:
        headings: One per block.
        n_rows: Rows of panels in a block.
        n_columns: Columns of panels.
        width_in: Width of the figure, inches.
        row_in: Height of a panel, inches.
        space: Room around them.
        options: For :meth:`matplotlib.gridspec.GridSpec.subplots`.

    Returns:
        The figure and, per block, its axes [n_rows, n_columns].
    """
    block_in = space.top + n_rows * row_in + (n_rows - 1) * space.rows + space.bottom
    height_in = block_in * len(headings)
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    column_in = (width_in - space.left - space.right - (n_columns - 1) * space.columns) / n_columns
    grids = []
    for number, heading in enumerate(headings):
        top = height_in - number * block_in
        spec = figure.add_gridspec(
            n_rows,
            n_columns,
            left=space.left / width_in,
            right=1 - space.right / width_in,
            top=(top - space.top) / height_in,
            bottom=(top - block_in + space.bottom) / height_in,
            wspace=space.columns / column_in,
            hspace=space.rows / row_in,
        )
        grids.append(spec.subplots(squeeze=False, **options))
        figure.text(
            0.5, (top - 0.06) / height_in, heading, fontsize=8, fontweight="bold", ha="center", va="top"
        )
    return figure, grids


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and dash of each name; a ninth name repeats the colours with dashes."""
    chosen = {}
    for index, name in enumerate(names):
        turn, position = divmod(index, len(COLOURS))
        chosen[name] = {
            "color": COLOURS[position],
            "marker": MARKERS[position],
            "linestyle": ("-", "--", ":")[turn % 3],
        }
    return chosen


def curve_with_band(axes: Axes, x: np.ndarray, values: Sequence[np.ndarray], look: dict[str, Any]) -> Line2D:
    """Draw a curve with its confidence band; a band that is undefined is left out.

    Args:
        axes: Where.
        x: Abscissa [n].
        values: Value, lower and upper end of its interval, each [n].
        look: Colour, marker and dash.
    """
    value, low, high = values
    (line,) = axes.plot(x, value, **look)
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        axes.fill_between(x[known], low[known], high[known], color=look["color"], alpha=0.13, linewidth=0)
    return line


def without_ticks(axes: Axes, *, along: Literal["time", "frequency"]) -> None:
    """Take the ticks of an inner panel away: its outer neighbour has the same, with their words.

    A sixth of the work of a page of small panels goes into ticks that nobody reads.
    """
    (axes.xaxis if along == "time" else axes.yaxis).set_visible(False)


def frequency_ticks(axes: Axes, frequencies_hz: np.ndarray, count: int = 5) -> None:
    """Label the rows of an image with the frequencies they stand for, whatever their spacing."""
    rows = np.linspace(0, len(frequencies_hz) - 1, count).round().astype(int)
    kilohertz = np.asarray(frequencies_hz)[rows] / 1000
    axes.set_yticks(rows, [f"{f:.2g}" for f in kilohertz])


def empty(message: str, *, width_in: float = COLUMN_IN) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure, grid = panels(1, 1, width_in=width_in, height_in=1.2)
    axes = grid[0, 0]
    axes.set_axis_off()
    lines = textwrap.fill(message, 48)
    axes.text(0.5, 0.5, lines, ha="center", va="center", transform=axes.transAxes, color="#444444")
    return figure
