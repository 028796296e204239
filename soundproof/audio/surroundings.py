"""What would stand in masked cells of a spectrogram, going by the cells around them."""

from __future__ import annotations

import torch
from torch import Tensor

MASKED = 0.5
"""Part of a cell from which on it is masked: what is left of it says nothing of its surroundings."""


def surroundings(magnitude: Tensor, mask: Tensor) -> Tensor:
    """Interpolate magnitudes over masked cells.

    Over time, linearly between the nearest frames of the same bin that are not masked (held beyond the first and
    the last); a bin that is masked at all times lies between its neighbours in the same way, frame by frame.

    Args:
        magnitude: [n_bins, n_frames].
        mask: [..., n_bins, n_frames], 0..1.

    Returns:
        [..., n_bins, n_frames]; cells that are not masked as they are, and 0 everywhere where all are masked.
    """
    known = mask < MASKED
    over_time = _interpolated(magnitude.expand(mask.shape), known)
    of_bin = known.any(-1, keepdim=True).expand(mask.shape)
    over_bins = _interpolated(over_time.transpose(-1, -2), of_bin.transpose(-1, -2)).transpose(-1, -2)
    return torch.where(known.any(-1).any(-1)[..., None, None], over_bins, 0)


def _interpolated(values: Tensor, known: Tensor) -> Tensor:
    """Linear interpolation along the last axis between the known values; as they are where none is known."""
    length = values.shape[-1]
    places = torch.arange(length, device=values.device).expand(known.shape)
    before = torch.where(known, places, -1).cummax(-1).values
    after = torch.where(known, places, length).flip(-1).cummin(-1).values.flip(-1)
    first = torch.where(before >= 0, before, after).clamp(0, length - 1)
    last = torch.where(after < length, after, before).clamp(0, length - 1)
    part = (places - first) / (last - first).clamp(min=1)
    between = torch.lerp(values.gather(-1, first), values.gather(-1, last), part.to(values.dtype))
    return torch.where(known.any(-1, keepdim=True), between, values)
