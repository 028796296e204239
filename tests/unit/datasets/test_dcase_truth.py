"""Labels of evaluation clips since 2024, whose lists and files name the clips differently in places."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcase_toys import dcase, train_names, wav, write

from soundproof.core.errors import DataError
from soundproof.datasets.dcase.names import without_split
from soundproof.datasets.dcase.truth import read_truth


def evaluator(folder: Path, machine: str, names: list[str]) -> Path:
    """A copy of an evaluator's repository: every second clip is an anomaly, the later half of the target domain."""
    for kind, values in (
        ("ground_truth_data", [n % 2 for n in range(len(names))]),
        ("ground_truth_domain", [int(n >= len(names) / 2) for n in range(len(names))]),
    ):
        (folder / kind).mkdir(parents=True)
        rows = [f"{name},{value}" for name, value in zip(names, values, strict=True)]
        (folder / kind / f"ground_truth_{machine}_section_00_test.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize("in_file", ["section_00_000{}.wav", "section_00_test_000{}.wav"])
def test_clips_of_2024_are_labelled_with_and_without_test_in_their_names(in_file, tmp_path):
    truth = evaluator(tmp_path / "truth", "RoboticArm", [f"section_00_000{n}.wav" for n in range(4)])
    places = [*train_names(), *(f"test/{in_file.format(n)}" for n in range(4))]
    write(tmp_path / "tree", {f"RoboticArm/{place}": wav(place) for place in places})
    rows = ["file_name,d1p,d1v", *(f"RoboticArm/{place},spd,A" for place in places[:4])]
    (tmp_path / "tree/RoboticArm/attributes_00.csv").write_text("\n".join(rows) + "\n")
    settings = {"part": "eval", "machines": ("RoboticArm",), "truth": str(truth)}
    clips = dcase(2024, tmp_path, folder=str(tmp_path / "tree"), **settings).clips()
    tested = clips[clips["split"] == "test"]
    assert list(tested["label"]) == ["normal", "anomaly", "normal", "anomaly"]
    assert list(tested["domain"]) == ["source", "source", "target", "target"]


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("section_00_test_0012.wav", "section_00_0012.wav"),
        ("section_00_0012.wav", "section_00_0012.wav"),
        # 2021 tells the domain in the name: nothing is left out there
        ("section_03_source_test_0012.wav", "section_03_source_test_0012.wav"),
        ("section_00_source_test_normal_0012_x.wav", "section_00_source_test_normal_0012_x.wav"),
    ],
)
def test_only_an_unlabelled_name_loses_its_split(name, bare):
    assert without_split(name) == bare


def test_an_unseen_format_says_so_and_what_to_do(tmp_path):
    with pytest.raises(DataError, match="2025's repository has not been seen") as error:
        read_truth(tmp_path, 2025, "ToyPet")
    assert "official evaluator" in error.value.remedy
