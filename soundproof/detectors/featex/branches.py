"""The two branches of FeatEx's embedding network (Wilkinghoff, ICASSP 2024, arXiv 2312.09578).

Convolutions and dense layers have no bias: nothing may map every sound to the same point (Ruff et al., ICML
2018, proposition 2). Every activation is a module of its own, used once and not in place: DeepLift attaches to
modules and needs each to stand for one place of the network.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

EMBEDDING = 128
"""Dimensions that each branch contributes to the embedding."""
STFT_WIDTHS = (16, 32, 64, 128)
SPECTRUM_WIDTH = 128
SPECTRUM_BINS = 144_000
"""Bins of the published full-length spectrum: half of 18 s at 16 kHz."""
SPECTRUM_STRIDES = (64, 32, 4)
SPECTRUM_OVERLAPS = (4, 2, 4)
"""Published kernels over published strides: (256, 64, 16) / (64, 32, 4)."""
DENSE_LAYERS = 4
SILENCE = 1e-12
"""Added to mean powers: the root of a silent bin has no slope."""


class SqueezeExcitation(nn.Module):
    """Weights channels by what they hold on average (Hu et al., CVPR 2018; reduction 16)."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        squeezed = max(1, channels // reduction)
        self.weigh = nn.Sequential(
            nn.Linear(channels, squeezed, bias=False),
            nn.ReLU(),
            nn.Linear(squeezed, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of [B, channels, ...]."""
        weights: Tensor = self.weigh(x.flatten(2).mean(dim=2))
        return x * weights.view(*weights.shape, *[1] * (x.dim() - 2))


class ResidualBlock(nn.Module):
    """Pre-activation residual block (He et al., ECCV 2016) with squeeze-excitation.

    Where stride or number of channels change, the shortcut is a convolution 1x1.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            SqueezeExcitation(outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, h / stride, w / stride], rounded up."""
        out: Tensor = self.shortcut(x) + self.residual(x)
        return out


class StftBranch(nn.Module):
    """Branch B: a small residual network on the magnitude STFT without its temporal mean.

    The published maximum pooling over 18 frames spans all frames that 18 s leave after the strides; here it
    spans all frames of any clip.

    Args:
        n_freq: Frequency bins.
        width: Factor on the published channels.
    """

    def __init__(self, n_freq: int, width: float) -> None:
        super().__init__()
        widths = [scaled(channels, width) for channels in STFT_WIDTHS]
        self.norm = nn.BatchNorm1d(n_freq)
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 7, stride=2, padding=3, bias=False), nn.MaxPool2d(3, stride=2, padding=1)
        )
        blocks: list[nn.Module] = []
        before = widths[0]
        for stage, channels in enumerate(widths):
            blocks += [
                ResidualBlock(before, channels, 1 if stage == 0 else 2),
                ResidualBlock(channels, channels, 1),
            ]
            before = channels
        self.blocks = nn.Sequential(*blocks)
        rows = n_freq
        for _ in range(len(widths) + 1):  # stem, pooling and three strided stages halve, rounding up
            rows = -(-rows // 2)
        self.embedding = nn.Linear(before * rows, EMBEDDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map magnitudes [B, n_freq, n_frames] to [B, 128]."""
        normed = self.norm(x - x.mean(dim=2, keepdim=True))
        activations: Tensor = self.blocks(self.stem(normed[:, None]))
        out: Tensor = self.embedding(activations.amax(dim=3).flatten(1))
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
