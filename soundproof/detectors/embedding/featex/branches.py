"""The two branches of FeatEx's embedding network (Wilkinghoff, ICASSP 2024, arXiv 2312.09578).

Layers and their order are those of the author's public code (wilkinghoff/ssl4asd).
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from soundproof.detectors.embedding.featex.blocks import ResidualBlock, SameConv2d, SqueezeExcitation

EMBEDDING = 128
"""Dimensions that each branch contributes to the embedding."""
STFT_WIDTHS = (16, 32, 64, 128)
STEM_POOL = 3
SPECTRUM_WIDTH = 128
SPECTRUM_BINS = 144_000
"""Bins of the published full-length spectrum: half of 18 s at 16 kHz."""
SPECTRUM_STRIDES = (64, 32, 4)
SPECTRUM_OVERLAPS = (4, 2, 4)
"""Published kernels over published strides: (256, 64, 16) / (64, 32, 4)."""
DENSE_LAYERS = 4
SILENCE = 1e-12
"""Added to mean powers: the root of a silent bin has no slope."""


class StftBranch(nn.Module):
    """Branch B: a small residual network on the magnitude STFT without its temporal mean.

    513 bins give 972 530 weights. The published maximum pooling over 18 frames spans all frames that 18 s leave
    after the strides; here it spans all frames of any clip. Maps too small for the first pooling (below five bins
    or frames) are padded for it.

    Args:
        shape: (n_freq, n_frames) of the maps.
        width: Factor on the published channels.
    """

    def __init__(self, shape: tuple[int, int], width: float) -> None:
        super().__init__()
        widths = [scaled(channels, width) for channels in STFT_WIDTHS]
        halved = [-(-size // 2) for size in shape]
        padding = int(halved[0] < STEM_POOL), int(halved[1] < STEM_POOL)
        self.norm = nn.BatchNorm1d(shape[0])
        self.stem = nn.Sequential(
            SameConv2d(1, widths[0], 7, 2),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
            nn.MaxPool2d(STEM_POOL, stride=2, padding=padding),
        )
        blocks: list[nn.Module] = [
            ResidualBlock(widths[0], widths[0], first=True),
            ResidualBlock(widths[0], widths[0], norm_last=True),
        ]
        rows = (halved[0] + 2 * padding[0] - STEM_POOL) // 2 + 1
        for before, channels in pairwise(widths):
            blocks += [ResidualBlock(before, channels, 2), ResidualBlock(channels, channels)]
            rows = -(-rows // 2)
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = nn.BatchNorm1d(widths[-1] * rows)
        self.embedding = nn.Linear(widths[-1] * rows, EMBEDDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map magnitudes [B, n_freq, n_frames] to [B, 128]."""
        normed = self.norm(x - x.mean(dim=2, keepdim=True))
        activations: Tensor = self.blocks(self.stem(normed[:, None]))
        out: Tensor = self.embedding(self.last_norm(activations.amax(dim=3).flatten(1)))
        return out


class SpectrumBranch(nn.Module):
    """Branch A: strided convolutions along frequency and dense layers on the clip's spectrum.

    Args:
        n_freq: Frequency bins.
        width: Factor on the published channels.
    """

    def __init__(self, n_freq: int, width: float) -> None:
        super().__init__()
        channels = scaled(SPECTRUM_WIDTH, width)
        convolutions: list[nn.Module] = []
        before, bins = 1, n_freq
        for kernel, stride in spectrum_layers(n_freq):
            conv = nn.Conv1d(before, channels, kernel, stride=stride, padding=kernel // 2, bias=False)
            convolutions += [conv, nn.ReLU(), SqueezeExcitation(channels)]
            before, bins = channels, (bins + kernel // 2 * 2 - kernel) // stride + 1
        self.convolutions = nn.Sequential(*convolutions)
        dense: list[nn.Module] = []
        before = channels * bins
        for _ in range(DENSE_LAYERS):
            dense += [nn.Linear(before, channels, bias=False), nn.BatchNorm1d(channels), nn.ReLU()]
            before = channels
        self.dense = nn.Sequential(*dense)
        self.embedding = nn.Linear(channels, EMBEDDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map magnitudes [B, n_freq, n_frames] to [B, 128]."""
        out: Tensor = self.embedding(self.dense(self.convolutions(spectrum(x)[:, None]).flatten(1)))
        return out


def spectrum(x: Tensor) -> Tensor:
    """Root mean square over the frames of [B, n_freq, n_frames]: [B, n_freq].

    By Welch's method (1967) this is the clip's magnitude spectrum, smoothed to the resolution of the STFT.
    """
    return (x.square().mean(dim=2) + SILENCE).sqrt()


def spectrum_layers(n_bins: int) -> list[tuple[int, int]]:
    """(kernel, stride) of the three convolutions for a spectrum of ``n_bins``.

    The published strides shorten 144 000 bins by 64 x 32 x 4 = 2^13. Fewer bins are shortened by the power of
    two that leaves about as many positions; the strides share its exponent in the published proportion (each
    rounded), and each kernel keeps its ratio to its stride. 513 bins: kernels 16, 8, 8, strides 4, 4, 2.
    """
    published = math.prod(SPECTRUM_STRIDES)
    halvings = max(0, round(math.log2(n_bins / SPECTRUM_BINS * published)))
    strides = [2 ** round(halvings * math.log(stride) / math.log(published)) for stride in SPECTRUM_STRIDES]
    return [(stride * overlap, stride) for stride, overlap in zip(strides, SPECTRUM_OVERLAPS, strict=True)]


def scaled(channels: int, width: float) -> int:
    """Scale a number of channels; at least one."""
    return max(1, round(channels * width))
