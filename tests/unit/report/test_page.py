from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest
from study_toys import measurements, results_of

from soundproof.core.errors import ArtefactError, ConfigError
from soundproof.exhibits.finished import Column, FinishedTable
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import write_finished_table
from soundproof.figures.writing import write_figure
from soundproof.report.page import LONG_TABLE, StudyLink, write_run_index, write_study_page
from soundproof.storage.provenance import Provenance

VOID = {"meta", "img", "link", "br"}
RECORD = Provenance(stage="measurements", settings={"a": 1}, code="c0de", inputs={"parts": "1234"})


class Page(HTMLParser):
    """Checks nesting and collects what matters."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def values(self, tag, attribute):
        return [value for t, name, value in self.attributes if (t, name) == (tag, attribute)]


def table(rows=2, text="a < b & c", warnings=("Level <alone>.",)):
    frame = pd.DataFrame({"name": [text] * rows, "value": [0.5] * rows})
    return FinishedTable(
        frame, "A caption & more.", (Column("Name", "name"), Column("F1", "value")), warnings
    )


@pytest.fixture
def folder(tmp_path, full):
    write_finished_table(table(), tmp_path / "tables", "T1_detection", "Detection", RECORD)
    write_finished_table(
        table(LONG_TABLE + 1, warnings=()), tmp_path / "tables", "reproduction", "Numbers", RECORD
    )
    write_figure(ARTEFACTS["history"].load()(full), tmp_path / "figures", "history", RECORD)
    return tmp_path


def write(folder, names=("history", "reproduction", "T1_detection"), **options):
    facts = {"Data": "Bench & more"}
    return write_study_page(
        folder, study="bench", title="My study", facts=facts, names=names, provenance=RECORD, **options
    )


def test_page_is_sound_and_stands_alone(folder):
    text = write(folder).read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert "link" not in page.tags
    references = page.values("img", "src") + page.values("a", "href")
    assert references
    for reference in references:
        if reference.startswith("#"):
            assert reference[1:] in page.values("section", "id")
        else:
            assert (folder / reference).is_file()
    assert "viewport" in page.values("meta", "name")
    assert all(len(alt) > 30 for alt in page.values("img", "alt"))


def test_page_says_what_a_reader_must_know(folder):
    text = write(folder).read_text()
    assert text.count("Level &lt;alone&gt;.") == 2  # at the top and beside its table
    assert "a &lt; b &amp; c" in text
    assert RECORD.settings_digest in text
    assert "c0de" in text
    assert "pandas" in text
    assert "Regenerates T-P1-1" in text
    # the order is the registry's, not the caller's
    order = [text.index(f'<section id="{name}"') for name in ("T1_detection", "reproduction", "history")]
    assert order == sorted(order)


def test_long_tables_are_folded(folder):
    page = Page(write(folder).read_text())
    assert page.tags.count("details") == 1
    assert page.tags.count("tr") == 2 + 1 + LONG_TABLE + 1 + 1


def test_bytes_are_stable(folder):
    assert write(folder).read_bytes() == write(folder).read_bytes()


def test_missing_and_unknown_artefacts_are_errors(folder):
    with pytest.raises(ArtefactError, match="T2_temporal_f1"):
        write(folder, ("T2_temporal_f1",))
    with pytest.raises(ConfigError, match="did you mean 'T1_detection'"):
        write(folder, ("T1_detections",))


def test_a_study_without_numbers_has_a_page(tmp_path):
    nothing = results_of(measurements([]))
    for name, entry in ARTEFACTS.items():
        if entry.kind == "table":
            write_finished_table(entry.load()(nothing), tmp_path / "tables", name, entry.title, RECORD)
        else:
            arguments = (nothing,) if entry.kind == "figure" else (nothing, [])
            write_figure(entry.load()(*arguments), tmp_path / "figures", name, RECORD)
    page = Page(write(tmp_path, tuple(ARTEFACTS)).read_text())
    assert page.values("section", "id") == [*ARTEFACTS, "provenance"]


def test_run_index_links_studies(folder):
    links = [StudyLink("bench", "Bench <1>", "Synthetic", "F1 0.6", ("Mind.",)), StudyLink("own", "", "Own")]
    text = write_run_index(folder / "index.html", run="default", studies=links).read_text()
    page = Page(text)
    assert page.values("a", "href") == ["bench/index.html", "own/index.html"]
    assert "Bench &lt;1&gt;" in text
    assert "Mind." in text


MARKUP = '<script>alert(1)</script><img src=x onerror=alert(2)>" onmouseover="alert(3)'


def test_names_and_titles_from_elsewhere_are_text(tmp_path):
    exhibit = table(1, text=MARKUP, warnings=(MARKUP,))
    exhibit = FinishedTable(exhibit.frame, MARKUP, (Column(MARKUP, "name"),), exhibit.warnings)
    write_finished_table(exhibit, tmp_path / "tables", "T1_detection", MARKUP, RECORD)
    path = write_study_page(
        tmp_path,
        study=MARKUP,
        title=MARKUP,
        facts={MARKUP: MARKUP},
        names=("T1_detection",),
        provenance=Provenance(stage=MARKUP, code=MARKUP, inputs={MARKUP: MARKUP}),
        index=MARKUP,
    )
    link = StudyLink(MARKUP, MARKUP, MARKUP, MARKUP, (MARKUP,))
    index = write_run_index(tmp_path / "run.html", run=MARKUP, studies=[link])
    for page in (Page(path.read_text()), Page(index.read_text())):
        assert not {"script", "img"} & set(page.tags)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        # it is there nevertheless, as what it is
        assert any(MARKUP in (value or "") for _, _, value in page.attributes) and page.open == []
    assert path.read_text().count("&lt;script&gt;") > 8
