"""Rebuilt networks against the numbers of the published code, run once on these inputs (aisfx 0.1.2,
efficientnet-lite-pytorch 0.1.0, torch 2.13)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from backbone_toys import by_formula, facts, wave

from soundproof.backbones.build import build_backbone
from soundproof.backbones.cnn9 import Cnn9
from soundproof.backbones.cnn14 import Cnn14
from soundproof.backbones.efficientnet_lite0 import EfficientNetLite0
from soundproof.backbones.none import Patches
from soundproof.backbones.registry import BackboneSettings
from soundproof.weights.convert import count_weights
from soundproof.weights.reading import read_tensors

STAGES = ("expand", "depthwise", "project")
LITE = {"expand": "_expand_conv", "depthwise": "_depthwise_conv", "project": "_project_conv"} | {
    f"{stage}_norm": f"_bn{number}" for number, stage in enumerate(STAGES)
}


def lite_name(name: str) -> str:
    """Published name of a tensor of our EfficientNet-Lite0."""
    first, *rest = name.split(".")
    if first == "blocks":
        return ".".join(["_blocks", rest[0], LITE[rest[1]], *rest[2:]])
    return ".".join([{"stem": "_conv_stem", "stem_norm": "_bn0"}[first], *rest])


def floats(network: torch.nn.Module) -> dict[str, torch.Size]:
    return {
        name: value.shape
        for name, value in network.state_dict().items()
        if value.is_floating_point() and value.ndim
    }


def close(maps: list[torch.Tensor], golden: list[list[float]]) -> None:
    for values, expected in zip(maps, golden, strict=True):
        assert facts(values) == pytest.approx(expected, rel=2e-5, abs=2e-6)


def test_cnn9_with_weights_by_formula_gives_what_the_published_code_gives() -> None:
    network = Cnn9((96, 40)).eval()
    network.load_state_dict(by_formula(floats(network)), strict=False)
    with torch.no_grad():
        maps = network(wave(2, 40, 96).transpose(1, 2))
    assert [tuple(values.shape) for values in maps] == [(2, 128, 24, 10), (2, 256, 12, 5), (2, 512, 12, 5)]
    close(
        maps,
        [
            [0.075768, 0.07259, 0.0, 0.26535],
            [0.062711, 0.064112, 0.176746, 0.19089],
            [0.047559, 0.053887, 0.0, 0.144257],
        ],
    )
    # the published embedding: mean over frequency, largest over time
    embedding = maps[2].mean(2).amax(2)
    assert embedding[1, :4].tolist() == pytest.approx([0.074982, 0.137443, 0.039588, 0.0], abs=1e-5)


def test_cnn9_with_published_weights_gives_what_the_published_code_gives(published: Path) -> None:
    network = build_backbone(BackboneSettings(kind="cnn9"), (96, 40), seed=0)
    maps = network(wave(2, 40, 96).transpose(1, 2))
    close(
        maps,
        [
            [2.286812, 3.503686, 0.0, 20.182938],
            [1.14163, 2.509245, 0.0, 19.219952],
            [2.184062, 3.573221, 0.85923, 31.428251],
        ],
    )
    embedding = maps[2].mean(2).amax(2)
    assert embedding[1, :4].tolist() == pytest.approx([1.728143, 2.679646, 10.878444, 6.173939], rel=1e-5)
    assert count_weights(read_tensors(published / "weights" / "cnn9.safetensors")) == 4_686_144


def test_cnn9_has_as_many_weights_and_channels_as_published() -> None:
    network = Cnn9((96, 40))
    assert sum(weight.numel() for weight in network.parameters()) == 4_686_144
    assert [layer.channels for layer in network.layers] == [128, 256, 512]
    assert sum(layer.channels for layer in network.layers) == 896
    assert [layer.stride for layer in network.layers] == [(4, 4), (8, 8), (8, 8)]


def test_efficientnet_with_weights_by_formula_gives_what_the_published_code_gives() -> None:
    network = EfficientNetLite0((64, 160)).eval()
    names = {lite_name(name): shape for name, shape in floats(network).items()}
    network.load_state_dict(network.from_published(by_formula(names)), strict=False)
    with torch.no_grad():
        maps = network(wave(2, 64, 160) * 4 - 2)
    assert [tuple(values.shape) for values in maps] == [(2, 24, 16, 40), (2, 40, 8, 20)]
    close(maps, [[0.032125, 0.485453, -0.062504, 1.258945], [0.043394, 1.826353, -0.053897, 12.13278]])


@pytest.mark.usefixtures("published")
def test_efficientnet_with_published_weights_gives_what_the_published_code_gives() -> None:
    network = build_backbone(BackboneSettings(kind="efficientnet_lite0"), (64, 160), seed=0)
    maps = network(wave(2, 64, 160) * 4 - 2)
    close(maps, [[-1.12094, 15.187885, 19.586227, 59.277271], [0.072733, 10.040466, 6.644466, 39.51722]])


def test_efficientnet_takes_scale_and_offset_of_the_training_clips() -> None:
    network = EfficientNetLite0((64, 32)).eval()
    x = wave(3, 64, 32)
    network.calibrate(x)
    before = network(x)
    network.calibrate(5 * x - 40)
    assert torch.allclose(network(5 * x - 40)[1], before[1], atol=1e-4)


def test_cnn14_normalises_each_band_and_averages_in_its_poolings() -> None:
    network = Cnn14((64, 48)).eval()
    assert [layer.stride for layer in network.layers] == [(4, 4), (8, 8), (16, 16)]
    assert sum(layer.channels for layer in network.layers) == 896
    # CNN9's weights and two for each of the 64 bands
    assert sum(weight.numel() for weight in network.parameters()) == 4_686_144 + 128
    x = wave(1, 64, 48)
    shift = torch.linspace(-1, 1, 64)
    before = network(x)
    network.bn0.running_mean.copy_(shift)
    after = network(x + shift[:, None])
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(before, after, strict=True))


def test_cnn14_on_fewer_bands_takes_the_statistics_of_those() -> None:
    whole, low = Cnn14((64, 48)), Cnn14((40, 48))
    tensors = by_formula(floats(whole))
    low.load_state_dict(low.from_published(tensors), strict=False)
    assert torch.equal(low.bn0.running_var, tensors["bn0.running_var"][:40])


def test_patches_are_the_cells_around_their_centres() -> None:
    network = Patches((9, 13), side=5, stride=4)
    (layer,) = network.layers
    assert (layer.channels, layer.stride, layer.offset) == (25, (4, 4), (2.0, 2.0))
    x = torch.arange(9 * 13, dtype=torch.float32).reshape(1, 9, 13)
    (patches,) = network(x)
    assert patches.shape == (1, 25, 2, 3)
    assert torch.equal(patches[0, :, 1, 2].reshape(5, 5), x[0, 4:9, 8:13])
    # the middle of the patch is the centre that the layer states
    assert patches[0, 12, 1, 2] == x[0, 6, 10]


@pytest.mark.parametrize("make", [Cnn9, Cnn14, EfficientNetLite0, lambda shape: Patches(shape, 5, 4)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_cell_sees_a_field_around_the_centre_that_its_layer_states(make, axis: int) -> None:
    """Positive weights and impulses on nothing: a cell answers where, and only where, it sees the impulse."""
    length, across = 128, 16
    shape = (length, across) if axis == 0 else (across, length)
    network = make(shape).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                weight.fill_(1 / weight[0].numel())
            else:
                weight.fill_(1.0 if name.endswith("weight") else 0.0)
        x = torch.zeros(length, *shape)
        for at in range(length):
            x.select(0, at).select(axis, at)[across // 2 :] = 1.0
        maps = network(x)
    for values, layer in zip(maps, network.layers, strict=True):
        seen = values.sum(1).amax(2 - axis) > 0  # [impulse, cell]
        middle = seen.shape[1] // 2
        field = seen[:, middle].nonzero().flatten()
        assert field.min() > 0 and field.max() < length - 1, "the field must lie inside"
        centre = float(field.min() + field.max()) / 2
        assert centre == layer.offset[axis] + layer.stride[axis] * middle
