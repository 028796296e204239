"""Parts of FeatEx's branches: convolutions, squeeze-excitation, residual blocks.

Convolutions and dense layers have no bias: nothing may map every sound to the same point (Ruff et al., ICML
2018, proposition 2). Every activation is a module of its own, used once and not in place: DeepLift attaches to
modules and needs each to stand for one place of the network.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class SameConv2d(nn.Conv2d):
    """Convolution whose output has ``ceil(size / stride)`` cells along each axis, without a bias.

    Zeros are added on both sides; an odd one out at the end, where the published framework puts it. In steps of
    two, the window over rows ``2 i`` and ``2 i + 1`` then meets the cell that a 2 x 2 pooling makes of them.

    Args:
        inputs: Channels.
        outputs: Channels.
        kernel: Cells along each axis.
        stride: Step along each axis.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, ceil(h / stride), ceil(w / stride)]."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for size in (x.shape[3], x.shape[2]):  # functional.pad takes the last axis first
            missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            pads += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(x, pads))


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
    """Residual block with squeeze-excitation (after He et al., ECCV 2016).

    The first norm stands before the branching, so that the shortcut is normed too. A block that halves the map has
    a 2 x 2 maximum pooling and a convolution 1 x 1 as its shortcut.

    Args:
        inputs: Channels.
        outputs: Channels.
        stride: 2 halves the map, rounding up.
        first: The block follows a norm and a ReLU, and has neither of its own.
        norm_last: Between the two convolutions the ReLU comes before the norm (the published second block).
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, *, first: bool = False, norm_last: bool = False
    ) -> None:
        super().__init__()
        self.norm = nn.Identity() if first else nn.BatchNorm2d(inputs)
        between: list[nn.Module] = [nn.BatchNorm2d(outputs), nn.ReLU()]
        self.residual = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            SameConv2d(inputs, outputs, 3, stride),
            *(reversed(between) if norm_last else between),
            SameConv2d(outputs, outputs, 3),
            SqueezeExcitation(outputs),
        )
        self.shortcut = (
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Sequential(nn.MaxPool2d(stride, ceil_mode=True), SameConv2d(inputs, outputs, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, inputs, h, w] to [B, outputs, h / stride, w / stride], rounded up."""
        normed = self.norm(x)
        out: Tensor = self.shortcut(normed) + self.residual(normed)
        return out


def kernels(network: nn.Module) -> list[Tensor]:
    """Weights of convolutions and dense layers, without those of squeeze-excitations.

    The published network puts its L2 term on these, and on neither norms nor squeeze-excitations.
    """
    spared = {
        id(weight)
        for module in network.modules()
        if isinstance(module, SqueezeExcitation)
        for weight in module.parameters()
    }
    return [
        module.weight
        for module in network.modules()
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)) and id(module.weight) not in spared
    ]
