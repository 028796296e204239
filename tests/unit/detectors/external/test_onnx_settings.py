"""What a study may say of a model in an ONNX file; no runtime is needed to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soundproof.attribution.registry import EXPLAINERS, check_compatible
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.registry import check_compatible as check_metric

ENTRY = DETECTORS["external"]
WORDS = {"model": "mine.onnx", "output": "reconstruction"}


def test_the_file_is_data_that_is_tracked_and_no_code() -> None:
    settings = ENTRY.settings(WORDS)
    assert settings.own_files() == (Path("mine.onnx"),)
    assert settings.named_modules() == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": "mine.safetensors"}, "leave out 'weights'"),
        ({"arguments": {"depth": 3}}, "leave out 'arguments'"),
        ({"cam_layer": "conv"}, "leave out 'cam_layer'"),
    ],
)
def test_what_an_onnx_file_cannot_have_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ENTRY.settings({**WORDS, **changes})


def test_explainers_by_gradients_are_refused_when_the_study_is_read() -> None:
    settings = ENTRY.settings({**WORDS, "gradients": False})
    for kind in ("occlusion", "rise", "error_map"):
        entry, chosen = EXPLAINERS.choose({"kind": kind})
        check_compatible(ENTRY, settings, entry, chosen)
    entry, chosen = EXPLAINERS.choose({"kind": "saliency"})
    with pytest.raises(ConfigError, match="a differentiable score"):
        check_compatible(ENTRY, settings, entry, chosen)
    # converted to torch it has them
    check_compatible(ENTRY, ENTRY.settings(WORDS), entry, chosen)


def test_weights_that_cannot_be_redrawn_are_not_compared_with_redrawn_ones() -> None:
    metric = FAITHFULNESS["randomisation"]
    with pytest.raises(ConfigError, match="weights cannot be redrawn"):
        check_metric(ENTRY, ENTRY.settings(WORDS), metric, metric.settings({}))
    check_metric(ENTRY, ENTRY.settings({**WORDS, "model": "mine.py:build"}), metric, metric.settings({}))
