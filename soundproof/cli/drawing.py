"""Draw one map of a file with its axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from soundproof.core.errors import ArtefactError
from soundproof.figures.style import COLUMN_IN, MAP_COLOURS, SIGNED_COLOURS, panels, styled
from soundproof.storage.files import whole_file
from soundproof.storage.maps import Axes, MapReader

_N_TICKS = 6


def draw_map(path: Path, clip_id: str | None, out: Path) -> str:
    """Draw the map of a clip.

    Args:
        path: File of maps (features, masks or attributions).
        clip_id: Which map; None: the first of the file.
        out: Picture to write; its suffix tells the format.

    Returns:
        The clip whose map was drawn.

    Raises:
        ArtefactError: No such file, not a file of maps, or no such clip in it.
    """
    reader = MapReader(path)
    if not reader.clip_ids:
        raise ArtefactError(f"a map in {path}", "none", "give a file that holds maps")
    drawn = reader.clip_ids[0] if clip_id is None else clip_id
    figure = picture_of(reader.read([drawn])[0], reader.axes, drawn)
    with whole_file(out) as partial:
        figure.savefig(partial)
    return drawn


@styled
def picture_of(values: np.ndarray, grid: Axes, title: str) -> Figure:
    """Picture of a map [n_freq, n_frames]; signed maps are drawn around white."""
    n_freq, n_frames = grid.shape
    top = float(np.abs(values).max())
    signed = values.min() < 0
    figure, cells = panels(1, 1, width_in=1.6 * COLUMN_IN, height_in=0.8 * COLUMN_IN)
    axes = cells[0, 0]
    image = axes.imshow(
        values,
        origin="lower",
        aspect="auto",
        cmap=SIGNED_COLOURS if signed else MAP_COLOURS,
        vmin=-top if signed else None,
        vmax=top if signed else None,
        extent=(0, n_frames / grid.frames_per_second, -0.5, n_freq - 0.5),
    )
    axes.grid(visible=False)
    rows = np.linspace(0, n_freq - 1, min(_N_TICKS, n_freq)).round().astype(int)
    axes.set_yticks(rows, [f"{grid.frequencies_hz[row]:.0f}" for row in rows])
    axes.set_xlabel("Time (s)")
    axes.set_ylabel("Frequency (Hz)")
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label=grid.unit)
    return figure
