from __future__ import annotations

from pathlib import Path

import pytest
from config_toys import STUDY, load, studies_dir
from hypothesis import given
from hypothesis import strategies as st

from soundproof.config.load import load_study
from soundproof.config.study_files import merge, read_study
from soundproof.core.errors import ConfigError


def test_a_study_that_extends_another_changes_only_what_it_says(tmp_path: Path) -> None:
    folder = studies_dir(tmp_path, louder={"extends": "toy", "features": {"level": "normalise"}})
    base, study = load_study("toy", folder), load_study("louder", folder)
    assert (base.features.level, study.features.level) == ("keep", "normalise")
    same = {"name", "features"}
    assert study.model_dump(exclude=same) == base.model_dump(exclude=same)
    assert study.name == "louder"


def test_extension_over_two_steps_lets_the_last_word_win(tmp_path: Path) -> None:
    folder = studies_dir(
        tmp_path,
        middle={"extends": "toy", "seeds": [5], "explainers": {"saliency": None, "grad_cam": None or {}}},
        top={"extends": "middle", "seeds": [7]},
    )
    study = load_study("top", folder)
    assert study.seeds == (7,)
    assert list(study.explainers) == ["integrated_gradients", "grad_cam"]


def test_studies_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    folder = studies_dir(tmp_path, a={"extends": "b"}, b={"extends": "c"}, c={"extends": "b"})
    with pytest.raises(ConfigError, match="b extends c extends b"):
        read_study("a", folder)


def test_an_unknown_base_names_the_nearest_and_who_asked(tmp_path: Path) -> None:
    folder = studies_dir(tmp_path, a={"extends": "toys"})
    with pytest.raises(ConfigError, match="study 'a' extends") as caught:
        read_study("a", folder)
    assert "did you mean 'toy'" in caught.value.remedy


def test_merging_settings_entries_and_values() -> None:
    base = {
        "seeds": [0, 1],
        "title": "t",
        "explain": {"clips": "test", "per_machine": 3},
        "explainers": {"saliency": {"title": "S"}, "occlusion": None},
        "faithfulness": {"randomisation": {"n_clips": 20}},
    }
    changes = {
        "seeds": [2],
        "title": None,
        "explain": {"per_machine": None},
        "explainers": {"occlusion": {"window": [4, 4]}},
        "faithfulness": {"randomisation": {"n_clips": None}},
    }
    assert merge(base, changes) == {
        "seeds": [2],
        "explain": {"clips": "test", "per_machine": None},
        "explainers": {"saliency": {"title": "S"}, "occlusion": {"window": [4, 4]}},
        "faithfulness": {"randomisation": {"n_clips": None}},
    }


def test_another_kind_drops_the_settings_of_the_old_one() -> None:
    base = {"dataset": {"kind": "bench", "seconds": 4.0}, "detectors": {"cae": {"epochs": 3}}}
    changes = {"dataset": {"kind": "planer"}, "detectors": {"cae": {"kind": "one_class_svm"}}}
    merged = merge(base, changes)
    assert merged == {"dataset": {"kind": "planer"}, "detectors": {"cae": {"kind": "one_class_svm"}}}
    kept = merge(base, {"dataset": {"kind": "bench"}, "detectors": {"cae": {"kind": "cae"}}})
    assert kept["dataset"] == {"kind": "bench", "seconds": 4.0}
    assert kept["detectors"] == {"cae": {"kind": "cae", "epochs": 3}}


@given(st.sampled_from(sorted(STUDY)))
def test_merging_a_study_with_a_part_of_itself_changes_nothing(key: str) -> None:
    changes = {key: STUDY[key]}
    if key == "faithfulness":  # its null would take an entry away
        changes = {key: {"ff": {}}}
    assert merge(STUDY, changes) == STUDY


def test_overrides_reach_the_study_and_leave_the_file_alone(tmp_path: Path) -> None:
    config, studies = load(tmp_path, seeds=[9], detectors={"ae": {"epochs": 5}, "isolation_forest": None})
    study = studies["toy"]
    assert (config.run, study.seeds, list(study.detectors)) == ("bench", (9,), ["ae"])
    assert study.detectors["ae"].plain()["epochs"] == 5
    assert study.detectors["ae"].title == "AE"
    assert load_study("toy", tmp_path / "config" / "studies").seeds == (0, 1)


def test_a_yaml_anchor_may_be_merged_and_overridden(tmp_path: Path) -> None:
    text = """
dataset: {kind: bench}
scope: pooled
detectors:
  ae: &ae {kind: cae, explain: true, epochs: 3, batch_size: 4}
  mae: {<<: *ae, epochs: 7}
explainers: {saliency: {}}
"""
    study = load_study("anchors", studies_dir(tmp_path, anchors=text))
    assert study.detectors["mae"].plain()["epochs"] == 7
    assert study.detectors["mae"].plain()["batch_size"] == 4
