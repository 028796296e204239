"""CNN9, trained on libraries of sound effects (Ma and Lerch 2022, ISMIR): machines, tools, vehicles, impacts."""

from __future__ import annotations

from torch import Tensor

from soundproof.backbones.conv_blocks import ConvBlock, block_layers
from soundproof.interfaces.backbone import Backbone

CHANNELS = (64, 128, 256, 512)
POOLS = (2, 2, 2, 1)


class Cnn9(Backbone):
    """Four blocks; maps after blocks 2, 3 and 4 (128 + 256 + 512 channels, strides 4, 8, 8).

    Input: maps of the recipe ``cnn9``, of any length and with any number of its lowest bands.
    """

    layers = block_layers(CHANNELS, POOLS, hooked=(2, 3, 4))

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        for number, channels in enumerate(zip((1, *CHANNELS[:-1]), CHANNELS, strict=True)):
            self.add_module(f"conv_block{number + 1}", ConvBlock(channels, POOLS[number], "max"))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> [B, 128, f/4, t/4], [B, 256, f/8, t/8], [B, 512, f/8, t/8]."""
        # the network was trained with time before frequency
        x = x.transpose(1, 2).unsqueeze(1)
        maps = []
        for number in range(1, 5):
            x = self.get_submodule(f"conv_block{number}")(x)
            maps.append(x.transpose(2, 3))
        return maps[1:]
