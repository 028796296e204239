"""Layers of P1's convolutional auto-encoders.

Every activation is a module of its own, used once and not in place: DeepLift attaches to modules and needs each to
stand for one place of the network.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.core.errors import ConfigError
from soundproof.core.registry import Parameters
from soundproof.detectors.reconstruction.auto_encoder import AutoEncoder

POOLINGS = 4
WIDTHS = (4, 8, 16, 32)
"""Channels that leave the encoder stages (base width 2, doubled at each step)."""
INNER_WIDTH = 64


class Conv(nn.Module):
    """Convolution 3x3, stride 1, padding 1, and its activation."""

    def __init__(self, inputs: int, outputs: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, h, w]."""
        out: Tensor = self.activation(self.conv(x))
        return out


class ResidualPair(nn.Module):
    """Two convolutions with leaky rectifiers whose outputs are summed: ``h1 + h2``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Conv(inputs, outputs, nn.LeakyReLU)
        self.second = Conv(outputs, outputs, nn.LeakyReLU)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, h, w]."""
        h: Tensor = self.first(x)
        out: Tensor = h + self.second(h)
        return out


class Up(nn.Module):
    """Batch normalisation and a transposed convolution 2x2 with stride 2, fitted to the size of its target."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.up = nn.ConvTranspose2d(channels, channels, 2, stride=2)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """Map [B, channels, h, w] to [B, channels, *size]."""
        return resize(self.doubled(x), size)

    def doubled(self, x: Tensor) -> Tensor:
        """Map [B, channels, h, w] to [B, channels, 2 h, 2 w]."""
        out: Tensor = self.up(self.norm(x))
        return out


class Down(nn.Module):
    """Batch normalisation and maximum pooling by 2 (an odd last row or column falls away)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, channels, h, w] to [B, channels, h // 2, w // 2]."""
        out: Tensor = self.pool(self.norm(x))
        return out


def resize(x: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Resize maps [B, C, h, w] bilinearly to ``size``; untouched where they have it."""
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def match_channels(x: Tensor, channels: int) -> Tensor:
    """Give a copy of [B, C, h, w] as many channels by appending zeros or by keeping the first ones."""
    if x.shape[1] >= channels:
        return x[:, :channels]
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))


class ConvAutoEncoder(AutoEncoder):
    """An auto-encoder that treats maps as one-channel images and halves them four times.

    Raises:
        ConfigError: Maps too small for four poolings.
    """

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        smallest = 2**POOLINGS
        if min(shape) < smallest:
            raise ConfigError(
                f"{type(self).__name__} on maps of {shape[0]} bands x {shape[1]} frames",
                f"fewer than {smallest} bands or frames, which {POOLINGS} poolings reduce to nothing",
                "use more bands, longer clips or another detector",
            )

    @abstractmethod
    def network(self, x: Tensor) -> Tensor:
        """Map [B, 1, n_freq, n_frames] to [B, 1, n_freq, n_frames]."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruction [B, n_freq, n_frames] of maps [B, n_freq, n_frames]."""
        return self.network(x[:, None])[:, 0]

    def initialise(self, seed: int) -> None:
        """Draw the weights that training starts from."""
        super().initialise(seed)
        self._prefer_channels_last()

    def freeze(self) -> Self:
        """Switch to evaluation and stop tracking weights, as every explanation wants it."""
        super().freeze()
        return self._prefer_channels_last()

    def _prefer_channels_last(self) -> Self:
        # measured on a CPU at 80 x 400 and 64 x 160: training steps and input gradients take 0.4 to 0.8 of the time
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stub
        return self
