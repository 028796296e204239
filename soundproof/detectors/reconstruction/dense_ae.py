"""Dense auto-encoder: the DCASE baseline in the form P1 trains, and repaired."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from soundproof.core.registry import Parameters
from soundproof.detectors.reconstruction.auto_encoder import AutoEncoder

HIDDEN = 128
CODE = 8


class DenseAe(AutoEncoder):
    """Fully connected auto-encoder over the flattened clip (8 347 992 parameters at 80 x 401).

    n -> 128 x 4 -> 8 -> 128 x 4 -> n with rectifiers. ``protocol: as_published`` applies the first batch
    normalisation after all eight hidden layers (the other seven exist and idle) and ends with a rectifier, which
    cannot reproduce negative values; ``corrected`` gives each hidden layer its own normalisation and a linear
    output.
    """

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        cells = shape[0] * shape[1]
        values: Any = settings
        self._as_published: bool = values.protocol == "as_published"
        half = [HIDDEN] * 4
        widths = [cells, *half, CODE, *half]
        self.layers = nn.ModuleList([nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(HIDDEN) for _ in range(8)])
        self.activations = nn.ModuleList([nn.ReLU() for _ in self.layers])
        self.output = nn.Linear(HIDDEN, cells)
        self.output_activation = nn.ReLU() if self._as_published else nn.Identity()

    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruction [B, n_freq, n_frames] of maps [B, n_freq, n_frames]."""
        h = x.flatten(1)
        hidden = 0
        for layer, activation in zip(self.layers, self.activations, strict=True):
            h = layer(h)
            if layer.out_features == HIDDEN:
                h = self.norms[0 if self._as_published else hidden](h)
                hidden += 1
            h = activation(h)
        out: Tensor = self.output_activation(self.output(h))
        return out.view_as(x)
