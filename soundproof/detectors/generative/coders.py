"""Convolutional encoder and decoder of the detectors with a latent space."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from soundproof.detectors.generative.settings import STAGES

_WIDTHS = (1, 2, 4, 4)
"""Channels of the convolutions over those of the first."""


def sizes_of(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes of the map and of what each stage of the encoder leaves of it; each halves, rounding up."""
    sizes = [shape]
    for _ in range(STAGES):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


class Encoder(nn.Module):
    """Four convolutions 3x3 of stride 2, each with batch norm and leaky rectifier, and a dense layer.

    Args:
        shape: (n_freq, n_frames).
        width: Channels of the first convolution.
        outputs: Values per clip.
    """

    def __init__(self, shape: tuple[int, int], width: int, outputs: int) -> None:
        super().__init__()
        channels = [1, *(width * factor for factor in _WIDTHS)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU()
            )
            for before, after in pairwise(channels)
        )
        rows, columns = sizes_of(shape)[-1]
        self.dense = nn.Linear(channels[-1] * rows * columns, outputs)

    def forward(self, u: Tensor) -> Tensor:
        """Map [B, n_freq, n_frames] to [B, outputs]."""
        return self.with_activations(u, STAGES)[1]

    def with_activations(self, u: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        """Activations of a stage (1 is the first), [B, channels, f, t], and the outputs, which follow from them."""
        h = u[:, None]
        activations = h
        for number, layer in enumerate(self.stages, start=1):
            h = layer(h)
            if number == stage:
                activations = h
        out: Tensor = self.dense(h.flatten(1))
        return activations, out


class Decoder(nn.Module):
    """Mirror image of :class:`Encoder`: a dense layer and four transposed convolutions 4x4 of stride 2.

    Args:
        shape: (n_freq, n_frames).
        width: Channels of the encoder's first convolution.
        inputs: Values per clip.
    """

    def __init__(self, shape: tuple[int, int], width: int, inputs: int) -> None:
        super().__init__()
        self.sizes = sizes_of(shape)
        channels = [width * factor for factor in reversed(_WIDTHS)]
        self.deepest = (channels[0], *self.sizes[-1])
        self.dense = nn.Linear(inputs, channels[0] * self.sizes[-1][0] * self.sizes[-1][1])
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(before),
                nn.LeakyReLU(),
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1),
            )
            for before, after in pairwise([*channels, 1])
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map [B, inputs] to [B, n_freq, n_frames]."""
        h = self.dense(z).unflatten(1, self.deepest)
        for layer, (rows, columns) in zip(self.stages, reversed(self.sizes[:-1]), strict=True):
            h = layer(h)[..., :rows, :columns]
        out: Tensor = h[:, 0]
        return out
