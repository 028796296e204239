"""Runs of one's own recordings: named after them, never in each other's place, with overrides for both studies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from toys.configuration import STUDY, studies_dir

from soundproof.config import load_config
from soundproof.config.run_names import claim, refuse_others, run_of
from soundproof.config.study_files import read_study
from soundproof.core.errors import ConfigError

STUDIES = Path(__file__).parents[3] / "config" / "studies"


def loaded(recordings: Path | str, **values: Any):
    return load_config({"run": "bench", "recordings": str(recordings), **values}, STUDIES)


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("press_04", "recordings-press_04"),
        ("0412", "recordings-0412"),
        ("2024-11-05", "recordings-2024-11-05"),
        # six digits of the SHA-256 tell names apart that would be spelt alike
        ("press 04", "recordings-press_04-4d5fea"),
        ("press.04", "recordings-press_04-70296c"),
        ("Säge", "recordings-S_ge-13a711"),
    ],
)
def test_a_run_is_named_after_its_folder(tmp_path, name, run):
    assert loaded(folder(tmp_path / name))[0].run == run


def test_names_are_distinct_and_fit_for_a_folder(tmp_path):
    names = ("a b", "a_b", "a.b", "a-b", "ä", "ö", "$(x)", "{x}", "x" * 200, "x" * 199, "-", "A b")
    runs = {loaded(folder(tmp_path / name))[0].run for name in names}
    assert len(runs) == len(names)
    assert all(len(run) < 90 for run in runs)


def test_a_folder_named_as_an_id_is_told_by_the_one_above(tmp_path):
    runs = [loaded(folder(tmp_path / kind / "id_00"))[0].run for kind in ("fan", "pump")]
    assert runs == ["recordings-fan-id_00", "recordings-pump-id_00"]


def test_a_table_of_labels_has_a_run_of_its_own(tmp_path):
    folder(tmp_path / "fan")
    runs = set()
    for name in ("labels.csv", "others.csv"):
        (tmp_path / "fan" / name).touch()
        runs.add(loaded(tmp_path / "fan" / name)[0].run)
    assert runs == {"recordings-fan-labels", "recordings-fan-others"}
    assert loaded(tmp_path / "fan")[0].run == "recordings-fan"


def test_one_folder_has_one_run_however_it_is_spelt(tmp_path, monkeypatch):
    fan = folder(tmp_path / "fan")
    monkeypatch.chdir(fan)
    for spelt in (".", "./", "../fan", str(fan), f"{fan}/", f"{tmp_path}//fan/.", "../fan/../fan"):
        assert loaded(spelt)[0].run == "recordings-fan"
    assert run_of(Path("/")).startswith("recordings-")


def test_a_run_that_is_named_keeps_its_name(tmp_path):
    config, _ = loaded(folder(tmp_path / "fan"), run="mine")
    assert config.run == "mine"
    # what a job is handed is read once more and stays what it is
    again, _ = load_config(loaded(tmp_path / "fan")[0].model_dump(), STUDIES)
    assert again.run == "recordings-fan"


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
@pytest.mark.parametrize("key", ["recordings", "results_dir", "data_dir", "run"])
def test_a_blank_is_no_path_and_no_name(tmp_path, key, value):
    with pytest.raises(ConfigError, match=key):
        load_config({"studies": ["toy"], key: value}, studies_dir(tmp_path))


def test_results_of_another_folder_of_the_same_name_are_not_replaced(tmp_path):
    owners, run = tmp_path / "owners.json", folder(tmp_path / "results/recordings-press")
    first, second = folder(tmp_path / "a/press"), folder(tmp_path / "b/press")
    assert refuse_others(run, first, by_default=True, owners=owners) == ""
    claim(run, first, owners)
    assert refuse_others(run, first, by_default=True, owners=owners) == ""
    with pytest.raises(ConfigError) as caught:
        refuse_others(run, second, by_default=True, owners=owners)
    assert str(first) in caught.value.found
    assert f"--config recordings={second} run=recordings-press_2" in caught.value.remedy
    # a run that its user named is his to replace, but not without a word
    said = refuse_others(run, second, by_default=False, owners=owners)
    assert str(first) in said and str(second) in said
    # the same folder under another name, and one that has been moved
    (tmp_path / "link").symlink_to(first)
    assert refuse_others(run, tmp_path / "link", by_default=True, owners=owners) == ""
    shutil.move(first, tmp_path / "c")
    assert refuse_others(run, second, by_default=True, owners=owners) == ""


def test_no_results_and_no_notes_are_nobodys(tmp_path):
    owners, run = tmp_path / "owners.json", tmp_path / "results/recordings-press"
    first, second = folder(tmp_path / "a/press"), folder(tmp_path / "b/press")
    claim(run, first, owners)
    assert refuse_others(run, second, by_default=True, owners=owners) == ""
    folder(run)
    for content in (b"", b"[1]", b'{"x": 3}', b"\xff"):
        owners.write_bytes(content)
        assert refuse_others(run, second, by_default=True, owners=owners) == ""
    (tmp_path / "file").touch()
    claim(run, first, tmp_path / "file/owners.json")
    assert not list(run.iterdir())


def test_overrides_of_recordings_reach_the_study_that_extends_it(tmp_path):
    changes = {"seeds": [3], "detectors": {"ae": {"epochs": 2}, "mae": None}, "features": {"level": "keep"}}
    changes["dataset"] = {"channel": 1}
    _, studies = loaded(folder(tmp_path / "fan"), overrides={"recordings": changes})
    for study in studies.values():
        assert study.seeds == (3,)
        assert "mae" not in study.detectors and study.detectors["ae"].plain()["epochs"] == 2
        assert study.dataset.plain()["channel"] == 1
        assert study.dataset.plain()["folder"] == str(tmp_path / "fan")
    trainings = [len(study.fits(study.detectors)) for study in studies.values()]
    assert trainings[0] == trainings[1]
    # what makes the second study another one stays
    assert [study.features.level for study in studies.values()] == ["keep", "normalise"]


def test_a_table_named_in_overrides_holds_for_both_studies(tmp_path):
    (folder(tmp_path / "fan") / "labels.csv").touch()
    dataset = {"labels": str(tmp_path / "fan/labels.csv")}
    _, studies = loaded(tmp_path / "fan", overrides={"recordings": {"dataset": dataset}})
    assert {study.dataset.plain()["labels"] for study in studies.values()} == set(dataset.values())


def test_own_overrides_go_over_inherited_ones_and_may_repeat_them(tmp_path):
    base = {"seeds": [3], "detectors": {"mae": None, "ae": {"epochs": 2}}}
    own = {"seeds": [4], "detectors": {"mae": None}}
    both = {"recordings": base, "recordings_level": own}
    _, studies = loaded(folder(tmp_path / "fan"), overrides=both)
    level = studies["recordings_level"]
    assert level.seeds == (4,) and "mae" not in level.detectors
    assert level.detectors["ae"].plain()["epochs"] == 2
    with pytest.raises(ConfigError, match="take 'mea' away"):
        loaded(tmp_path / "fan", overrides={**both, "recordings_level": {"detectors": {"mea": None}}})


def test_overrides_may_name_a_study_that_only_extended_ones_run(tmp_path):
    study_files = studies_dir(tmp_path, middle={"extends": "toy"}, top={"extends": "middle", "seeds": [7]})
    values = {
        "studies": ["top"],
        "overrides": {"toy": {"seeds": [5], "title": "T"}, "middle": {"scope": "machine"}},
    }
    _, studies = load_config(values, study_files)
    assert (studies["top"].seeds, studies["top"].title, studies["top"].scope) == ((7,), "T", "machine")
    assert read_study("toy", study_files)["seeds"] == STUDY["seeds"]
    with pytest.raises(ConfigError, match="overrides of study 'top'"):
        load_config({"studies": ["toy"], "overrides": {"top": {}}}, study_files)


@pytest.mark.parametrize("value", ["results/", "./results", "results//", "results/.", "x/../results"])
def test_a_folder_of_results_is_the_same_however_it_is_spelt(tmp_path, value):
    config, _ = load_config(
        {"studies": ["toy"], "results_dir": value, "data_dir": f"{value}/"}, studies_dir(tmp_path)
    )
    assert config.results_dir == config.data_dir == "results"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("/a//b/", "/a/b"),
        ("//a", "/a"),
        ("///a", "/a"),
        ("../r", "../r"),
        ("my results", "my results"),
        ("a[1]*", "a[1]*"),
    ],
)
def test_other_paths_are_kept(tmp_path, value, plain):
    config, _ = load_config({"studies": ["toy"], "results_dir": value}, studies_dir(tmp_path))
    assert config.results_dir == plain


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("res{study}", "braces"),
        ("a{", "braces"),
        ("}", "braces"),
        ("{{x}}", "braces"),
        ("a\nb", "line breaks"),
        ("a\0", "control"),
    ],
)
@pytest.mark.parametrize("key", ["results_dir", "data_dir"])
def test_a_folder_that_the_workflow_cannot_carry_is_refused(tmp_path, key, value, said):
    with pytest.raises(ConfigError, match=key) as caught:
        load_config({"studies": ["toy"], key: value}, studies_dir(tmp_path))
    assert said in caught.value.remedy


def test_a_file_is_no_folder_of_results(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ConfigError, match=r"'results_dir': .*out\n  found: a file of that name"):
        load_config({"studies": ["toy"], "results_dir": f"{tmp_path}/out/"}, studies_dir(tmp_path))


@pytest.mark.parametrize("name", ["2024_11_05", "0412", "1.2e+3", "yes", "2024-11-05", "1:30"])
def test_a_number_for_a_folder_deeper_in_a_file_is_refused_with_what_to_write(name):
    values = yaml.safe_load(f"overrides: {{recordings: {{dataset: {{folder: {name}}}}}}}")
    with pytest.raises(ConfigError, match="'folder'") as caught:
        load_config({"studies": ["recordings"], **values}, STUDIES)
    assert "in quotes" in caught.value.remedy
