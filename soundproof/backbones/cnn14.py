"""The first four blocks of PANNs' CNN14, trained on AudioSet (Kong et al. 2020, arXiv 1912.10211)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from soundproof.backbones.conv_blocks import ConvBlock, block_layers
from soundproof.interfaces.backbone import Backbone

CHANNELS = (64, 128, 256, 512)
POOLS = (2, 2, 2, 2)


class Cnn14(Backbone):
    """Maps after blocks 2, 3 and 4 (128 + 256 + 512 channels, strides 4, 8, 16).

    Input: maps of the recipe ``panns`` (64 mel bands in dB), or their lowest bands.
    """

    layers = block_layers(CHANNELS, POOLS, hooked=(2, 3, 4))

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        # a statistic per mel band
        self.bn0 = nn.BatchNorm2d(shape[0])
        for number, channels in enumerate(zip((1, *CHANNELS[:-1]), CHANNELS, strict=True)):
            self.add_module(f"conv_block{number + 1}", ConvBlock(channels, POOLS[number], "mean"))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> [B, 128, f/4, t/4], [B, 256, f/8, t/8], [B, 512, f/16, t/16]."""
        x = self.bn0(x.unsqueeze(3)).squeeze(3).transpose(1, 2).unsqueeze(1)
        maps = []
        for number in range(1, 5):
            x = self.get_submodule(f"conv_block{number}")(x)
            maps.append(x.transpose(2, 3))
        return maps[1:]

    def from_published(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of the statistics per band those of the bands that are there."""
        n_bands = self.bn0.num_features
        return {
            name: value[:n_bands] if name.startswith("bn0.") else value for name, value in tensors.items()
        }
