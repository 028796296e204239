"""Content decides, and what was read once is not read again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from toys.calls import calls_of

from soundproof.core.errors import DataError
from soundproof.storage import contents
from soundproof.storage.contents import digests_of


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Names of the files that are read."""
    seen: list[str] = []
    original = contents._sha256
    monkeypatch.setattr(contents, "_sha256", lambda path: (seen.append(path.name), original(path))[1])
    # files of a test are too young to be remembered otherwise
    monkeypatch.setattr(contents, "_SETTLED_NS", 0)
    return seen


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    return {name: tmp_path / name for name in ("a", "b")}


def test_files_are_read_once(tmp_path, files, reads):
    notes = tmp_path / "notes/known.json"
    assert digests_of(files, notes) == {"a": sha256(b"a"), "b": sha256(b"b")}
    assert digests_of(files, notes) == {"a": sha256(b"a"), "b": sha256(b"b")}
    assert reads == ["a", "b"]


def test_a_touched_file_is_read_again_and_found_to_be_the_same(tmp_path, files, reads):
    before = digests_of(files, tmp_path / "known.json")
    os.utime(files["a"], (1, 1))
    assert digests_of(files, tmp_path / "known.json") == before
    assert reads == ["a", "b", "a"]


def test_a_file_replaced_by_an_older_one_of_its_size_is_seen(tmp_path, files, reads):
    digests_of(files, tmp_path / "known.json")
    (tmp_path / "backup").write_bytes(b"x")
    os.utime(tmp_path / "backup", (1, 1))
    (tmp_path / "backup").rename(files["a"])
    assert digests_of(files, tmp_path / "known.json")["a"] == sha256(b"x")


def test_a_file_overwritten_in_place_with_its_old_date_put_back_is_seen(tmp_path, files, reads):
    digests_of(files, tmp_path / "known.json")
    date = files["a"].stat()
    files["a"].write_bytes(b"x")
    os.utime(files["a"], ns=(date.st_atime_ns, date.st_mtime_ns))
    assert digests_of(files, tmp_path / "known.json")["a"] == sha256(b"x")


def test_a_file_that_may_be_written_again_within_the_same_tick_is_not_remembered(
    tmp_path, files, reads, monkeypatch
):
    monkeypatch.setattr(contents, "_SETTLED_NS", 60_000_000_000)
    digests_of(files, tmp_path / "known.json")
    assert not (tmp_path / "known.json").exists()
    digests_of(files, tmp_path / "known.json")
    assert reads == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"%s": 3}', '{"%s": ["x", 1, 2, 3, 4]}', "\udcff", "null"]
)
def test_notes_that_cannot_be_used_cost_only_time(tmp_path, files, reads, content):
    notes = tmp_path / "known.json"
    notes.write_bytes(content.replace("%s", str(files["a"])).encode("utf-8", "surrogateescape"))
    assert digests_of(files, notes) == {"a": sha256(b"a"), "b": sha256(b"b")}
    assert str(files["a"]) in json.loads(notes.read_text())


def test_notes_that_cannot_be_written_are_no_failure(tmp_path, files, reads):
    (tmp_path / "file").touch()
    assert digests_of(files, tmp_path / "file/known.json")["b"] == sha256(b"b")


def test_notes_of_other_folders_are_kept(tmp_path, files, reads):
    digests_of({"a": files["a"]}, tmp_path / "known.json")
    digests_of({"b": files["b"]}, tmp_path / "known.json")
    digests_of(files, tmp_path / "known.json")
    assert reads == ["a", "b"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\n  found: No such file"):
        digests_of({"gone": tmp_path / "gone"}, tmp_path / "known.json")


def test_known_files_take_little_work_each(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_SETTLED_NS", 0)
    files = {}
    for number in range(1_000):
        files[str(number)] = tmp_path / f"{number}.wav"
        files[str(number)].write_bytes(str(number).encode())
    first = digests_of(files, tmp_path / "known.json")
    again = {}
    calls = calls_of(lambda: again.update(digests_of(files, tmp_path / "known.json")))
    assert again == first
    # a call takes well under a microsecond: ten thousand files are to take less than a second
    assert calls < 60 * len(files)
