"""CAE: the plain convolutional auto-encoder that P1 compares with."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from soundproof.core.registry import Parameters
from soundproof.detectors.reconstruction.blocks import POOLINGS, Conv, ConvAutoEncoder, resize

_ENCODER = ((1, 2, 2, 4, 4), (4, 8, 8), (8, 16, 16), (16, 32, 32))
_BOTTLENECK = (32, 64, 64, 32, 32)
_DECODER = ((32, 16, 16), (16, 8, 8), (8, 4, 4))


class RectifiedConv(Conv):
    """Convolution that starts with the power of its input in its output (He et al. 2015: variance 2 / fan-in)."""

    def __init__(self, inputs: int, outputs: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(inputs, outputs, activation)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights; biases are 0."""
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)


class Cae(ConvAutoEncoder):
    """Convolutional auto-encoder after Duman et al. 2019 as P1 builds it (110 895 parameters at any shape).

    22 convolutions with rectifiers, maximum pooling after each encoder stage, bilinear upsampling after each
    decoder stage; no normalisation, no skips, linear output. Upsampling aims at the size of the encoder map of the
    same level, so that any shape of at least 16 x 16 works.

    ``protocol`` decides on the weights that training starts from; the network is the same. ``as_published`` takes
    PyTorch's defaults, whose variance of 1 / (3 fan-in) shrinks what a clip changes in the maps to about 0.4 at
    each rectified convolution. Nothing of it is left after 21 of them: to the last layers all clips are one, and
    all that they learn is the mean of all cells. ``corrected`` draws weights as rectifiers need them
    (:class:`RectifiedConv`).
    """

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        values: Any = settings
        conv = Conv if values.protocol == "as_published" else RectifiedConv
        self.encoders = nn.ModuleList([_stage(widths, conv) for widths in _ENCODER])
        self.pools = nn.ModuleList([nn.MaxPool2d(2) for _ in range(POOLINGS)])
        self.bottleneck = _stage(_BOTTLENECK, conv)
        self.decoders = nn.ModuleList([_stage(widths, conv) for widths in _DECODER])
        self.head = nn.Sequential(conv(4, 2, nn.ReLU), nn.Conv2d(2, 1, 3, padding=1))

    @property
    def cam_layer(self) -> nn.Module:
        """conv10, the encoder's last convolution."""
        return self.encoders.get_submodule("3.1.conv")

    def network(self, x: Tensor) -> Tensor:
        """Map [B, 1, n_freq, n_frames] to [B, 1, n_freq, n_frames]."""
        sizes = []
        h = x
        for encoder, pool in zip(self.encoders, self.pools, strict=True):
            sizes.append(h.shape[-2:])
            h = pool(encoder(h))
        h = resize(self.bottleneck(h), sizes.pop())
        for decoder in self.decoders:
            h = resize(decoder(h), sizes.pop())
        out: Tensor = self.head(h)
        return out


def _stage(widths: tuple[int, ...], conv: type[Conv]) -> nn.Sequential:
    return nn.Sequential(*(conv(inputs, outputs, nn.ReLU) for inputs, outputs in pairwise(widths)))
