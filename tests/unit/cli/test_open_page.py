"""Which page a name stands for, and what is said of it."""

from __future__ import annotations

import os
import webbrowser

import pytest

from soundproof.cli import main
from soundproof.cli.open_page import page_of
from soundproof.core.errors import ArtefactError, ConfigError


@pytest.fixture
def results(tmp_path):
    for turn, name in enumerate(("old/p1", "new one", "old")):
        page = tmp_path / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(name)
        os.utime(page, (turn, turn if name != "old" else 0))
    return tmp_path


def test_a_run_a_study_a_folder_or_the_run_finished_last(results):
    assert page_of(results, None).read_text() == "new one"
    assert page_of(results, "old").read_text() == "old"
    assert page_of(results, "old/p1").read_text() == "old/p1"
    assert page_of(results, str(results / "old")).read_text() == "old"


def test_what_is_not_there_is_refused_with_what_is(results, tmp_path):
    with pytest.raises(ConfigError, match="new one"):
        page_of(results, "never")
    with pytest.raises(ArtefactError, match="snakemake"):
        page_of(tmp_path / "nothing", None)


@pytest.mark.parametrize("there", [True, False])
def test_it_opens_from_disk_and_says_where_the_page_lies(results, monkeypatch, capsys, there):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or there)
    assert main(["open", "--results", str(results), "new one"]) == 0
    assert opened == [(results / "new one" / "index.html").as_uri()]
    assert opened[0].endswith("new%20one/index.html")
    said = capsys.readouterr().out
    assert str(results / "new one" / "index.html") in said
    assert ("open it yourself" in said) is not there
