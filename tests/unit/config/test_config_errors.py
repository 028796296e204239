from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toys.configuration import STUDY, load, studies_dir
from toys.own_models import small_model

from soundproof.config import load_config
from soundproof.core.errors import ConfigError

HEARING = {"kind": "external", **small_model("score"), "cam_layer": None, "input": "audio"}
# overrides of the study; what the message must name; what it must advise
STUDY_MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "key": ({"sedes": [1]}, "key 'sedes', study 'toy' with its overrides", "did you mean 'seeds'"),
    "nested key": ({"explain": {"clip": "test"}}, "'explain.clip'", "did you mean 'clips'"),
    "feature": ({"features": {"n_mel": 3}}, "'features.n_mel'", "did you mean 'n_mels'"),
    "recipe": ({"features": {"recipe": "bnch"}}, "feature recipe 'bnch'", "did you mean 'bench'"),
    "window": ({"features": {"window_length": 2048}}, "'features'", "window_length 2048 exceeds n_fft"),
    "data set": ({"dataset": {"kind": "bnch"}}, "data set 'bnch'", "did you mean 'bench'"),
    "data set's form": ({"dataset": "bench"}, "data set", "write a mapping"),
    "machine": ({"dataset": {"machines": ["fann"]}}, "machine 'fann'", "did you mean 'fan'"),
    "detector": ({"detectors": {"x": {"kind": "skip_ca"}}}, "at 'detectors.x'", "did you mean 'skip_cae'"),
    "detector's label": ({"detectors": {"isolationforest": {}}}, "isolationforest", "'isolation_forest'"),
    "detector's key": ({"detectors": {"ae": {"epoch": 1}}}, "setting 'epoch' of 'skip_cae'", "'epochs'"),
    "detector's value": ({"detectors": {"ae": {"epochs": 0}}}, "'epochs'", "it must be above 0"),
    "infinite": ({"detectors": {"ae": {"learning_rate": float("inf")}}}, "inf", "finite number"),
    "explain": ({"detectors": {"ae": {"explain": "maybe"}}}, "'explain', at 'detectors.ae'", "true or false"),
    "title": ({"detectors": {"ae": {"title": 3}}}, "'title', at 'detectors.ae'", "write text"),
    "own seeds": ({"detectors": {"ae": {"seeds": [3, 3]}}}, "'seeds', at 'detectors.ae'", "name 3 only once"),
    "no own seeds": ({"detectors": {"ae": {"seeds": []}}}, "'seeds', at 'detectors.ae'", "name at least 1"),
    "label": ({"detectors": {"a/e": {"kind": "cae"}}}, "label 'a/e'", "letters, digits"),
    "paper": ({"paper": "P9"}, "paper 'P9'", "Known: P1, P2, P3"),
    "list": ({"detectors": ["ae"]}, "'detectors'", "write a mapping"),
    "explainer": ({"explainers": {"salience": {}}}, "explainer 'salience'", "did you mean 'saliency'"),
    "explainers": ({"explainers": "saliency"}, "'explainers'", "write a mapping"),
    "chance's name": ({"explainers": {"random_cells": {"kind": "saliency"}}}, "chance line", "another label"),
    "needs gradients": (
        {"detectors": {"isolation_forest": {"explain": True}}},
        "explainer 'saliency' for detector 'isolation_forest'",
        "with this detector use one of (by default settings): external",
    ),
    "needs reconstruction": (
        {"detectors": {"one_class_svm": {"explain": True}}},
        "faithfulness metric 'ff' for detector 'one_class_svm'",
        "ff_background",
    ),
    "sound that is not kept": (
        {"detectors": {"x": HEARING}},
        "recipe 'bench' keeps maps alone, which have no phase",
        "set 'features: {recipe: audio}', or 'keep_sound: true'",
    ),
    "sound at another rate": (
        {"detectors": {"x": {**HEARING, "rate_hz": 22050}}, "features": {"keep_sound": True}},
        "at 22050 Hz, for which it was made",
        "set 'features: {sample_rate_hz: 22050}'",
    ),
    "sound of spectrograms": (
        {
            "detectors": {"x": HEARING},
            "dataset": {"kind": "spectrograms", "folder": ".", "frames_per_second": 10.0, "high_hz": 4e3},
            "features": {"recipe": "as_shipped"},
        },
        "the data set ships spectrograms, which have no phase",
        "choose a data set with sound",
    ),
    "windows without a way back": (
        {"features": {"keep_sound": True, "hop_length": 600}},
        "'features'",
        "each sample needs two windows",
    ),
    "student of no network": (
        {"detectors": {"x": {"kind": "stfpm", "backbone": "none"}}},
        "a network that 'stfpm' learns from",
        "choose one of: cnn9",
    ),
    "nothing to explain with": ({"explainers": None}, "explanations of ae", "'explain: false'"),
    "nobody is explained": ({"detectors": {"ae": {"explain": False}}}, "no detector", "'explain: true'"),
    "metric": ({"faithfulness": {"ffs": {}}}, "faithfulness metric 'ffs'", "did you mean 'ff'"),
    "metric's key": ({"faithfulness": {"ff": {"percentile": [9]}}}, "'percentile' of 'ff'", "'percentiles'"),
    "metric's form": ({"faithfulness": {"ff": [9]}}, "faithfulness.ff", "write a mapping"),
    "metric's kind": (
        {"localisation": {"iou": {"kind": "aupro"}}},
        "'kind' of 'iou'",
        "use one of: quantiles",
    ),
    "seeds": ({"seeds": [0, 1, 0]}, "'seeds'", "name 0 only once"),
    "no seeds": ({"seeds": []}, "'seeds'", "name at least 1"),
    "negative seed": ({"seeds": [-1]}, "'seeds.0'", "at least 0"),
    "large seed": ({"seeds": [2**31]}, "'seeds.0'", "below 2147483648"),
    "seed's type": ({"seeds": [1.5]}, "'seeds.0'", "whole number"),
    "scope": ({"scope": "machines"}, "'machines'", "use one of: 'machine' or 'pooled'"),
    "taken away": ({"explainers": {"salience": None}}, "take 'salience' away", "did you mean 'saliency'"),
    "reported": ({"reported": "p9"}, "reported numbers 'p9'", "did you mean 'p1'"),
    "reported data": ({"reported": "p1", "reported_dataset": "planr"}, "'planr'", "did you mean 'planer'"),
    "reported what": ({"reported_dataset": "planer"}, "no 'reported'", "name the file"),
    "external maps": (
        {"explainers": {"mine": {"kind": "external", "path": "nowhere.parquet"}}},
        "path 'explainers.mine.path': nowhere.parquet",
        "relative paths start at",
    ),
    "no path": ({"explainers": {"external": {}}}, "setting 'path' of 'external'", "set it: Parquet file"),
    "nothing explained": (
        {
            "detectors": {"ae": {"explain": False}},
            "explainers": {"saliency": None, "integrated_gradients": None},
        },
        "'explain: true' at none of ae, isolation_forest",
        "set it at one detector",
    ),
    "extends": ({"extends": "toy"}, "key 'extends'", "Known: bands, dataset"),
}


