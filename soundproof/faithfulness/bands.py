"""Partitions of a frequency axis into contiguous bands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.band_settings import Scale

Band = tuple[float, float]
"""(low_hz, high_hz)."""


def band_of_bins(frequencies_hz: Sequence[float] | np.ndarray, scale: Scale, count: int) -> np.ndarray:
    """Assign every bin of an axis to one of ``count`` bands.

    A bin belongs to the band that holds its centre. ``linear`` and ``mel`` bands have equal width on that
    scale between the outer edges of the axis, which lie half a bin beyond the first and the last centre, so
    that an axis with equally spaced bins is cut into equal numbers of bins (to within one). ``octave`` bands
    end at the upper edge of the axis and halve downwards; the lowest takes everything that is left, 0 Hz
    included. A bin on an edge belongs to the upper band on the linear and mel scales, and to the lower one on
    the octave scale, whose octaves are closed at their upper end.

    Args:
        frequencies_hz: Centre of each bin, rising, [n_freq].
        scale: Scale of the bands.
        count: Number of bands K.

    Returns:
        int64 [n_freq], 0 = lowest band, ..., ``count`` - 1.

    Raises:
        DataError: The axis is empty, does not rise, or holds a negative or infinite frequency.
        ConfigError: More bands than bins, or a band that holds no bin.
    """
    centres = np.asarray(frequencies_hz, dtype=np.float64)
    _check_axis(centres)
    asked = f"{count} {scale} bands"
    if count > len(centres):
        raise ConfigError(asked, f"maps of {len(centres)} frequency bins", f"at most {len(centres)} bands")
    if scale == "octave":
        of_bin = _octaves(centres, count)
    else:
        of_bin = _equal_widths(centres if scale == "linear" else _mel(centres), count)
    empty = np.setdiff1d(np.arange(count), of_bin)
    if empty.size:
        raise ConfigError(
            asked,
            f"band {empty[0] + 1} (counted from the lowest) holds none of the {len(centres)} bins between "
            f"{centres[0]:.0f} and {centres[-1]:.0f} Hz",
            "fewer bands, or the scale on which the bins are spaced evenly",
        )
    return of_bin


def band_edges_hz(frequencies_hz: Sequence[float] | np.ndarray, of_bin: np.ndarray) -> list[Band]:
    """Return (low_hz, high_hz) of each band: half-way between the outermost centres of neighbouring bands.

    Args:
        frequencies_hz: Centre of each bin [n_freq].
        of_bin: Bands as from :func:`band_of_bins`.
    """
    centres = np.asarray(frequencies_hz, dtype=np.float64)
    first = np.flatnonzero(np.diff(of_bin)) + 1
    inner = (centres[first - 1] + centres[first]) / 2
    edges = [float(centres[0]), *inner.tolist(), float(centres[-1])]
    return list(pairwise(edges))


def bins_within(frequencies_hz: Sequence[float] | np.ndarray, bands: Sequence[Band]) -> np.ndarray:
    """Mark the bins whose centre lies in at least one band, ends included; bool [n_freq]."""
    centres = np.asarray(frequencies_hz, dtype=np.float64)
    inside = np.zeros(len(centres), dtype=bool)
    for low_hz, high_hz in bands:
        inside |= (low_hz <= centres) & (centres <= high_hz)
    return inside


def _check_axis(centres: np.ndarray) -> None:
    rises = centres.ndim == 1 and centres.size > 0 and bool((np.diff(centres) > 0).all())
    if not rises or not np.isfinite(centres).all() or centres[0] < 0:
        raise DataError(
            "a frequency axis that rises from 0 Hz or above",
            "an empty, falling, negative or infinite one",
            "look at the axes of the features file",
        )


def _mel(hertz: np.ndarray) -> np.ndarray:
    """HTK mel, the formula of the log-mel features."""
    return np.asarray(2595 * np.log10(1 + hertz / 700))


def _equal_widths(centres: np.ndarray, count: int) -> np.ndarray:
    low, high = _outer_edges(centres)
    # a centre on an edge must not fall below it by rounding
    position = np.round((centres - low) / (high - low) * count, 9)
    return np.clip(np.floor(position).astype(np.int64), 0, count - 1)


def _octaves(centres: np.ndarray, count: int) -> np.ndarray:
    _, high = _outer_edges(centres)
    with np.errstate(divide="ignore"):
        below_top = np.round(np.log2(high / centres), 9)
    return (count - 1 - np.minimum(np.floor(below_top), count - 1)).astype(np.int64)


def _outer_edges(centres: np.ndarray) -> Band:
    if len(centres) == 1:
        return float(centres[0] - 0.5), float(centres[0] + 0.5)
    return (
        float(centres[0] - (centres[1] - centres[0]) / 2),
        float(centres[-1] + (centres[-1] - centres[-2]) / 2),
    )
