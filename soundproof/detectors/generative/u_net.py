"""A small U-Net that sees a noisy clip and the step, and answers with the noise in it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = (1, 2, 4)
"""Channels of the levels over those of the first; each level halves the map."""
_GROUPS = 4
_TIME = 32
"""Numbers that tell a step."""


def step_features(step: Tensor, n_steps: int) -> Tensor:
    """Sines and cosines of each step at periods from 4 to ``4 n_steps``, [B, 32]."""
    rates = torch.exp(-math.log(n_steps) * torch.arange(_TIME // 2, device=step.device) / (_TIME // 2 - 1))
    angles = step[:, None].float() * rates * (math.pi / 2)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class StepBlock(nn.Module):
    """Two convolutions 3x3 with group norm and SiLU; between them the step is added, around them a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.first_norm = nn.GroupNorm(_GROUPS, outputs)
        self.step = nn.Linear(_TIME, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.second_norm = nn.GroupNorm(_GROUPS, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        """Map [B, inputs, f, t] and features of the step [B, 32] to [B, outputs, f, t]."""
        h = functional.silu(self.first_norm(self.first(x))) + self.step(step)[:, :, None, None]
        out: Tensor = functional.silu(self.second_norm(self.second(h))) + self.shortcut(x)
        return out


class UNet(nn.Module):
    """Three levels down and up again with a block at each, joined by copies.

    Norms are over groups of channels of one clip, so that a clip's answer depends on that clip alone, in training
    too.

    Args:
        width: Channels of the first level, a multiple of 4.
        stem: Cells along each side that the first level sees as one.
        n_steps: Steps of the diffusion.
    """

    def __init__(self, width: int, stem: int, n_steps: int) -> None:
        super().__init__()
        self.n_steps = n_steps
        self.multiple = stem * 2 ** (len(_LEVELS) - 1)
        first, middle, deepest = (width * factor for factor in _LEVELS)
        self.stem = nn.Conv2d(1, first, stem, stride=stem)
        self.down = nn.ModuleList(
            [StepBlock(first, first), StepBlock(first, middle), StepBlock(middle, deepest)]
        )
        self.up = nn.ModuleList([StepBlock(deepest + middle, middle), StepBlock(middle + first, first)])
        self.head = nn.ConvTranspose2d(first, 1, stem, stride=stem)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        """Noise [B, n_freq, n_frames] seen in clips of that shape, each at its step, int64 [B]."""
        rows, columns = x.shape[1:]
        # zeros beyond the border are cut off again
        missing = (-columns % self.multiple, -rows % self.multiple)
        h = self.stem(functional.pad(x[:, None], (0, missing[0], 0, missing[1])))
        features = step_features(step, self.n_steps)
        copies = []
        for level, block in enumerate(self.down):
            h = block(functional.avg_pool2d(h, 2) if level else h, features)
            copies.append(h)
        copies.pop()
        for block in self.up:
            larger = h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            h = block(torch.cat([larger, copies.pop()], dim=1), features)
        out: Tensor = self.head(h)[:, 0, :rows, :columns]
        return out
