"""Patches: the layers of a backbone on one grid, and the way from this grid back to the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.settings import Border, Grid, Upsampling
from soundproof.interfaces.backbone import Layer


@dataclass(frozen=True)
class Axis:
    """Where the cells of a grid lie along one axis, in cells of the input.

    Attributes:
        size: Number of cells.
        stride: From one centre to the next.
        offset: Centre of the first.
    """

    size: int
    stride: float
    offset: float

    @classmethod
    def stretched(cls, size: int, over: int) -> Axis:
        """``size`` equal cells that cover an axis of ``over`` input cells."""
        stride = over / size
        return cls(size, stride, (stride - 1) / 2)

    @property
    def centres(self) -> Tensor:
        """Centre of each cell, float64 [size]."""
        return self.offset + self.stride * torch.arange(self.size, dtype=torch.float64)


def linear_weights(axis: Axis, at: Tensor) -> Tensor:
    """What values at the positions ``at`` take from each cell, by linear interpolation.

    Beyond the outermost centres, the outermost cell counts alone.

    Returns:
        Float64 [len(at), axis.size]; each row sums to 1.
    """
    place = ((at - axis.offset) / axis.stride).clamp(0, axis.size - 1)
    lower = place.floor().long()
    upper = (lower + 1).clamp_max(axis.size - 1)
    part = (place - lower)[:, None]
    weights = functional.one_hot(lower, axis.size) * (1 - part)
    return weights + functional.one_hot(upper, axis.size) * part


def nearest_weights(axis: Axis, at: Tensor) -> Tensor:
    """The same with the nearest cell alone; of two that are as near, the upper one."""
    place = ((at - axis.offset) / axis.stride + 0.5).floor().long()
    return functional.one_hot(place.clamp(0, axis.size - 1), axis.size).double()


def repeated_weights(size: int, onto: int) -> Tensor:
    """PyTorch's upsampling ``nearest`` of ``size`` cells to ``onto`` cells: cell i takes floor(i size / onto)."""
    return functional.one_hot(torch.arange(onto) * size // onto, size).double()


def axes_of(layer: Layer, size: tuple[int, int], map_shape: tuple[int, int], grid: Grid) -> tuple[Axis, Axis]:
    """Where a layer's cells lie on a map: as its strides and offsets say (``measured``), or evenly over it."""
    if grid == "stretched":
        return Axis.stretched(size[0], map_shape[0]), Axis.stretched(size[1], map_shape[1])
    return Axis(size[0], layer.stride[0], layer.offset[0]), Axis(size[1], layer.stride[1], layer.offset[1])


@dataclass(frozen=True)
class PatchGrid:
    """One grid for all layers: that of the layer with the most cells.

    Attributes:
        shape: (rows, columns), low frequencies first.
        align: Per layer the weights of both axes that bring it onto the grid; None where it is there already.
        to_map: Weights of both axes from the grid to the cells of the map, bilinear.
    """

    shape: tuple[int, int]
    align: tuple[tuple[Tensor, Tensor] | None, ...]
    to_map: tuple[Tensor, Tensor]

    @classmethod
    def of(
        cls,
        layers: Sequence[Layer],
        sizes: Sequence[tuple[int, int]],
        map_shape: tuple[int, int],
        grid: Grid,
        upsampling: Upsampling,
    ) -> PatchGrid:
        """Lay the layers over each other.

        Args:
            layers: What the backbone says about them.
            sizes: (f, t) of each.
            map_shape: (n_freq, n_frames) of the map they come from.
            grid: ``stretched``: each layer covers the map evenly; ``measured``: by strides and offsets.
            upsampling: From a coarser layer to the grid.
        """
        axes = [axes_of(layer, size, map_shape, grid) for layer, size in zip(layers, sizes, strict=True)]
        finest = max(range(len(sizes)), key=lambda layer: (sizes[layer][0] * sizes[layer][1], -layer))
        reference = axes[finest]

        def weights(axis: Axis, onto: Axis) -> Tensor:
            if upsampling == "bilinear":
                return linear_weights(axis, onto.centres)
            if grid == "stretched":
                return repeated_weights(axis.size, onto.size)
            return nearest_weights(axis, onto.centres)

        align = tuple(
            None if own == reference else (weights(own[0], reference[0]), weights(own[1], reference[1]))
            for own in axes
        )
        cells = [torch.arange(size, dtype=torch.float64) for size in map_shape]
        to_map = linear_weights(reference[0], cells[0]), linear_weights(reference[1], cells[1])
        return cls(sizes[finest], align, to_map)


def along_both(rows: Tensor, values: Tensor, columns: Tensor) -> Tensor:
    """Weigh both axes of ``values`` [..., f, t] by ``rows`` [n, f] and ``columns`` [m, t]: [..., n, m]."""
    return rows.to(values) @ values @ columns.to(values).T


def patches_of(maps: Sequence[Tensor], grid: PatchGrid, neighbourhood: int, border: Border) -> Tensor:
    """Average each layer over neighbourhoods, bring the layers onto one grid and join their channels.

    Args:
        maps: Layers [B, channels, f, t].
        grid: Made for their sizes.
        neighbourhood: Cells along each side of the neighbourhood, odd.
        border: ``zeros``: cells outside count as 0, so that the mean falls off at the border; ``inside``: they do
            not count.

    Returns:
        [B, rows, columns, channels of all layers].
    """
    joined = []
    for layer, align in zip(maps, grid.align, strict=True):
        pooled = layer
        if neighbourhood > 1:
            pooled = functional.avg_pool2d(
                layer,
                neighbourhood,
                stride=1,
                padding=neighbourhood // 2,
                count_include_pad=border == "zeros",
            )
        joined.append(pooled if align is None else along_both(align[0], pooled, align[1]))
    return torch.cat(joined, dim=1).permute(0, 2, 3, 1)


def refuse_small(layers: Sequence[Layer], sizes: Sequence[tuple[int, int]], neighbourhood: int) -> None:
    """Check that a neighbourhood fits each layer.

    Raises:
        DataError: A layer has fewer cells than the neighbourhood along one axis.
    """
    for layer, size in zip(layers, sizes, strict=True):
        if min(size) < neighbourhood:
            raise DataError(
                f"at least {neighbourhood} x {neighbourhood} cells in layer '{layer.name}' ('neighbourhood')",
                f"{size[0]} x {size[1]} cells (frequency x time)",
                "use more bands or longer clips, a smaller 'neighbourhood', or layers of a finer grid",
            )
