"""The guide to backbones, followed literally."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BackboneSettings

GUIDE = Path(__file__).parents[3] / "docs" / "adding-a-backbone.md"


def block(language: str) -> str:
    found = re.search(
        rf"```{language} \S+(?: \(add\))?\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_guides_encoder_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_encoder.py").write_text(block("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "weights.safetensors"
    values = yaml.safe_load(block("yaml"))["detectors"]["on_mine"]["backbone"] | {"file": str(file)}
    settings = BackboneSettings.model_validate(values)
    module, _, name = values["module"].partition(":")
    __import__(module)
    save_file(getattr(sys.modules[module], name)((16, 24)).state_dict(), file)
    backbone = build_backbone(settings, (16, 24), seed=0)
    with torch.no_grad():
        for weight in backbone.parameters():
            weight.fill_(1.0 if weight.ndim > 1 else 0.0)
        impulses = torch.eye(16)[:, :, None].expand(16, 16, 24)
        maps = backbone(impulses)
    for values_of, layer in zip(maps, backbone.layers, strict=True):
        assert values_of.shape[1] == layer.channels
        seen = (values_of.sum((1, 3)) > 0)[:, 2].nonzero().flatten()
        assert float(seen.min() + seen.max()) / 2 == layer.offset[0] + 2 * layer.stride[0]
    monkeypatch.delitem(sys.modules, module)
