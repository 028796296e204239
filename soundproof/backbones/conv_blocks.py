"""The convolution blocks that CNN9 and CNN14 share (Kong et al. 2020, arXiv 1912.10211, section IV-A)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from soundproof.interfaces.backbone import Layer


class ConvBlock(nn.Module):
    """Two convolutions of 3 x 3 with batch norm and ReLU, then pooling.

    Args:
        channels: In, out.
        pool: Side of the pooling; 1: none.
        how: Largest or mean value of a pooled field.
    """

    def __init__(self, channels: tuple[int, int], pool: int, how: Literal["max", "mean"]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(*channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[1])
        self.conv2 = nn.Conv2d(channels[1], channels[1], 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels[1])
        self.pool = pool
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels in, t, f] -> [B, channels out, t // pool, f // pool]."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        if self.pool == 1:
            return x
        return (
            functional.max_pool2d(x, self.pool) if self.how == "max" else functional.avg_pool2d(x, self.pool)
        )


def block_layers(
    channels: tuple[int, ...], pools: tuple[int, ...], hooked: tuple[int, ...]
) -> tuple[Layer, ...]:
    """Facts of the maps after some blocks.

    Padded convolutions move no centre. Cell i after a pooling of p covers cells p i .. p i + p - 1, whose middle is
    (p - 1) / 2 cells beyond the first.

    Args:
        channels: Of each block's output.
        pools: Of each block.
        hooked: Blocks, from 1, after which maps are taken.
    """
    layers = []
    stride, offset = 1, 0.0
    for block, (n_channels, pool) in enumerate(zip(channels, pools, strict=True), start=1):
        offset += stride * (pool - 1) / 2
        stride *= pool
        if block in hooked:
            layers.append(Layer(f"conv_block{block}", n_channels, (stride, stride), (offset, offset)))
    return tuple(layers)
