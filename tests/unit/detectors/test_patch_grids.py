"""Layers on one grid, and from there to the map."""

import pytest
import torch
from torch.nn import functional
from toys.detectors import noise

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.patches import (
    Axis,
    PatchGrid,
    along_both,
    linear_weights,
    nearest_weights,
    patches_of,
    refuse_small,
    repeated_weights,
)
from soundproof.interfaces.backbone import Layer

RAMP = torch.tensor([0.0, 10.0, 20.0], dtype=torch.float64)
SIZES = [(3, 5), (69, 138), (34, 69), (34, 138), (8, 16), (4, 16)]


def test_a_ramp_by_hand():
    # cells at 1, 4 and 7
    axis = Axis(3, 3.0, 1.0)
    at = torch.tensor([0.0, 1.0, 2.0, 2.5, 4.0, 6.0, 9.0], dtype=torch.float64)
    linear = linear_weights(axis, at) @ RAMP
    assert linear.tolist() == pytest.approx([0, 0, 10 / 3, 5, 10, 50 / 3, 20])
    # 2.5 lies between cells 0 and 1: the upper one
    assert (nearest_weights(axis, at) @ RAMP).tolist() == [0, 0, 0, 10, 10, 20, 20]


def test_three_cells_over_six():
    stretched = Axis.stretched(3, 6)
    assert stretched.centres.tolist() == [0.5, 2.5, 4.5]
    linear = linear_weights(stretched, torch.arange(6.0, dtype=torch.float64)) @ RAMP
    assert linear.tolist() == pytest.approx([0, 2.5, 7.5, 12.5, 17.5, 20])
    assert (repeated_weights(3, 6) @ RAMP).tolist() == [0, 0, 10, 10, 20, 20]


@pytest.mark.parametrize(("size", "onto"), SIZES)
def test_stretching_is_that_of_torch_also_by_a_factor_that_is_not_whole(size, onto):
    values = noise(1, 2, size, 3)
    expected = functional.interpolate(values, (onto, 3), mode="nearest")
    eye = torch.eye(3)
    torch.testing.assert_close(along_both(repeated_weights(size, onto), values, eye), expected)
    weights = linear_weights(Axis.stretched(size, onto), torch.arange(onto, dtype=torch.float64))
    bilinear = functional.interpolate(values, (onto, 3), mode="bilinear", align_corners=False)
    torch.testing.assert_close(along_both(weights, values, eye), bilinear, atol=1e-5, rtol=1e-5)


LAYERS = (Layer("fine", 2, (2, 2), (0.5, 0.5)), Layer("coarse", 3, (4, 4), (1.5, 1.5)))


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("grid", ["stretched", "measured"])
def test_a_constant_stays_constant_up_to_the_border(grid, upsampling):
    maps = [torch.full((1, 2, 5, 7), 3.0), torch.full((1, 3, 3, 4), 5.0)]
    laid = PatchGrid.of(LAYERS, [(5, 7), (3, 4)], (11, 14), grid, upsampling)
    assert laid.shape == (5, 7)
    inside = patches_of(maps, laid, 3, "inside")
    assert inside.shape == (1, 5, 7, 5)
    torch.testing.assert_close(inside, torch.tensor([3.0, 3, 5, 5, 5]).expand(1, 5, 7, 5))
    onto = along_both(laid.to_map[0], inside[..., 0], laid.to_map[1])
    torch.testing.assert_close(onto, torch.full((1, 11, 14), 3.0))
    # with zeros from outside, a corner is the mean of 4 cells of 9
    zeros = patches_of(maps, laid, 3, "zeros")
    assert zeros[0, 0, 0, 0].item() == pytest.approx(3 * 4 / 9)
    assert zeros[0, 2, 3, 0].item() == pytest.approx(3)


def test_cells_come_back_to_where_the_layer_saw_them():
    # an impulse in cell (1, 2) of a layer with stride 4 and offset 3: input cells (7, 11)
    layer = Layer("late", 1, (4, 4), (3.0, 3.0))
    laid = PatchGrid.of([layer], [(4, 5)], (20, 24), "measured", "bilinear")
    values = torch.zeros(1, 4, 5)
    values[0, 1, 2] = 1
    onto = along_both(laid.to_map[0], values, laid.to_map[1])[0]
    assert onto[7, 11] == 1 and (onto.argmax() == 7 * 24 + 11)
    # stretched to fit, it would lie elsewhere
    fitted = PatchGrid.of([layer], [(4, 5)], (20, 24), "stretched", "bilinear")
    assert not torch.equal(along_both(fitted.to_map[0], values, fitted.to_map[1])[0], onto)


def test_measured_layers_meet_where_they_saw_the_same():
    # both layers hold the input position of their cells, so that aligned they must agree wherever both reach
    fine, coarse = torch.arange(12.0) * 2 + 0.5, torch.arange(6.0) * 4 + 1.5
    maps = [fine[None, None, :, None].expand(1, 1, 12, 12), coarse[None, None, :, None].expand(1, 1, 6, 6)]
    layers = (Layer("fine", 1, (2, 2), (0.5, 0.5)), Layer("coarse", 1, (4, 4), (1.5, 1.5)))
    laid = PatchGrid.of(layers, [(12, 12), (6, 6)], (24, 24), "measured", "bilinear")
    patches = patches_of(maps, laid, 1, "inside")[0, :, 0]
    assert patches[1:-1, 0].tolist() == pytest.approx(patches[1:-1, 1].tolist())


def test_a_grid_smaller_than_the_neighbourhood_is_refused():
    refuse_small(LAYERS, [(5, 7), (3, 4)], 3)
    with pytest.raises(DataError, match=r"'coarse'.*\n.*2 x 4 cells"):
        refuse_small(LAYERS, [(5, 7), (2, 4)], 3)
