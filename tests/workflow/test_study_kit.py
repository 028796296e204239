"""A kit from a finished study asks what the study measured; answers are analysed; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from checkout import STUDY
from toys.asked import answered, choices, saved

from soundproof.cli import main
from soundproof.core.errors import ArtefactError, ConfigError, DataError
from soundproof.datasets.open import open_dataset
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.provenance import KEY
from soundproof.storage.tables import read_provenance, read_table
from soundproof.user_study.key import read_key
from soundproof.user_study.study import ExplainedStudy

COUNTS = ("sound=2", "map=2", "repair=2")


@pytest.fixture(scope="module")
def study(finished) -> Path:
    return finished.path / STUDY


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory) -> Path:
    """A kit of the study; half of its few normal clips raise an alarm."""
    out = tmp_path_factory.mktemp("kits") / "kit"
    words = ["study-kit", "make", str(study), "--out", str(out), "--checks", "2", "--false-alarms", "0.5"]
    assert main([*words, "--questions", *COUNTS]) == 0
    return out


def test_questions_are_true_to_the_files_of_the_study(study, folder):
    key = read_key(folder)
    clips = read_table(study / "clips.parquet").set_index("clip_id")
    rows = read_table(study / "measurements.parquet")
    detector = read_provenance(folder / "key.parquet").settings["detector"]
    rows = rows[rows["detector"].eq(detector) & rows["seed"].eq(0)]
    scores = rows[rows["metric"].eq("anomaly_score")].set_index("clip_id")["value"]
    auroc = rows[rows["metric"].eq("cell_auroc") & rows["protocol"].eq("")].set_index(
        ["clip_id", "explainer"]
    )["value"]
    curves = rows[rows["metric"].eq("deletion_curve") & rows["protocol"].eq("reconstruction")]
    curves = curves.set_index(["clip_id", "explainer", "parameter"])["value"]
    asked = key.questions[~key.questions["check"]]
    assert list(asked["kind"]) == ["sound"] * 2 + ["map"] * 2 + ["repair"] * 2
    for one in asked.to_dict("records"):
        if one["kind"] == "sound":
            assert clips.loc[[one["a"], one["b"]], "label"].eq("anomaly").tolist() == [
                one["truth"] == "a",
                one["truth"] == "b",
            ]
            assert clips.loc[one["a"], "machine"] == clips.loc[one["b"], "machine"]
        if one["kind"] == "map":
            values = [auroc[one["clip_id"], one[option]] for option in "ab"]
            assert values == pytest.approx([one["value_a"], one["value_b"]])
            assert (values[0] > values[1]) == (one["truth"] == "a")
        if one["kind"] == "repair":
            normal = clips["split"].eq("test") & clips["label"].eq("normal")
            normal &= clips["machine"].eq(clips.loc[one["clip_id"], "machine"])
            threshold = np.quantile(scores[clips.index[normal]], 0.5, method="higher")
            after = scores[one["clip_id"]] * curves[one["clip_id"], one["of"], one["share"]]
            assert one["after"] == pytest.approx(after / threshold)
            assert (after > threshold) == (one["truth"] == "a")


def test_sounds_are_those_of_the_clips(study, folder):
    settings = read_provenance(study / "features" / "all.parquet").settings
    dataset = open_dataset(settings["dataset"], Path("data"))
    for one in read_key(folder).questions.query("kind == 'sound' and not check").to_dict("records"):
        heard = {
            option: soundfile.read(folder / "page" / "clips" / f"{one['question']}.{option}.wav")[0]
            for option in "ab"
        }
        own = {option: dataset.read(one[option]).samples for option in "ab"}
        gain = {option: np.abs(heard[option]).max() / np.abs(own[option]).max() for option in "ab"}
        assert gain["a"] == pytest.approx(gain["b"], rel=1e-2)
        for option in "ab":
            assert np.corrcoef(heard[option], own[option])[0, 1] > 0.999


def test_answers_are_analysed_and_written_as_tables(folder, capsys):
    key, rng = read_key(folder), np.random.default_rng(3)
    paths = [
        saved(folder / "answers", answered(key, f"R{number}", choices(key, np.full(8, 0.8), rng)))
        for number in range(6)
    ]
    words = ["study-kit", "analyse", *map(str, paths)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "# How often answers are right" in said and f"Tables: {folder / 'tables'}" in said
    assert main([*words, "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert list(tables) == ["accuracy", "agreement", "correlation", "raters_needed", "raters"]
    for name, rows in tables.items():
        assert len(read_table(folder / "tables" / f"{name}.parquet")) == len(rows)
        assert {path.suffix for path in (folder / "tables").glob(f"{name}.*")} >= {".csv", ".md", ".tex"}
    assert {row["rater"] for row in tables["raters"]} == {f"R{number}" for number in range(6)}
    # the same answers give the same bytes, in whatever order they are named
    before = (folder / "tables" / "accuracy.parquet").read_bytes()
    assert main(["study-kit", "analyse", *map(str, paths[::-1]), "--kit", str(folder)]) == 0
    assert (folder / "tables" / "accuracy.parquet").read_bytes() == before
    capsys.readouterr()
    assert main([*words, str(paths[0])]) == 1
    assert "one file per rater" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_kit(study, folder, tmp_path, capsys):
    words = [
        "study-kit",
        "make",
        str(study),
        "--checks",
        "2",
        "--false-alarms",
        "0.5",
        "--questions",
        *COUNTS,
    ]
    assert main([*words, "--out", str(tmp_path / "again")]) == 0
    assert "Give out" in capsys.readouterr().out
    for path in sorted(folder.glob("page/**/*.*")):
        assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert (tmp_path / "again" / "key.parquet").read_bytes() == (folder / "key.parquet").read_bytes()
    assert main([*words, "--out", str(tmp_path / "again")]) == 1
    assert "maybe answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "kind", "found"),
    [
        ({"detector": "gaussian"}, ConfigError, "explains no such detector"),
        ({"explainers": ["salency"]}, ConfigError, "none of that name"),
        ({"explainers": ["random_map"]}, ConfigError, "a control"),
        ({"false_alarms": 0.0}, ConfigError, "0"),
        ({"false_alarms": float("nan")}, ConfigError, "nan"),
        ({"folder": Path("nowhere")}, ArtefactError, "no folder nowhere"),
    ],
)
def test_what_the_study_does_not_have_is_refused(study, changes, kind, found):
    with pytest.raises(kind) as caught:
        ExplainedStudy(**({"folder": study, "data_dir": Path("data")} | changes))
    assert found in caught.value.found and caught.value.remedy


@pytest.mark.parametrize("word", ["maps=3", "map", "map=", "map=-1", "map=x", "=3"])
def test_counts_are_given_by_kind(study, word, capsys):
    assert main(["study-kit", "make", str(study), "--questions", word]) == 1
    assert f"'{word}'" in capsys.readouterr().err


def test_some_explainers_are_asked_about_and_controls_anyway(study):
    found = ExplainedStudy(study, Path("data"), explainers=["error_map"]).material()
    judged = set(found.explainers) - found.controls
    assert judged == {"error_map"} and found.controls


def test_a_study_without_explained_clips_is_refused(study, tmp_path, capsys):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    shutil.rmtree(copy / "attributions")
    assert main(["study-kit", "make", str(copy), "--out", str(tmp_path / "kit")]) == 1
    said = capsys.readouterr().err
    assert "explained clips" in said and "'explain: true'" in said and not (tmp_path / "kit").exists()
    shutil.rmtree(copy / "models")
    with pytest.raises(ArtefactError, match="no map"):
        ExplainedStudy(copy, Path("data"))


def test_a_study_without_sound_is_asked_about_maps_alone(study, tmp_path, capsys):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    features = copy / "features" / "all.parquet"
    table = pq.read_table(features)
    record = json.loads(table.schema.metadata[KEY])
    record["settings"]["dataset"] = {"kind": "planer"}
    pq.write_table(
        table.replace_schema_metadata(table.schema.metadata | {KEY: json.dumps(record).encode()}), features
    )
    words = ["study-kit", "make", str(copy), "--out", str(tmp_path / "kit"), "--checks", "1"]
    assert main([*words, "--questions", *COUNTS]) == 1
    assert "without sound" in capsys.readouterr().err
    silent = ExplainedStudy(copy, Path("data"))
    with pytest.raises(ArtefactError, match="spectrograms alone"):
        silent.sound(MapReader(features).clip_ids[0])
    assert main([*words, "--questions", "sound=0", "map=2", "repair=0"]) == 0
    assert not list((tmp_path / "kit").rglob("*.wav"))


def test_a_fault_too_small_to_be_seen_is_no_check(study, tmp_path):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    path = copy / "masks" / "all.parquet"
    reader, record = MapReader(path), read_provenance(path)
    assert all(one.masked for one in ExplainedStudy(copy, Path("data")).material().explained)
    masks = reader.read()
    masks[0] = 0
    with MapWriter(path, reader.axes, record, dtype=str(masks.dtype)) as writer:
        writer.append(reader.clip_ids, masks)
    found = ExplainedStudy(copy, Path("data")).material().explained
    assert {one.clip_id: one.masked for one in found} == {
        one.clip_id: one.clip_id != reader.clip_ids[0] for one in found
    }
    assert reader.clip_ids[0] in {one.clip_id for one in found}


def test_a_recording_that_was_changed_since_is_refused(study, tmp_path):
    copy = tmp_path / "bench" / "tiny"
    shutil.copytree(study, copy)
    features = copy / "features" / "all.parquet"
    table = pq.read_table(features)
    record = json.loads(table.schema.metadata[KEY])
    # the bench of another seed makes other sounds under the same names
    record["settings"]["dataset"]["seed"] = 99
    pq.write_table(
        table.replace_schema_metadata(table.schema.metadata | {KEY: json.dumps(record).encode()}), features
    )
    changed = ExplainedStudy(copy, Path("data"))
    with pytest.raises(DataError, match="another map"):
        changed.sound(MapReader(features).clip_ids[0])
