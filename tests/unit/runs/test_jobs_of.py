"""What shapes a job's files: exactly what it uses, under the rule's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from soundproof.config.load import load_study
from soundproof.runs.expected import expected_files
from soundproof.runs.jobs_of import StudyJobs
from soundproof.runs.plan import STEPS

ROOT = Path(__file__).parents[3]
STUDIES = ROOT / "config" / "studies"
CELL = ("all", "ae", 0)
_WITHOUT_RECONSTRUCTION = {"ff": None, "deletion": None}
"""What asks for a reconstruction is taken from the study."""


def jobs(**changes: object) -> StudyJobs:
    return StudyJobs(load_study("tiny", STUDIES, changes))


def test_a_training_has_the_detectors_settings_and_module() -> None:
    record = jobs().train_detector(*CELL)
    assert (record.rule, record.stage, record.seed) == ("train_detector", "training", 0)
    assert record.settings["part"] == "all" and record.settings["detector"]["epochs"] == 2
    assert record.modules == ("soundproof.detectors.reconstruction.skip_cae_transformer",)


def test_an_explainers_setting_changes_its_own_record_and_those_that_explain_again() -> None:
    before, after = jobs(), jobs(explainers={"integrated_gradients": {"steps": 5}})
    changed = {
        label
        for label in before.study.explainers
        if before.attribute_clips(*CELL, label) != after.attribute_clips(*CELL, label)
    }
    assert changed == {"integrated_gradients"}
    assert before.measure_faithfulness(*CELL) != after.measure_faithfulness(*CELL)
    assert before.measure_localisation("all") == after.measure_localisation("all")
    assert before.score_clips("all") == after.score_clips("all")


def test_maps_have_the_code_of_their_explainer_and_detector_alone() -> None:
    found = jobs().attribute_clips(*CELL, "integrated_gradients").modules
    assert set(found) == {
        "soundproof.attribution.integrated_gradients",
        "soundproof.detectors.reconstruction.skip_cae_transformer",
    }


def test_a_precision_that_is_not_strict_stands_beside_the_code_of_all_that_computes_with_torch() -> None:
    strict, rounded = jobs(), jobs(precision="tf32")
    computed = {
        "extract_features": ("all",),
        "train_detector": CELL,
        "score_clips": ("all",),
        "attribute_clips": (*CELL, "integrated_gradients"),
        "measure_faithfulness": CELL,
        "illustrate_clips": (),
    }
    for rule, of in computed.items():
        code = getattr(strict, rule)(*of).code()
        assert re.fullmatch("[0-9a-f]{16}", code)
        assert getattr(rounded, rule)(*of).code() == f"{code}-tf32"
    assert strict.list_clips().code() == rounded.list_clips().code()
    assert strict.measure_localisation("all").code() == rounded.measure_localisation("all").code()


def test_bands_are_removed_only_where_the_study_asks_for_it() -> None:
    with pytest.raises(ValueError, match="removes no bands"):
        jobs().remove_bands("all")


def test_explanations_are_made_audible_only_where_the_study_asks_for_it() -> None:
    with pytest.raises(ValueError, match="makes no explanation audible"):
        jobs().render_sounds()
    settings = jobs(listen={"clips": 1}).render_sounds().settings
    assert settings["listen"]["clips"] == 1 and settings["dataset"]["kind"] == "bench"


def test_maps_are_put_into_words_only_where_the_study_asks_for_it() -> None:
    with pytest.raises(ValueError, match="puts no explanation into words"):
        jobs().state_reasons()
    settings = jobs(reasons={"machine": {"shaft_hz": 25}}).state_reasons().settings
    assert settings["reasons"]["machine"]["shaft_hz"] == 25 and settings["dataset"]["kind"] == "bench"
    # the shipped rules are no setting, and shape the sentences all the same
    assert {rule["fault"] for rule in settings["rules"]} >= {"bearing", "hum"}


def test_what_a_gallery_shows_is_put_into_words_where_families_are_compared() -> None:
    families = {
        "ae": None,
        "vae": {"explain": True, "epochs": 1},
        "ganomaly": {"explain": True, "epochs": 1},
        "few_shot_memory": {"explain": True, "backbone": "none"},
    }
    explainers = {"error_map": None, "own": {"kind": "error_map"}}
    compared = {"detectors": families, "explainers": explainers, "faithfulness": _WITHOUT_RECONSTRUCTION}
    settings = jobs(reasons={}, **compared).state_reasons().settings
    # one of each family, with its own map
    assert ["vae", "own"] in settings["gallery"] and ["few_shot_memory", "own"] in settings["gallery"]
    assert not [pair for pair in settings["gallery"] if pair[0] == "ganomaly" or pair[1] != "own"]
    assert "gallery" not in jobs(reasons={}).state_reasons().settings
    without_map = {**compared, "explainers": {"error_map": None}}
    assert "gallery" not in jobs(reasons={}, **without_map).state_reasons().settings


def test_a_rule_states_its_record_and_nothing_of_how_it_is_found() -> None:
    record = jobs().measure_faithfulness(*CELL)
    assert record.stated() == {
        "stage": "faithfulness",
        "settings": record.settings,
        "code": record.code(),
        "seed": 0,
    }


def test_a_rule_states_no_setting_that_it_does_not_use() -> None:
    before, after = jobs(), jobs(segment_seconds=0.3, explain={"per_machine": 1}, localisation={"iou": {}})
    for same in (
        lambda of: of.list_clips(),
        lambda of: of.extract_features("all"),
        lambda of: of.train_detector(*CELL),
        lambda of: of.score_clips("all"),
        lambda of: of.collect_measurements(),
    ):
        assert same(before).stated() == same(after).stated()
    assert before.illustrate_clips().stated() != after.illustrate_clips().stated()


def test_each_rule_stands_in_the_file_of_its_step() -> None:
    study = load_study(
        "tiny", STUDIES, {"seeds": [0, 1], "bands": {"scale": "mel", "bands": [4]}, "listen": {}}
    )
    found = {(file.step, file.rule) for file in expected_files({"tiny": study}, Path("run"))}
    assert len(found) == len({rule for _, rule in found})
    for step, rule in found:
        assert f"workflow_scripts/{rule}.py" in (ROOT / "rules" / f"{step}.smk").read_text()
        assert step in STEPS


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_rules_name_their_own_record(path: Path) -> None:
    # from "rule NAME:" or the name of a rule made for each study to its script
    text = path.read_text()
    for body in re.split(r"\n *rule(?: \w+)?:\n", text)[1:]:
        script = re.search(r"workflow_scripts/(\w+)\.py", body)
        for name in re.findall(
            r"\bjobs(?:_of\(wildcards\))?\.(\w+)\(", body.partition("workflow_scripts/")[0]
        ):
            assert script is not None and script[1] == name
            assert hasattr(StudyJobs, name)
