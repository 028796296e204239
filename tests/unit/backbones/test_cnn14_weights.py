"""CNN14's checkpoint, as its record describes it: what is kept of it, and what is said where it is another one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from backbone_toys import by_formula, wave
from safetensors.torch import load_file, save_file
from torch import Tensor

from soundproof.backbones.build import build_backbone
from soundproof.backbones.cnn14 import Cnn14
from soundproof.backbones.registry import BackboneSettings
from soundproof.core.errors import ArtefactError, DataError, DownloadError
from soundproof.downloads.catalogue import catalogue
from soundproof.weights.convert import converted
from soundproof.weights.fetch import fetch_weights

SHAPE = (64, 48)
RECORD = catalogue()["cnn14"]
FIRST = "conv_block1.conv1.weight"


def published_tensors() -> dict[str, Tensor]:
    """Tensors under the names of the checkpoint, with some of what is not kept."""
    state = Cnn14(SHAPE).state_dict()
    kept = by_formula({name: value.shape for name, value in state.items() if value.is_floating_point()})
    counts = {name: value for name, value in state.items() if not value.is_floating_point()}
    rest = {"conv_block5.conv1.weight": torch.ones(2, 2, 3, 3), "fc_audioset.bias": torch.ones(527)}
    return {**kept, **counts, **rest}


def checkpoint(tensors: dict[str, Tensor]) -> bytes:
    stream = io.BytesIO()
    torch.save({"model": tensors, "iteration": 600_000}, stream)
    return stream.getvalue()


@pytest.fixture
def weights(data_dir: Path) -> Path:
    """The file that the workflow makes of the checkpoint."""
    path = data_dir / "weights" / "cnn14.safetensors"
    path.parent.mkdir()
    path.write_bytes(converted(RECORD, "cnn14", checkpoint(published_tensors())))
    return path


def built() -> torch.nn.Module:
    return build_backbone(BackboneSettings(kind="cnn14"), SHAPE, seed=0)


def test_the_four_blocks_are_kept_and_found_in_their_places(weights: Path) -> None:
    kept = load_file(weights)
    assert {name.partition(".")[0] for name in kept} == {"bn0", *(f"conv_block{n}" for n in range(1, 5))}
    plain = Cnn14(SHAPE).eval()
    plain.load_state_dict(kept, strict=False)
    backbone, x = built(), wave(2, *SHAPE)
    for ours, expected in zip(backbone(x), plain(x), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    assert backbone.origin.name == "cnn14" and "Qiuqiang Kong" in backbone.origin.credit


def test_a_checkpoint_that_lacks_a_block_is_refused() -> None:
    tensors = {name: value for name, value in published_tensors().items() if "conv_block4" not in name}
    with pytest.raises(
        DataError, match=r"(?s)4,686,272 weights.*found: 1,1.*fetch the file that is catalogued"
    ):
        converted(RECORD, "cnn14", checkpoint(tensors))
    stream = io.BytesIO()
    torch.save(published_tensors(), stream)
    with pytest.raises(DataError, match="KeyError"):
        converted(RECORD, "cnn14", stream.getvalue())


@pytest.mark.usefixtures("data_dir")
def test_missing_weights_say_which_file_is_missing_and_how_to_have_it() -> None:
    with pytest.raises(ArtefactError, match=r"(?s)weights/cnn14\.safetensors.*run 'snakemake"):
        built()


def test_another_file_in_the_checkpoint_s_place_is_refused(data_dir: Path, monkeypatch) -> None:
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    path = data_dir / "cnn14" / "Cnn14_mAP=0.431.pth"
    path.parent.mkdir()
    path.write_bytes(checkpoint(published_tensors()))
    with pytest.raises(DownloadError, match=r"(?s)Cnn14_mAP=0\.431\.pth.*SOUNDPROOF_OFFLINE"):
        fetch_weights("cnn14", data_dir)
    assert not (data_dir / "weights").exists()


def test_weights_of_another_shape_are_refused(weights: Path) -> None:
    tensors = load_file(weights)
    for changed, found in (
        ({**tensors, FIRST: tensors[FIRST][:, :, :2].contiguous()}, "size mismatch"),
        ({name: value for name, value in tensors.items() if name != FIRST}, f"without .'{FIRST}'"),
    ):
        save_file(changed, weights)
        with pytest.raises(ArtefactError, match=found):
            built()
