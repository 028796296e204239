"""What a study may say of CLAP, and what is said where weights are missing; no library is needed for it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from soundproof.backbones.registry import check_input
from soundproof.config.load import load_config
from soundproof.config.stages import Stages
from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.foundation.settings import FILES, INSTALL, PACKAGE, fault_of
from soundproof.detectors.registry import DETECTORS
from soundproof.features.recipes import FeatureSettings, resolve

ROOT = Path(__file__).parents[4]
ENTRY = DETECTORS["clap_zero_shot"]
RUN = {"data_dir": "data", "results_dir": "results", "run": "toy"}


def placed(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"normal": []}, "name at least 1"),
        ({"anomalous": []}, "name at least 1"),
        ({"anomalous": ["  "]}, "write at least 1 character"),
        ({"temperature": 0}, "it must be above 0"),
        ({"temperature": -0.1}, "it must be above 0"),
        ({"window_s": 0}, "it must be above 0"),
        ({"window_bands": 0}, "it must be above 0"),
        ({"template": "{state} machine"}, "write {state} and {machine} once each"),
        ({"template": "{state} {machine} {state}"}, "write {state} and {machine} once each"),
        ({"template": "{state.real} {machine}"}, "write {state} and {machine} once each"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
def test_what_makes_no_sentence_or_no_window_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        ENTRY.settings(changes)


@pytest.mark.parametrize(
    ("names", "found", "remedy"),
    [
        (None, "no folder", "place a CLAP model there: config.json"),
        (FILES[1:], "no config.json in", "place a CLAP model there"),
        (
            ("config.json",),
            "no preprocessor_config.json, tokenizer.json, model.safetensors",
            "place a CLAP model",
        ),
        ((*FILES[:3], "pytorch_model.bin"), "a pickle alone", "save_pretrained writes model.safetensors"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named_with_what_to_do(
    tmp_path: Path, names: tuple[str, ...] | None, found: str, remedy: str
) -> None:
    folder = tmp_path / "clap" if names is None else placed(tmp_path / "clap", *names)
    fault = fault_of(folder)
    assert fault is not None
    assert found in fault[0] and str(folder) in fault[0] and remedy in fault[1]
    settings = ENTRY.settings({"weights": str(folder)})
    assert settings.lacking().startswith(f"weights missing: {fault[0]}. To do: {fault[1]}")
    with pytest.raises(DataError, match=re.escape(fault[0])):
        ENTRY.load()((64, 200), settings)


def test_what_is_read_is_what_is_tracked(tmp_path: Path) -> None:
    folder = placed(tmp_path / "clap", *FILES)
    settings = ENTRY.settings({"weights": str(folder)})
    assert fault_of(folder) is None
    assert settings.own_files() == tuple(folder / name for name in FILES)


@pytest.mark.skipif(find_spec(PACKAGE) is not None, reason="the library is installed")
def test_without_the_library_it_says_how_to_install_it(tmp_path: Path) -> None:
    settings = ENTRY.settings({"weights": str(placed(tmp_path / "clap", *FILES))})
    assert settings.lacking().startswith("library missing: ") and INSTALL in settings.lacking()
    with pytest.raises(ConfigError, match=re.escape(INSTALL)):
        ENTRY.load()((64, 200), settings)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"recipe": "bench"}, "recipe 'bench'"),
        ({"recipe": "clap", "hop_length": 400}, "'hop_length: 400' instead of '480'"),
        ({"recipe": "clap", "standardise": "band"}, "'standardise: band' instead of 'none'"),
    ],
)
def test_maps_that_clap_was_not_trained_on_are_refused(features: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_input(ENTRY.settings({}), FeatureSettings(**resolve(features)))
    check_input(ENTRY.settings({}), FeatureSettings(**resolve({"recipe": "clap", "level": "normalise"})))


def studies(tmp_path: Path, name: str, **detectors: Any) -> Any:
    place = {"clap_zero_shot": {"weights": str(tmp_path / "nowhere")}} if name == "p4_clap" else {}
    values = {**RUN, "studies": [name], "overrides": {name: {"detectors": {**place, **detectors}}}}
    return load_config(values, ROOT / "config/studies")[1][name]


def test_a_study_goes_on_without_it_and_says_why(tmp_path: Path) -> None:
    study = studies(tmp_path, "p4_clap")
    assert list(study.missing) == ["clap_zero_shot"]
    assert list(study.detectors) == ["few_shot_memory_none", "vae", "gaussian", "clip_level"]
    facts = Stages(study).facts()
    (absent,) = facts["absent"]
    assert (absent["title"], absent["family"]) == ("CLAP zero-shot", "foundation")
    assert absent["reason"].startswith(
        f"weights missing: no folder {tmp_path / 'nowhere'}. To do: place a CLAP"
    )
    assert "clap_zero_shot" not in facts["families"]


def test_a_study_of_families_without_it_points_to_the_study_that_asks_it(tmp_path: Path) -> None:
    (absent,) = Stages(studies(tmp_path, "p4")).facts()["absent"]
    assert absent["reason"].startswith("weights missing") and "run the study p4_clap" in absent["reason"]
    # where no families are compared, nobody misses a member
    assert "absent" not in Stages(studies(tmp_path, "p2")).facts()


def test_a_family_whose_only_member_is_missing_is_compared_all_the_same(tmp_path: Path) -> None:
    stages = Stages(studies(tmp_path, "p4_clap", few_shot_memory_none=None))
    assert set(stages.families().values()) == {"generative", "rival"}
    assert [one["family"] for one in stages.absent()] == ["foundation"]
    assert "families" in stages.shown()


def test_a_study_that_has_nothing_else_to_explain_is_refused(tmp_path: Path) -> None:
    others = ("few_shot_memory_none", "vae", "gaussian")
    with pytest.raises(ConfigError, match=r"(?s)none that is explained is left\. weights missing"):
        studies(tmp_path, "p4_clap", **dict.fromkeys(others))
