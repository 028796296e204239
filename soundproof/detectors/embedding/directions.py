"""Fewer dimensions for patches, by random directions."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.randomness.seeding import seed_from


def orthogonal(n_channels: int, n_dims: int, seed: int) -> Tensor:
    """Random orthogonal directions of length 1, float64 [n_channels, n_dims]."""
    generator = torch.Generator().manual_seed(seed_from("flow directions", seed))
    drawn = torch.randn(n_channels, n_dims, generator=generator, dtype=torch.float64)
    directions: Tensor = torch.linalg.qr(drawn)[0]
    return directions
