"""Skip-CAE-Transformer: the detector whose explanations P1 studies."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.core.registry import Parameters
from soundproof.detectors.reconstruction.blocks import WIDTHS, ResidualPair, Up, match_channels, resize
from soundproof.detectors.reconstruction.skip_cae import SkipCae

MOST_HEADS = 10


class SkipCaeTransformer(SkipCae):
    """Skip-CAE with attention between the feature maps of its deepest level (P1; 7 233 831 parameters at 80 x 400).

    At the deepest level each of the 32 maps, flattened, is one token: 10 x 50 = 500 numbers at 80 x 400. One
    transformer encoder layer relates the encoder's maps; one decoder layer lets the decoder's maps look back on
    them. A linear layer W along time (50 to 50) gates what bypasses them, l being the leaky rectifier:

    * encoder: pool(norm(attention + l(W (h9 + z)))), h9 being the first convolution's output and z the level's
      input, zero-padded to its channels;
    * decoder: up(norm(h7 + l(W (h6 + s)))), h6 and h7 being the outputs of its two convolutions and s the first
      channels of what looked back.

    Rules for other shapes: the token length is (n_freq // 8) * (n_frames // 8), with as many heads as its largest
    divisor up to 10 (500: 10; 624 at 128 x 312 or 313: 8, as in P1's DCASE variant). Where pooling left out a last
    row or column, adaptive average pooling brings the bottleneck's doubled map to the size of the encoder's (38
    columns to 39 in that variant). Since the transformer's weights grow with the square of the token length, maps
    larger than the setting ``token_grid`` are average-pooled to it and resized bilinearly afterwards (ours).
    """

    _pool_rows: Tensor
    _pool_columns: Tensor
    _fit_rows: Tensor
    _fit_columns: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        height, width = shape[0] // 8, shape[1] // 8
        values: Any = settings
        self._grid = min(height, values.token_grid[0]), min(width, values.token_grid[1])
        tokens = self._grid[0] * self._grid[1]
        heads = max(n for n in range(1, MOST_HEADS + 1) if tokens % n == 0)
        # a module, not the default function, so that DeepLift finds the rectifier
        self.attention = nn.TransformerEncoderLayer(tokens, heads, activation=nn.ReLU())
        self.look_back = nn.TransformerDecoderLayer(tokens, heads, activation=nn.ReLU())
        self.encoder_gate = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU())
        self.decoder_gate = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU())
        # not AdaptiveAvgPool2d, whose gradient on CUDA is not reproducible; the same means as two matrix products
        self.register_buffer("_pool_rows", _averaging(height, self._grid[0]), persistent=False)
        self.register_buffer("_pool_columns", _averaging(width, self._grid[1]), persistent=False)
        self.register_buffer("_fit_rows", _averaging(height // 2 * 2, height), persistent=False)
        self.register_buffer("_fit_columns", _averaging(width // 2 * 2, width), persistent=False)

    def _deepest_encoder(self, z: Tensor) -> tuple[Tensor, Tensor]:
        pair = cast(ResidualPair, self.encoders[3])
        first: Tensor = pair.first(z)
        second: Tensor = pair.second(first)
        memory: Tensor = self.attention(self._tokens(second))
        bypass: Tensor = self.encoder_gate(first + match_channels(z, WIDTHS[3]))
        return self._maps(memory, second) + bypass, memory

    def _deepest_up(self, h: Tensor, size: torch.Size) -> Tensor:
        doubled = cast(Up, self.ups[0]).doubled(h)
        return doubled if doubled.shape[-2:] == size else self._fit_rows.T @ doubled @ self._fit_columns

    def _deepest_decoder(self, h: Tensor, memory: Tensor) -> Tensor:
        pair = cast(ResidualPair, self.decoders[0])
        seen = self._maps(self.look_back(self._tokens(h), memory), h)
        first: Tensor = pair.first(seen)
        bypass: Tensor = self.decoder_gate(first + match_channels(seen, WIDTHS[2]))
        out: Tensor = pair.second(first) + bypass
        return out

    def _tokens(self, maps: Tensor) -> Tensor:
        """Turn [B, 32, h, w] into tokens [32, B, token length].

        Contiguous and with the tokens first, each linear layer is one large product instead of 32 small ones.
        """
        if maps.shape[-2:] != self._grid:
            maps = self._pool_rows.T @ maps @ self._pool_columns
        return maps.flatten(2).transpose(0, 1).contiguous()

    def _maps(self, tokens: Tensor, like: Tensor) -> Tensor:
        """Turn tokens [32, B, token length] into maps [B, 32, h, w] of the size of ``like``."""
        maps = tokens.transpose(0, 1)
        return resize(maps.view(*maps.shape[:2], *self._grid), like.shape[-2:])


def _averaging(cells: int, groups: int) -> Tensor:
    """Matrix [cells, groups] that averages neighbouring cells as adaptive average pooling does.

    With more groups than cells, a group is one cell or the mean of two neighbours.
    """
    return functional.adaptive_avg_pool1d(torch.eye(cells)[None], groups)[0]
