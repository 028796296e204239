"""Maps as bytes that a page can hold: coarser where there is little room, 8 bits a cell, packed as one block.

The block of a clip holds, in this order and without gaps: its spectrogram, its mask (0 or 1) where there is one,
and of each map the cells, the curve over time (sum over frequency) and the curve over frequency (sum over time).
Cells lie row by row, low frequencies first. Byte 0 is no number (NaN or infinity), 1 to 255 are equal steps from
``low`` to ``high``.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from soundproof.explorer.view import ClipView
from soundproof.storage.maps import Axes

STEPS = 254
"""Steps from the lowest to the highest value of a byte."""
TOP_PERCENTILE = 99.5
"""Where scales of relevance end, so that one cell cannot hide the others; as in the figures."""
INPUT_PERCENTILES = (0.1, 99.9)
DIGITS = 6


@dataclass(frozen=True)
class Scale:
    """What bytes stand for."""

    low: float
    high: float

    def bytes_of(self, values: np.ndarray) -> np.ndarray:
        """Round values to bytes, uint8 of the same shape; beyond the ends they stay at the ends."""
        span = self.high - self.low
        finite = np.isfinite(values)
        part = (np.where(finite, values, self.low) - self.low) / (span or 1.0)
        stepped = 1 + np.rint(STEPS * np.clip(part, 0.0, 1.0))
        return np.where(finite, stepped, 0).astype(np.uint8)

    def plain(self) -> list[float]:
        """Both ends, as the page reads them."""
        return [rounded(self.low), rounded(self.high)]


def rounded(value: float) -> float:
    """A number as pages hold it, with so many digits as anybody reads."""
    return float(f"{value:.{DIGITS}g}")


def scale_of_input(values: np.ndarray) -> Scale:
    """Scale of a spectrogram, without its most extreme cells."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Scale(0.0, 1.0)
    low, high = np.percentile(finite, INPUT_PERCENTILES)
    return Scale(float(low), float(high))


def scale_of_relevance(values: np.ndarray) -> Scale:
    """Scale of a map: around zero where it is signed, else from zero."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Scale(0.0, 1.0)
    size = np.abs(finite)
    top = float(np.percentile(size, TOP_PERCENTILE)) or float(size.max()) or 1.0
    return Scale(-top if finite.min() < 0 else 0.0, top)


def scale_of_curve(values: np.ndarray) -> Scale:
    """Scale of a curve, which shows zero."""
    finite = values[np.isfinite(values)]
    return Scale(float(min(0.0, finite.min(initial=0.0))), float(max(0.0, finite.max(initial=0.0))))


@dataclass(frozen=True)
class Coarseness:
    """Cells of a map that are shown as one: neighbouring frequencies, neighbouring frames."""

    frequencies: int = 1
    frames: int = 1

    def coarser(self, shape: tuple[int, int]) -> Coarseness:
        """Half as many cells, along the longer side of maps of this shape [n_freq, n_frames]."""
        rows, columns = shape[0] / self.frequencies, shape[1] / self.frames
        if columns >= rows:
            return replace(self, frames=2 * self.frames)
        return replace(self, frequencies=2 * self.frequencies)

    def cells(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that maps of this shape [n_freq, n_frames] are shown with."""
        return -(-shape[0] // self.frequencies), -(-shape[1] // self.frames)

    def shown(self, view: ClipView) -> ClipView:
        """A clip with coarser maps: means of relevance and level, any cell of the fault."""
        if self == Coarseness():
            return view
        rate = view.axes.frames_per_second / self.frames
        rows = self._means(np.asarray(view.axes.frequencies_hz)[:, None], columns=1)[:, 0]
        n_frames = self.cells(view.axes.shape)[1]
        return replace(
            view,
            axes=Axes(tuple(rows.tolist()), rate, n_frames, view.axes.unit),
            spectrogram=self._means(view.spectrogram, self.frames),
            maps={of: self._means(values, self.frames) for of, values in view.maps.items()},
            mask=None if view.mask is None else self._means(view.mask.astype(float), self.frames) > 0,
        )

    def _means(self, values: np.ndarray, columns: int) -> np.ndarray:
        rows = np.arange(0, values.shape[0], self.frequencies)
        starts = np.arange(0, values.shape[1], columns)
        sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), starts, axis=1)
        ones = np.add.reduceat(np.add.reduceat(np.ones(values.shape), rows, axis=0), starts, axis=1)
        means: np.ndarray = sums / ones
        return means


def packed(view: ClipView) -> dict[str, Any]:
    """The maps of a clip as plain values: scales, and one compressed block of bytes in base 64."""
    shown = scale_of_input(view.spectrogram)
    parts = [shown.bytes_of(view.spectrogram)]
    if view.mask is not None:
        parts.append(view.mask.astype(np.uint8))
    maps = []
    for (detector, explainer), values in view.maps.items():
        cells = scale_of_relevance(values)
        numbers = np.where(np.isfinite(values), values, 0.0)
        curves = [numbers.sum(axis=axis, dtype=np.float64) for axis in (0, 1)]
        of_curves = [scale_of_curve(curve) for curve in curves]
        parts.append(cells.bytes_of(values))
        parts += [scale.bytes_of(curve) for scale, curve in zip(of_curves, curves, strict=True)]
        maps.append(
            {
                "detector": detector,
                "explainer": explainer,
                "scale": cells.plain(),
                "signed": cells.low < 0,
                "curves": [scale.plain() for scale in of_curves],
                "missing": int((~np.isfinite(values)).sum()),
            }
        )
    block = b"".join(part.tobytes() for part in parts)
    return {
        "frequencies": [rounded(row) for row in view.axes.frequencies_hz],
        "rate": rounded(view.axes.frames_per_second),
        "frames": view.axes.n_frames,
        "unit": view.axes.unit,
        "scale": shown.plain(),
        "mask": view.mask is not None,
        "maps": maps,
        "block": base64.b64encode(zlib.compress(block, 6)).decode("ascii"),
    }
