"""Affine couplings on maps: steps of a normalising flow whose change of volume is exact."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from soundproof.randomness.seeding import seed_from

_MOST_LOG_SCALE = 1.9
"""Bound of the logarithm of a scale, reached softly: exp(1.9) is a factor of 6.7 in one step."""

_SMALL = 0.05
"""Deviation of an untrained step's last weights."""


class Coupling(nn.Module):
    """One affine coupling: half of the channels scales and shifts the other half, cell by cell.

    ``y1 = x1, y2 = x2 exp(s(x1)) + t(x1)`` with s and t from two convolutions, after the channels were put into
    another order (Dinh et al. 2017, arXiv 1605.08803, equations 7 and 8). The Jacobian's logarithm is the sum of
    s.

    Args:
        channels: Channels of the maps, at least 2.
        kernel: Side of the convolutions (FastFlow: 3 and 1 in turn).
        step: Number of the step, which names its order of channels.
    """

    order: Tensor

    def __init__(self, channels: int, kernel: int, step: int) -> None:
        super().__init__()
        self.kept = channels // 2
        changed = channels - self.kept
        generator = torch.Generator().manual_seed(seed_from("coupling", step, channels))
        self.register_buffer("order", torch.randperm(channels, generator=generator))
        self.first = nn.Conv2d(self.kept, channels, kernel, padding=kernel // 2)
        self.last = nn.Conv2d(channels, 2 * changed, kernel, padding=kernel // 2)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the last convolution small, so that an untrained step changes little; its children were redrawn."""
        nn.init.normal_(self.last.weight, std=_SMALL)

    def start_at_nothing(self) -> None:
        """Make a step that only reorders, from which training starts."""
        nn.init.zeros_(self.last.weight)
        if self.last.bias is not None:
            nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps [B, channels, f, t] -> the same, changed, and the log of each cell's change of volume [B, f, t]."""
        kept, changed = x[:, self.order].tensor_split([self.kept], dim=1)
        log_scale, shift = self._scale_and_shift(kept)
        return torch.cat([kept, changed * log_scale.exp() + shift], dim=1), log_scale.sum(dim=1)

    def inverse(self, y: Tensor) -> Tensor:
        """What :meth:`forward` made ``y`` [B, channels, f, t] of."""
        kept, changed = y.tensor_split([self.kept], dim=1)
        log_scale, shift = self._scale_and_shift(kept)
        x = torch.cat([kept, (changed - shift) * (-log_scale).exp()], dim=1)
        return x[:, self.order.argsort()]

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.last(torch.relu(self.first(kept))).chunk(2, dim=1)
        return _MOST_LOG_SCALE * torch.tanh(raw / _MOST_LOG_SCALE), shift


class Flow(nn.Module):
    """Couplings one after the other, from maps of features to standard normal ones.

    Args:
        channels: Channels of the maps, at least 2.
        n_steps: Couplings; every other one has convolutions 1 x 1.
    """

    def __init__(self, channels: int, n_steps: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(Coupling(channels, 1 if step % 2 else 3, step) for step in range(n_steps))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps [B, channels, f, t] -> latent maps of the same shape, and log |det| by cell [B, f, t]."""
        log_volume = x.new_zeros(x.shape[0], x.shape[2], x.shape[3])
        for step in self.steps:
            x, change = step(x)
            log_volume = log_volume + change
        return x, log_volume

    def inverse(self, z: Tensor) -> Tensor:
        """Maps that :meth:`forward` makes ``z`` [B, channels, f, t] of."""
        for step in reversed(self.steps):
            assert isinstance(step, Coupling)
            z = step.inverse(z)
        return z


def log_density(z: Tensor, log_volume: Tensor) -> Tensor:
    """Log density of each cell, nats, [B, f, t]; the cells of a clip sum to that of the clip.

    ``log N(z; 0, 1)`` over channels, plus the change of volume. With convolutions wider than a cell the share of
    one cell is a way to count: the sum alone is the density of something.

    Args:
        z: Latent maps [B, channels, f, t].
        log_volume: [B, f, t].
    """
    return log_volume - (z.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi)) / 2
