"""Files of answers: read as saved, and refused where they do not belong together."""

from __future__ import annotations

import json

import pytest
from toys.asked import answered, kit, saved

from soundproof.core.errors import ArtefactError, DataError
from soundproof.user_study.answers import read_answers
from soundproof.user_study.key import kit_of, read_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return kit(tmp_path_factory.mktemp("kits") / "kit").folder


@pytest.fixture(scope="module")
def key(folder):
    return read_key(folder)


def rater(key, code="R01", **changes):
    return answered(key, code, list(key.questions["truth"]), **changes)


def test_answers_come_with_what_the_key_knows(key, tmp_path):
    choices = ["a"] * len(key.questions)
    paths = [saved(tmp_path, answered(key, code, choices)) for code in ("R01", "R02")]
    frame = read_answers(paths, key)
    assert len(frame) == 2 * len(key.questions)
    assert list(frame["correct"]) == 2 * [truth == "a" for truth in key.questions["truth"]]
    assert list(frame["place"][:3]) == [0, 1, 2] and set(frame["rater"]) == {"R01", "R02"}
    first = frame.iloc[0]
    assert first["clip_id"] == key.questions["clip_id"][0] and (first["seconds"], first["plays"]) == (4.5, 2)


def test_order_of_a_file_does_not_change_what_is_read(key, tmp_path):
    names = list(key.questions["question"])[::-1]
    truths = dict(zip(key.questions["question"], key.questions["truth"], strict=True))
    path = saved(tmp_path, answered(key, "R01", [truths[name] for name in names], names))
    assert read_answers([path], key)["correct"].all()


def broken(tmp_path, key, change):
    file = rater(key)
    change(file)
    return saved(tmp_path, file)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda file: file.update(digest="0" * 16, study="bench/p9"), "of bench/p9"),
        (lambda file: file["answers"].pop(), "1 are missing, 'q35'"),
        (lambda file: file.update(answers=[]), "35 are missing"),
        (lambda file: file["answers"].append(file["answers"][3]), "'q04' answered more than once"),
        (lambda file: file["answers"][0].update(question="q99"), "'q99'"),
        (lambda file: file["answers"][0].update(choice="c"), "answers.0.choice"),
        (lambda file: file["answers"][0].update(seconds=-1), "answers.0.seconds"),
        (lambda file: file["answers"][0].update(seconds="4.5"), "answers.0.seconds"),
        (lambda file: file.update(consent=False), "consent"),
        (lambda file: file.update(rater="../R01"), "rater"),
        (lambda file: file.update(format="soundproof-answers-0"), "format"),
        (lambda file: file.update(name="Ada"), "name"),
        (lambda file: file.pop("digest"), "digest"),
    ],
)
def test_a_file_that_is_not_as_saved_is_refused(key, tmp_path, change, found):
    path = broken(tmp_path, key, change) if change else None
    path = path.rename(tmp_path / "file.json")
    with pytest.raises(DataError) as caught:
        read_answers([path], key)
    assert found in caught.value.found and str(path) in caught.value.asked


def test_two_files_of_one_rater_are_refused(key, tmp_path):
    paths = [saved(tmp_path, rater(key), name) for name in ("first", "second")]
    with pytest.raises(DataError) as caught:
        read_answers(paths, key)
    assert "'R01'" in caught.value.asked and "first.json" in caught.value.found


def test_what_is_missing_may_be_left_out_if_asked_for(key, tmp_path):
    path = broken(tmp_path, key, lambda file: file["answers"].pop())
    assert len(read_answers([path], key, partly=True)) == len(key.questions) - 1
    empty = saved(tmp_path, rater(key, answers=[]), "empty")
    with pytest.raises(DataError, match="35 are missing"):
        read_answers([empty], key, partly=True)


@pytest.mark.parametrize("text", ["", "{", "[]", "\ufeff{}", json.dumps({"format": "soundproof-answers-1"})])
def test_what_is_no_such_file_is_refused(key, tmp_path, text):
    path = tmp_path / "R01.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="as it was saved"):
        read_answers([path], key)


def test_bytes_and_files_that_are_not_there_are_refused(key, tmp_path):
    path = tmp_path / "R01.json"
    with pytest.raises(DataError, match="No such file"):
        read_answers([path], key)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="as it was saved"):
        read_answers([path], key)
    with pytest.raises(DataError, match="none"):
        read_answers([], key)


def test_the_kit_is_found_beside_the_answers(folder, tmp_path):
    assert kit_of(folder / "answers" / "R01.json") == folder == kit_of(folder / "R01.json")
    with pytest.raises(ArtefactError, match="--kit"):
        kit_of(tmp_path / "R01.json")
    with pytest.raises(ArtefactError, match="study-kit make"):
        read_key(tmp_path)
