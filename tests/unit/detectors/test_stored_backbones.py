"""A fitted detector's file does not repeat the weights of its backbone, but says which they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from soundproof.backbones import build
from soundproof.backbones.build import build_backbone
from soundproof.backbones.digests import tensors_digest
from soundproof.backbones.registry import BackboneSettings
from soundproof.core.errors import ArtefactError
from soundproof.core.registry import parameters
from soundproof.detectors.registry import DETECTORS, DetectorEntry
from soundproof.detectors.storage import load_detector, read_header, save_detector
from soundproof.interfaces.backbone import Backbone, Layer, Origin
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.storage.provenance import Provenance

CPU = torch.device("cpu")
RECORD = Provenance(stage="training")


class Distance(Detector):
    """Mean square of what its backbone sees."""

    def __init__(self, shape, settings) -> None:
        super().__init__(shape, settings)
        self.backbone = build_backbone(settings.backbone, shape, seed=0)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        raise NotImplementedError

    def score(self, x: Tensor) -> Tensor:
        return sum(values.square().mean((1, 2, 3)) for values in self.backbone(x))


class Trained(Backbone):
    layers = (Layer("only", 2, (1, 1), (0.0, 0.0)),)

    def __init__(self, shape: tuple[int, int], value: float = 1.0) -> None:
        super().__init__(shape)
        self.conv = nn.Conv2d(1, 2, 1)
        nn.init.constant_(self.conv.weight, value)
        nn.init.constant_(self.conv.bias, 0.0)
        state = self.state_dict()
        self.origin = Origin("toy", tensors_digest(state), frozenset(state), "Toy by Ann Author; CC-BY-4.0")

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.conv(x.unsqueeze(1))]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = DetectorEntry(
        name="distance",
        title="Distance",
        implementation=f"{__name__}:Distance",
        citation="toy",
        parameters=parameters("distance", backbone=(BackboneSettings, Field(BackboneSettings()))),
        offers=frozenset({"gradients"}),
    )
    monkeypatch.setattr(DETECTORS, "_entries", {**DETECTORS._entries, "distance": entry})


def detector(**backbone: object) -> Detector:
    entry = DETECTORS["distance"]
    made: Detector = entry.load()((24, 16), entry.settings({"backbone": backbone or "random"}))
    return made


def with_toy(monkeypatch: pytest.MonkeyPatch, value: float = 1.0) -> Detector:
    monkeypatch.setattr(build, "_made", lambda settings, entry, shape, seed: Trained(shape, value))
    return detector()


def test_drawn_weights_are_drawn_again_and_statistics_are_stored(tmp_path: Path) -> None:
    fitted = detector(kind="random")
    x = torch.randn(4, 24, 16, generator=torch.Generator().manual_seed(0))
    fitted.backbone.calibrate(x)
    path = tmp_path / "model.safetensors"
    save_detector(path, fitted, "distance", RECORD)
    # 18.7 MB of weights are not in it
    assert path.stat().st_size < 60_000
    assert torch.equal(load_detector(path, CPU).score(x), fitted.freeze().score(x))
    assert read_header(path).weights["backbone"]["name"] == "random cnn9, seed 0"


def test_the_header_names_weights_checksum_and_authors(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "model.safetensors"
    fitted = with_toy(monkeypatch)
    save_detector(path, fitted, "distance", RECORD)
    named = read_header(path).weights["backbone"]
    assert named == {
        "name": "toy",
        "sha256": fitted.backbone.origin.sha256,
        "credit": "Toy by Ann Author; CC-BY-4.0",
    }


def test_other_weights_than_it_was_fitted_on_are_refused(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "model.safetensors"
    save_detector(path, with_toy(monkeypatch), "distance", RECORD)
    with_toy(monkeypatch, value=2.0)
    with pytest.raises(ArtefactError, match=r"(?s)fitted on the weights 'toy'.*bring the weights"):
        load_detector(path, CPU)


def test_a_backbone_that_was_trained_further_is_stored_whole(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "model.safetensors"
    fitted = with_toy(monkeypatch)
    with torch.no_grad():
        fitted.backbone.conv.weight[0] += 1e-6
    save_detector(path, fitted, "distance", RECORD)
    assert read_header(path).weights == {}
    x = torch.ones(2, 24, 16)
    assert torch.equal(load_detector(path, CPU).score(x), fitted.freeze().score(x))


def test_settings_name_the_weights_and_modules_they_need() -> None:
    entry = DETECTORS["distance"]
    by_default = entry.settings({})
    assert by_default.needed_weights() == ("cnn9",)
    assert by_default.named_modules() == ("soundproof.backbones.cnn9",)
    control = entry.settings({"backbone": {"kind": "random", "network": "efficientnet_lite0"}})
    assert control.needed_weights() == ()
    assert control.named_modules() == (
        "soundproof.backbones.random",
        "soundproof.backbones.efficientnet_lite0",
    )
    assert entry.settings({"backbone": "none"}).needed_weights() == ()
    assert DETECTORS["gaussian"].settings({}).needed_weights() == ()
