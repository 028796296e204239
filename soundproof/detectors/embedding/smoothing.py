"""Gaussian smoothing of maps, as matrices: one per axis, so that the width may differ from band to band."""

from __future__ import annotations

import torch
from torch import Tensor

TRUNCATE = 4.0
"""Standard deviations at which the Gaussian is cut off, as SciPy does by default."""


def gaussian_matrix(sigmas: Tensor, radius: int | None = None) -> Tensor:
    """Weights of a Gaussian around each cell of an axis, with the axis mirrored at its ends.

    Row i holds what cell i takes from each cell. With one sigma for all it is SciPy's ``gaussian_filter1d`` with
    ``mode="reflect"`` (d c b a | a b c d | d c b a).

    Args:
        sigmas: Standard deviation at each cell, in cells, [n]; 0 leaves the cell alone.
        radius: Cells at each side; None: as many as :data:`TRUNCATE` says.

    Returns:
        Float64 [n, n] on the CPU; each row sums to 1.
    """
    n = len(sigmas)
    matrix = torch.zeros(n, n, dtype=torch.float64)
    for cell, sigma in enumerate(sigmas.double().tolist()):
        reach = int(TRUNCATE * sigma + 0.5) if radius is None or sigma == 0 else radius
        away = torch.arange(-reach, reach + 1)
        weights = torch.exp(-0.5 * (away.double() / sigma).square()) if sigma else torch.ones(1).double()
        folded = (cell + away) % (2 * n)
        folded = torch.where(folded < n, folded, 2 * n - 1 - folded)
        matrix[cell].index_add_(0, folded, weights / weights.sum())
    return matrix


def sigmas_of_bands(sigma_hz: float, frequencies_hz: Tensor) -> Tensor:
    """A width in Hz as a number of bands, at each band: the wider the bands, the fewer of them.

    Args:
        sigma_hz: Standard deviation.
        frequencies_hz: Centres of the bands, ascending, [n].

    Returns:
        Float64 [n]; zeros for a single band.
    """
    centres = frequencies_hz.double().cpu()
    if len(centres) < 2:
        return torch.zeros_like(centres)
    return sigma_hz / torch.gradient(centres)[0]


def sigmas_of_frames(sigma_s: float, frames_per_second: float, n_frames: int) -> Tensor:
    """A width in seconds as a number of frames, float64 [n_frames]."""
    return torch.full((n_frames,), sigma_s * frames_per_second, dtype=torch.float64)
