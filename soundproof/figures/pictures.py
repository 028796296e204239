"""Time-frequency pictures: image, scales in seconds and kilohertz, labelled events, outline of an exact mask."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from soundproof.figures.style import EVENT, MAP_COLOURS, OUTLINE, SIGNED_COLOURS, frequency_ticks
from soundproof.illustrations.table import Illustration

INPUT_COLOURS = "viridis"


def picture(
    axes: Axes,
    values: np.ndarray,
    illustration: Illustration,
    *,
    colours: str = INPUT_COLOURS,
    limits: tuple[float, float] | None = None,
) -> AxesImage:
    """Draw a map [n_freq, n_frames]; low frequencies are at the bottom.

    Args:
        axes: Where.
        values: The map.
        illustration: Whose grid it lies on.
        colours: Colour map.
        limits: Values at the ends of the colour map; None: the map's own.
    """
    n_freq, n_frames = illustration.axes.shape
    low, high = limits if limits is not None else (float(values.min()), float(values.max()))
    image = axes.imshow(
        values,
        origin="lower",
        aspect="auto",
        cmap=colours,
        vmin=low,
        vmax=high,
        extent=(0, n_frames / illustration.axes.frames_per_second, -0.5, n_freq - 0.5),
    )
    axes.grid(visible=False)
    frequency_ticks(axes, np.asarray(illustration.axes.frequencies_hz))
    return image


def relevance_picture(axes: Axes, values: np.ndarray, illustration: Illustration) -> AxesImage:
    """Draw a relevance map: signed ones around white, unsigned ones from dark to bright.

    The scale ends at the 99.5th percentile of the magnitude, so that one cell cannot hide the others.
    """
    top = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        return picture(axes, values, illustration, colours=SIGNED_COLOURS, limits=(-top, top))
    return picture(axes, values, illustration, colours=MAP_COLOURS, limits=(0.0, top))


def mark_events(axes: Axes, events: Sequence[tuple[float, float]], *, alpha: float = 0.18) -> None:
    """Shade the labelled time."""
    for onset, offset in events:
        axes.axvspan(onset, offset, color=EVENT, alpha=alpha, linewidth=0, label="labelled event")


def bracket_events(axes: Axes, events: Sequence[tuple[float, float]]) -> None:
    """Frame the labelled time with dashed lines, where a shade would change the colours of a picture."""
    edges = [edge for event in events for edge in event]
    # sound goes on for a little after the last frame; the picture does not
    limits = axes.get_xlim()
    # one artist for all edges: a line of each costs as much as the picture
    looks: Sequence[dict[str, Any]] = (
        {"color": "white", "linewidth": 1.6},
        {"color": EVENT, "linewidth": 0.9, "linestyle": "--"},
    )
    for look in looks:
        axes.vlines(edges, 0, 1, transform=axes.get_xaxis_transform(), **look)
    axes.set_xlim(limits)


def outline(axes: Axes, illustration: Illustration, mask: np.ndarray | None, colour: str = OUTLINE) -> None:
    """Draw the outline of the marked cells, where there is a mask with both kinds of cells."""
    if mask is None or mask.all() or not mask.any():
        return
    n_freq, n_frames = mask.shape
    times = (np.arange(n_frames) + 0.5) / illustration.axes.frames_per_second
    # the lines that axes.contour draws, without what it sets up for scales and labels
    found = contour_generator(times, np.arange(n_freq), mask.astype(float), line_type=LineType.Separate)
    lines = cast("list[np.ndarray]", found.lines(0.5))
    axes.add_collection(LineCollection(lines, colors=[colour], linewidths=0.6, zorder=2), autolim=False)


def colour_bar(figure: Figure, image: AxesImage, axes: Axes | list[Axes], unit: str) -> None:
    """A slim colour bar that names the unit."""
    bar = figure.colorbar(image, ax=axes, pad=0.015, fraction=0.05, aspect=25)
    # a unit in words is longer than a bar is high
    bar.set_label(textwrap.fill(unit, 24))
    bar.outline.set_linewidth(0.4)


def name_axes(axes: Axes, *, time: bool = True, frequency: bool = True) -> None:
    """Label the axes of a picture."""
    if time:
        axes.set_xlabel("Time (s)")
    if frequency:
        axes.set_ylabel("Frequency (kHz)")
