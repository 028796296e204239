"""Skip-CAE: P1's convolutional auto-encoder with residual sums and copies of each stage's input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from soundproof.core.registry import Parameters
from soundproof.detectors.reconstruction.blocks import (
    INNER_WIDTH,
    WIDTHS,
    Conv,
    ConvAutoEncoder,
    Down,
    ResidualPair,
    Up,
    match_channels,
)


class SkipCae(ConvAutoEncoder):
    """Residual convolutional auto-encoder (P1; 116 635 parameters at any shape).

    Four encoder stages (22 convolutions in all with the decoder, numbered as in P1) sum the outputs of their two
    convolutions and a copy of their input, zero-padded to their channels; four decoder stages mirror them with
    copies truncated to their channels. Batch normalisation stands before each pooling and each transposed
    convolution.

    Any shape of at least 16 x 16 works: pooling rounds down, and each map of the decoder is resized bilinearly to
    the size of the encoder map of its level wherever the two differ (at 80 x 401 this is P1's one resize at the
    end).
    """

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        w1, w2, w3, w4 = WIDTHS
        # conv1 to conv10, two to a pair
        self.encoders = nn.ModuleList(
            [
                nn.Sequential(ResidualPair(1, 2), ResidualPair(2, w1)),
                ResidualPair(w1, w2),
                ResidualPair(w2, w3),
                ResidualPair(w3, w4),
            ]
        )
        self.downs = nn.ModuleList([Down(width) for width in WIDTHS])
        self.widen = ResidualPair(w4, INNER_WIDTH)  # conv11, conv12
        self.narrow = ResidualPair(INNER_WIDTH, w4)  # conv13, conv14
        self.ups = nn.ModuleList([Up(width) for width in reversed(WIDTHS)])
        # conv15 to conv20
        self.decoders = nn.ModuleList([ResidualPair(w4, w3), ResidualPair(w3, w2), ResidualPair(w2, w1)])
        self.exit = Conv(w1, 2, nn.LeakyReLU)  # conv21
        self.head = nn.Conv2d(2, 1, 3, padding=1)  # conv22

    @property
    def cam_layer(self) -> nn.Module:
        """conv10, the encoder's last convolution, as P1 explains it."""
        layer: nn.Module = self.encoders.get_submodule("3.second.conv")
        return layer

    def network(self, x: Tensor) -> Tensor:
        """Map [B, 1, n_freq, n_frames] to [B, 1, n_freq, n_frames]."""
        sizes = []
        h = x
        for level in range(3):
            h = self.encoders[level](h) + match_channels(h, WIDTHS[level])
            sizes.append(h.shape[-2:])
            h = self.downs[level](h)
        sizes.append(h.shape[-2:])
        h, memory = self._deepest_encoder(h)

        z: Tensor = self.downs[3](h)
        h = self.narrow(self.widen(z)) + z

        h = self._deepest_decoder(self._deepest_up(h, sizes[3]), memory)
        for level in (1, 2):
            h = self.ups[level](h, sizes[3 - level])
            h = self.decoders[level](h) + match_channels(h, WIDTHS[2 - level])
        h = self.ups[3](h, sizes[0])
        out: Tensor = self.head(self.exit(h) + match_channels(h, 2))
        return out

    def _deepest_encoder(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Encode [B, 16, h, w] to [B, 32, h, w]; also what the deepest decoder may look back on."""
        h: Tensor = self.encoders[3](z) + match_channels(z, WIDTHS[3])
        return h, h

    def _deepest_up(self, h: Tensor, size: torch.Size) -> Tensor:
        """Bring the bottleneck's map [B, 32, h // 2, w // 2] to the deepest encoder map's ``size``."""
        out: Tensor = self.ups[0](h, size)
        return out

    def _deepest_decoder(self, h: Tensor, memory: Tensor) -> Tensor:
        """Decode [B, 32, h, w] to [B, 16, h, w]."""
        out: Tensor = self.decoders[0](h) + match_channels(h, WIDTHS[2])
        return out
