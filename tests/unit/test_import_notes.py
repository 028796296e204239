"""What files import is remembered by content: parsed once, anew where the content or the parser is another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundproof.runs import import_notes
from soundproof.runs.import_notes import noted


class Counting:
    """A parser that counts what it parses."""

    def __init__(self) -> None:
        self.parsed: list[bytes] = []

    def __call__(self, content: bytes) -> list[str]:
        self.parsed.append(content)
        return content.decode().split()


def new_process() -> None:
    import_notes._known.cache_clear()
    import_notes._FRESH.clear()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("atexit.register", lambda *_: None)
    before = dict(import_notes._FRESH)
    new_process()
    yield tmp_path
    new_process()
    import_notes._FRESH.update(before)


def remember(folder: Path) -> None:
    """What the end of the process does."""
    import_notes._remember(folder / import_notes.NOTES)
    new_process()


def test_a_content_is_parsed_once_and_another_anew(folder: Path) -> None:
    (folder / ".snakemake").mkdir()
    parse = Counting()
    assert noted(b"a b", parse) == noted(b"a b", parse) == ("a", "b")
    remember(folder)
    assert noted(b"a b", parse) == ("a", "b")
    assert noted(b"a c", parse) == ("a", "c")
    assert parse.parsed == [b"a b", b"a c"]
    remember(folder)
    assert (noted(b"a b", parse), noted(b"a c", parse), len(parse.parsed)) == (("a", "b"), ("a", "c"), 2)


def test_another_version_of_the_parser_parses_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".snakemake").mkdir()
    parse = Counting()
    noted(b"a", parse)
    remember(folder)
    monkeypatch.setattr(import_notes, "_parser", lambda: "another")
    assert noted(b"a", parse) == ("a",)
    assert len(parse.parsed) == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', '{"PARSER": 3}', '{"PARSER": {"KEY": "a"}}'])
def test_broken_notes_are_no_notes(text: str, folder: Path) -> None:
    (folder / ".snakemake").mkdir()
    parse = Counting()
    noted(b"a", parse)
    remember(folder)
    ((parser, entries),) = json.loads((folder / import_notes.NOTES).read_text()).items()
    text = text.replace("PARSER", parser).replace("KEY", next(iter(entries)))
    (folder / import_notes.NOTES).write_text(text, encoding="utf-8")
    assert noted(b"a", parse) == ("a",)
    assert len(parse.parsed) == 2


def test_nothing_is_written_where_no_workflow_ran(folder: Path) -> None:
    noted(b"a", Counting())
    remember(folder)
    assert not list(folder.iterdir())