@pytest.mark.parametrize("mistake", STUDY_MISTAKES)
def test_a_mistake_in_a_study_is_named_with_its_remedy(tmp_path: Path, mistake: str) -> None:
    overrides, named, advice = STUDY_MISTAKES[mistake]
    reported = tmp_path / "config" / "reported"
    reported.mkdir(parents=True)
    (reported / "p1.csv").write_text("quantity,dataset\na,planer\nb,\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, **overrides)
    assert named in f"{caught.value.asked}\n{caught.value.found}"
    assert advice in caught.value.remedy
    assert "study 'toy'" in caught.value.asked


RUN_MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "key": ({"studys": ["toy"]}, "'studys'", "did you mean 'studies'"),
    "null": ({"studies": None}, "no value (null)", "remove the key to have its default"),
    "no studies": ({"studies": []}, "'studies'", "name at least 1"),
    "twice": ({"studies": ["toy", "toy"]}, "'studies'", "name toy only once"),
    "study": ({"studies": ["toys"]}, "study 'toys'", "did you mean 'toy'"),
    "override": ({"studies": ["toy"], "overrides": {"tyo": {}}}, "study 'tyo'", "did you mean 'toy'"),
    "null override": ({"studies": ["toy"], "overrides": {"toy": None}}, "'overrides.toy'", "write a mapping"),
    "overrides": ({"overrides": [1]}, "'overrides'", "write a mapping"),
    "device": ({"device": "gpu"}, "'gpu'", "use one of: 'auto', 'cpu' or 'cuda'"),
    "threads": ({"threads": 0}, "'threads'", "it must be above 0"),
    "type": ({"threads": "many"}, "'threads'", "write a whole number"),
    "run": ({"run": "a/b"}, "'run'", "letters, digits"),
    "folder": ({"results_dir": ""}, "'results_dir'", "at least 1 character"),
    "recordings": ({"recordings": "nowhere"}, "recordings 'nowhere'", "name a folder of recordings"),
    "recordings and overrides": ({"recordings": ".", "overrides": 3}, "'overrides'", "write a mapping"),
}


