"""Noise that a diffusion adds: white, or of several scales at once."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

NoiseKind = Literal["gaussian", "multi_scale"]
OCTAVES = 6
"""Lattices of multi-scale noise, as AnoDDPM has them; each is twice as fine as the one before."""
PERSISTENCE = 0.8
"""Amplitude of a lattice over that of the next coarser one (AnoDDPM)."""


def lattice(size: int, period: int) -> Tensor:
    """Weights [size, n_nodes] that interpolate linearly between nodes ``period`` cells apart, float32."""
    at = torch.arange(size, dtype=torch.float32) / period
    nodes = torch.arange(-(-(size - 1) // period) + 1, dtype=torch.float32)
    return (1 - (at[:, None] - nodes).abs()).clamp_min(0)


class Noise:
    """Draws noise of mean 0 and variance 1 in every cell.

    ``multi_scale`` stands for the simplex noise of AnoDDPM (Wyatt et al. 2022): normal values on lattices of 64, 32
    ... 2 cells, interpolated, each brought to variance 1 in every cell and weighted by ``0.8^octave``. As there,
    most of its power lies at the coarse scales that white noise leaves alone.

    Args:
        shape: (n_freq, n_frames).
        kind: ``gaussian`` (white) or ``multi_scale``.
    """

    def __init__(self, shape: tuple[int, int], kind: NoiseKind) -> None:
        self.shape = shape
        self._lattices: list[tuple[Tensor, Tensor, Tensor]] = []
        if kind == "gaussian":
            return
        total = math.sqrt(sum(PERSISTENCE ** (2 * octave) for octave in range(OCTAVES)))
        for octave in range(OCTAVES):
            rows, columns = (lattice(size, 2 ** (OCTAVES - octave)) for size in shape)
            deviation = (rows.square().sum(dim=1)[:, None] * columns.square().sum(dim=1)).sqrt()
            self._lattices.append((rows, columns, PERSISTENCE**octave / total / deviation))

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Independent draws [n, n_freq, n_frames] on the generator's device."""
        device = generator.device
        if not self._lattices:
            return torch.randn(n, *self.shape, generator=generator, device=device)
        drawn = torch.zeros(n, *self.shape, device=device)
        for rows, columns, weight in self._lattices:
            nodes = torch.randn(n, rows.shape[1], columns.shape[1], generator=generator, device=device)
            drawn = drawn + weight.to(device) * (rows.to(device) @ nodes @ columns.to(device).T)
        return drawn
