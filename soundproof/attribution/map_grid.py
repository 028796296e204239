"""Bring maps of another resolution to the grid of the clips, by a stated rule."""

from __future__ import annotations

from typing import Literal

import numpy as np

from soundproof.core.errors import DataError

Resolution = Literal["same", "any"]


def on_grid(what: str, values: np.ndarray, shape: tuple[int, int], resolution: Resolution) -> np.ndarray:
    """Return maps on the grid of the clips.

    With ``any``, a map is taken to reach over the clip's whole duration and over its bands in their order,
    whatever their number: cell i of n covers the part from i/n to (i+1)/n of its axis. A cell of the grid gets the
    mean of the map over the part that it covers. The mean of a map stays what it is.

    Args:
        what: What they are, in words.
        values: Maps [..., bands, frames].
        shape: Bands and frames of the clips.
        resolution: ``same``: only maps of that shape.

    Raises:
        DataError: The shape is another.
    """
    found = tuple(values.shape[-2:])
    if values.ndim < 2 or 0 in found or (found != shape and resolution == "same"):
        asked = f"{what} of shape {shape} (frequency bins, frames)"
        remedy = (
            "explain the features of this run: same recipe, same clip length; maps of the same bands and time in "
            "another resolution are brought to this one with 'resolution: any'"
        )
        if found == shape[::-1]:
            remedy = "transpose them"
        raise DataError(asked, f"shape {tuple(values.shape)}", remedy)
    if found == shape:
        return values
    rows, columns = (shares(n_in, n_out) for n_in, n_out in zip(found, shape, strict=True))
    brought: np.ndarray = rows @ values.astype(np.float64) @ columns.T
    return brought


def shares(n_in: int, n_out: int) -> np.ndarray:
    """How much of each of ``n_out`` equal parts of an axis lies in each of ``n_in`` others, [n_out, n_in]."""
    edges_in, edges_out = (np.arange(n + 1) * (n_in * n_out / n) for n in (n_in, n_out))
    low = np.maximum(edges_out[:-1, None], edges_in[:-1])
    high = np.minimum(edges_out[1:, None], edges_in[1:])
    shared: np.ndarray = np.maximum(high - low, 0) / n_in
    return shared