@pytest.mark.parametrize("mistake", RUN_MISTAKES)
def test_a_mistake_in_a_run_is_named_with_its_remedy(tmp_path: Path, mistake: str) -> None:
    values, named, advice = RUN_MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        load_config(values, studies_dir(tmp_path))
    assert named in f"{caught.value.asked}\n{caught.value.found}"
    assert advice in caught.value.remedy


FILE_MISTAKES = {
    "syntax": ("title: a\nseeds: [0\ndetectors: {}\n", "line 3", "mend that line"),
    "tab": ("title: a\n\tseeds: [0]\n", "line 2", "mend that line"),
    "twice": ("seeds: [0]\ntitle: a\nseeds: [1]\n", "'seeds' is written twice", "mend that line"),
    "nested twice": (
        "explain: {clips: test, clips: annotated}\n",
        "'clips' is written twice",
        "mend that line",
    ),
    "list": ("- a\n- b\n", "['a', 'b']", "write a mapping"),
    "empty": ("", "None", "write a mapping"),
    "name": ("name: other\n", "named after its file", "remove the key"),
}


@pytest.mark.parametrize("mistake", FILE_MISTAKES)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, mistake: str) -> None:
    text, found, advice = FILE_MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        load_config({"studies": ["broken"]}, studies_dir(tmp_path, broken=text))
    assert "'broken'" in caught.value.asked
    assert found in caught.value.found
    assert advice in caught.value.remedy


def test_a_null_in_a_study_file_is_no_silent_default(tmp_path: Path) -> None:
    folder = studies_dir(tmp_path, toy={**STUDY, "seeds": None})
    with pytest.raises(ConfigError, match=r"'seeds'.*\n.*no value \(null\)"):
        load_config({"studies": ["toy"]}, folder)


@pytest.mark.parametrize("key", ["dataset", "detectors"])
def test_what_a_study_cannot_do_without_is_asked_for(tmp_path: Path, key: str) -> None:
    folder = studies_dir(tmp_path, toy={name: value for name, value in STUDY.items() if name != key})
    with pytest.raises(ConfigError, match=f"'{key}'"):
        load_config({"studies": ["toy"]}, folder)


def test_one_model_per_machine_needs_distinct_machine_names(tmp_path: Path) -> None:
    dataset = {"kind": "recordings", "folder": str(tmp_path), "machines": ["fan", "all"]}
    with pytest.raises(ConfigError, match="a machine named 'all'"):
        load(tmp_path, dataset=dataset, scope="machine")
