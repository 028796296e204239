"""The first stages of EfficientNet-Lite0, trained on photographs (Tan and Le 2019, arXiv 1905.11946).

"Lite" means: no squeeze-excitation, and ReLU6. A map becomes a grey image: standardised by the mean and deviation
of the training clips, and given three times.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.interfaces.backbone import Backbone, Layer

_EPSILON = 1e-3
_STAGES = (
    # repeats, kernel, stride, expansion, channels in, channels out
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
)
_HOOKED = (2, 4)
_PUBLISHED = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}


class InvertedResidual(nn.Module):
    """Widen each cell, convolve each channel by itself, narrow again; added to its input where the shapes agree.

    Padding is TensorFlow's "same" for sides that the stride divides: of an odd number the extra cell comes last.
    """

    def __init__(self, kernel: int, stride: int, expansion: int, n_in: int, n_out: int) -> None:
        super().__init__()
        wide = n_in * expansion
        self.expand: nn.Module | None = None
        if expansion > 1:
            self.expand = nn.Conv2d(n_in, wide, 1, bias=False)
            self.expand_norm = nn.BatchNorm2d(wide, eps=_EPSILON)
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(wide, eps=_EPSILON)
        self.project = nn.Conv2d(wide, n_out, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(n_out, eps=_EPSILON)
        self.padding = _padding(kernel, stride)
        self.adds = stride == 1 and n_in == n_out

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels in, h, w] -> [B, channels out, h / stride, w / stride]."""
        wide = x if self.expand is None else functional.relu6(self.expand_norm(self.expand(x)))
        wide = functional.relu6(self.depthwise_norm(self.depthwise(functional.pad(wide, self.padding))))
        narrow: Tensor = self.project_norm(self.project(wide))
        return narrow + x if self.adds else narrow


class EfficientNetLite0(Backbone):
    """Maps after the second and the third stage (24 + 40 channels, strides 4, 8)."""

    # each 3 x 3 or 5 x 5 convolution of stride 2 with one cell less before than behind moves the centre by one cell
    layers = (Layer("block2", 24, (4, 4), (3.0, 3.0)), Layer("block4", 40, (8, 8), (7.0, 7.0)))
    calibrated = ("mean", "deviation")

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        self.stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(32, eps=_EPSILON)
        blocks = []
        for repeats, kernel, stride, expansion, n_in, n_out in _STAGES:
            blocks.append(InvertedResidual(kernel, stride, expansion, n_in, n_out))
            blocks += [InvertedResidual(kernel, 1, expansion, n_out, n_out) for _ in range(repeats - 1)]
        self.blocks = nn.ModuleList(blocks)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("deviation", torch.tensor(1.0))

    def calibrate(self, x: Tensor) -> None:
        """Take mean and deviation of all cells of these clips [n, n_freq, n_frames]."""
        deviation, mean = torch.std_mean(x, correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation if deviation > 0 else torch.ones_like(deviation))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> [B, 24, f/4, t/4], [B, 40, f/8, t/8]."""
        grey = ((x - self.mean) / self.deviation).unsqueeze(1).expand(-1, 3, -1, -1)
        x = functional.relu6(self.stem_norm(self.stem(functional.pad(grey, _padding(3, 2)))))
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _HOOKED:
                maps.append(x)
        return maps

    def from_published(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published names (``_blocks.1._bn0.weight``) in the words of this file."""
        return {_renamed(name): value for name, value in tensors.items()}


def _padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    total = kernel - stride
    return (total // 2, total - total // 2) * 2


def _renamed(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "_blocks":
        return ".".join(["blocks", parts[1], _PUBLISHED[parts[2]], *parts[3:]])
    return ".".join([{"_conv_stem": "stem", "_bn0": "stem_norm"}[parts[0]], *parts[1:]])
