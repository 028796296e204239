"""No network: patches of the map itself, the control that says what a network adds."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from soundproof.interfaces.backbone import Backbone, Layer


class Patches(Backbone):
    """Square patches, each a vector of its cells.

    Args:
        shape: (n_freq, n_frames) of the maps.
        side: Side of a patch, cells.
        stride: Cells from one patch to the next. The default settings give about the grid of CNN9's first layer.
    """

    def __init__(self, shape: tuple[int, int], side: int, stride: int) -> None:
        super().__init__(shape)
        self.side = side
        self.stride = stride
        centre = (side - 1) / 2
        self.layers = (Layer("patches", side * side, (stride, stride), (centre, centre)),)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> one [B, side², 1 + (n_freq - side) // stride, ...]; patches lie inside."""
        bands, frames = (1 + (length - self.side) // self.stride for length in x.shape[1:])
        patches: Tensor = functional.unfold(x.unsqueeze(1), self.side, stride=self.stride)
        return [patches.reshape(len(x), -1, bands, frames)]
