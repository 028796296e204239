from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BACKBONES, BackboneSettings, check_input
from soundproof.core.errors import ArtefactError, ConfigError, DataError
from soundproof.core.registry import parameters
from soundproof.downloads.catalogue import catalogue
from soundproof.features.recipes import RECIPES, FeatureSettings, resolve
from soundproof.interfaces.backbone import Backbone, Layer
from soundproof.weights import load


def test_registered_facts_are_of_things_that_exist() -> None:
    for entry in BACKBONES.values():
        assert entry.load() is not None
        assert set(entry.recipes) <= set(RECIPES)
        assert entry.weights is None or catalogue()[entry.weights].kept is not None
    assert [name for name, entry in BACKBONES.items() if entry.control] == ["random", "none"]


@pytest.mark.parametrize("kind", ["random", "none"])
def test_every_backbone_gives_the_layers_it_states_frozen(kind: str) -> None:
    backbone = build_backbone(BackboneSettings(kind=kind), (40, 24), seed=0)
    x = torch.rand(2, 40, 24, generator=torch.Generator().manual_seed(0))
    backbone.calibrate(x)
    maps = backbone(x)
    for values, layer in zip(maps, backbone.layers, strict=True):
        assert values.shape[:2] == (2, layer.channels)
        # the last centre lies inside
        for axis in (0, 1):
            last = layer.offset[axis] + layer.stride[axis] * (values.shape[2 + axis] - 1)
            assert 0 <= layer.offset[axis] <= last <= x.shape[1 + axis] - 1
    assert not backbone.training and not any(weight.requires_grad for weight in backbone.parameters())


def test_the_score_has_a_gradient_through_frozen_weights() -> None:
    backbone = build_backbone(BackboneSettings(kind="random"), (16, 16), seed=0)
    x = torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0))
    backbone.calibrate(x)
    x.requires_grad_()
    sum(values.square().sum() for values in backbone(x)).backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("kind", "shape", "found"),
    [
        ("random", (7, 40), "7 bands x 40 frames"),
        ("random", (97, 40), "97 bands"),
        ("none", (40, 4), "4 frames"),
    ],
)
def test_maps_that_it_cannot_take_are_refused(kind: str, shape: tuple[int, int], found: str) -> None:
    with pytest.raises(DataError, match=found):
        build_backbone(BackboneSettings(kind=kind), shape, seed=0)


def test_settings_by_name_and_in_full() -> None:
    detector = parameters("toy", backbone=(BackboneSettings, BackboneSettings()))
    assert detector(backbone="none").backbone == BackboneSettings(kind="none")
    full = detector(backbone={"kind": "none", "patch": 3})
    # as stored in a detector's file
    assert type(full).model_validate(full.model_dump(mode="json")) == full


@pytest.mark.usefixtures("data_dir")
def test_missing_weights_say_what_to_do(data_dir: Path) -> None:
    with pytest.raises(ArtefactError, match=rf"(?s){data_dir}/weights/cnn9\.safetensors.*run 'snakemake"):
        build_backbone(BackboneSettings(kind="cnn9"), (69, 40), seed=0)


def test_weights_of_another_shape_are_refused(published: Path, data_dir: Path, monkeypatch) -> None:
    tensors = load_file(published / "weights" / "cnn9.safetensors")
    unpinned = catalogue()["cnn9"].model_copy(
        update={"kept": catalogue()["cnn9"].kept.model_copy(update={"sha256": None})}
    )
    monkeypatch.setattr(load, "recorded", lambda name: unpinned)
    path = data_dir / "weights" / "cnn9.safetensors"
    path.parent.mkdir()
    first = "conv_block1.conv1.weight"
    for changed, found in (
        ({**tensors, first: tensors[first][:, :, :2].contiguous()}, "size mismatch"),
        ({name: value for name, value in tensors.items() if name != first}, f"without .'{first}'"),
        ({**tensors, "conv_block9.conv1.weight": torch.ones(1)}, "conv_block9"),
    ):
        save_file(changed, path)
        with pytest.raises(ArtefactError, match=found):
            build_backbone(BackboneSettings(kind="cnn9"), (69, 40), seed=0)


class Own(Backbone):
    layers = (Layer("conv", 2, (1, 1), (0.0, 0.0)),)

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        self.conv = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.conv(x.unsqueeze(1))]


NO_BACKBONE = nn.Identity


def own(file: Path, name: str = "Own") -> BackboneSettings:
    return BackboneSettings(kind="own", file=str(file), module=f"{__name__}:{name}")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_an_own_encoder_is_a_class_and_a_file_of_tensors(tmp_path: Path, suffix: str) -> None:
    wanted = Own((8, 8))
    file = tmp_path / f"mine{suffix}"
    save_file(wanted.state_dict(), file) if suffix == ".safetensors" else torch.save(
        wanted.state_dict(), file
    )
    built = build_backbone(own(file), (8, 8), seed=0)
    x = torch.ones(1, 8, 8)
    assert torch.allclose(built(x)[0], wanted(x)[0], atol=1e-6)
    assert built.origin is not None and built.origin.name == file.name


def test_an_own_encoder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.pt"
    with pytest.raises(DataError, match="name a file that exists"):
        build_backbone(own(file), (8, 8), seed=0)
    torch.save({"conv.weight": torch.ones(2, 1, 5, 5), "conv.bias": torch.ones(2)}, file)
    with pytest.raises(DataError, match=r"(?s)size mismatch.*names and shapes"):
        build_backbone(own(file), (8, 8), seed=0)
    torch.save(Own((8, 8)), file)
    with pytest.raises(DataError, match="a pickle that would run code"):
        build_backbone(own(file), (8, 8), seed=0)
    with pytest.raises(DataError, match=r"derive it from soundproof\.interfaces\.backbone\.Backbone"):
        build_backbone(own(file, "NO_BACKBONE"), (8, 8), seed=0)
    with pytest.raises(DataError, match="AttributeError"):
        build_backbone(own(file, "Nothing"), (8, 8), seed=0)


def test_an_own_encoder_without_its_file_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 'file' and 'module'"):
        BackboneSettings(kind="own")
    with pytest.raises(ConfigError, match="no backbone of that name"):
        BACKBONES["resnet"]


def features(**values: object) -> FeatureSettings:
    return FeatureSettings(**resolve(values))


def test_a_trained_network_takes_the_maps_it_was_trained_on_and_no_others() -> None:
    detector = parameters("toy", backbone=(BackboneSettings, BackboneSettings()))
    check_input(detector(), features(recipe="cnn9", level="normalise", frames_multiple=1))
    with pytest.raises(ConfigError, match=r"(?s)recipe 'bench'.*recipe: cnn9"):
        check_input(detector(), features())
    with pytest.raises(
        ConfigError, match=r"(?s)'standardise: band' instead of 'none'.*leave out: standardise"
    ):
        check_input(detector(), features(recipe="cnn9", standardise="band"))
    for control in ("random", "none", "efficientnet_lite0"):
        check_input(detector(backbone=control), features())
    check_input(parameters("plain")(), features())
