from __future__ import annotations

import html
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from toys.study import measurements, results_of

import soundproof.report as report
from soundproof.analysis.frames import records
from soundproof.analysis.verdict import Answer
from soundproof.core.errors import ArtefactError, ConfigError
from soundproof.exhibits.finished import Column, FinishedTable
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import read_finished_table, write_finished_table
from soundproof.figures.writing import write_figure
from soundproof.report.answer import NOTHING, DetectorAnswer, answer_of, read_answer
from soundproof.report.exhibits import telling_picture
from soundproof.report.page import LONG_TABLE, UNASKED, StudyLink, write_run_index, write_study_page
from soundproof.storage.provenance import Provenance
from soundproof.tables import verdict

SCRIPT = (Path(report.__file__).parent / "templates" / "sort.js").read_text()
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
    write_finished_table(table(), tmp_path / "tables", "detection", "Detection", RECORD)
    write_finished_table(
        table(LONG_TABLE + 1, warnings=()), tmp_path / "tables", "reproduction", "Numbers", RECORD
    )
    write_figure(ARTEFACTS["history"].load()(full), tmp_path / "figures", "history", RECORD)
    (tmp_path / "explorer").mkdir()
    (tmp_path / "explorer/index.html").touch()
    return tmp_path


def write(folder, names=("history", "reproduction", "detection"), **options):
    facts = {"Data": "Bench & more"}
    return write_study_page(
        folder, study="bench", title="My study", facts=facts, names=names, provenance=RECORD, **options
    )


def test_page_is_sound_and_stands_alone(folder):
    text = write(folder).read_text()
    page = Page(text)
    # one script, which sorts tables and is the same on every page; nothing is fetched
    assert page.tags.count("script") == 1
    assert "src" not in {name for tag, name, _ in page.attributes if tag == "script"}
    assert text.count(SCRIPT) == 1
    assert page.values("link", "href") == ["data:,"]
    assert "http" not in text
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
    # the order is that of chapters, then the registry's, not the caller's
    order = [text.index(f'<section id="{name}"') for name in ("detection", "history", "reproduction")]
    assert order == sorted(order)


def test_long_tables_are_folded(folder):
    page = Page(write(folder).read_text())
    assert page.tags.count("details") == 1 + 1  # the table, and the cautions
    assert page.tags.count("tr") == 2 + 1 + LONG_TABLE + 1 + 1


def test_bytes_are_stable(folder):
    assert write(folder).read_bytes() == write(folder).read_bytes()


def test_missing_and_unknown_artefacts_are_errors(folder):
    with pytest.raises(ArtefactError, match="temporal_localisation"):
        write(folder, ("temporal_localisation",))
    with pytest.raises(ConfigError, match="did you mean 'detection'"):
        write(folder, ("detections",))


def test_a_study_without_numbers_has_a_page(tmp_path):
    nothing = results_of(measurements([]))
    for name, entry in ARTEFACTS.items():
        if entry.kind == "table":
            write_finished_table(entry.load()(nothing), tmp_path / "tables", name, entry.title, RECORD)
        else:
            arguments = (nothing,) if entry.kind == "figure" else (nothing, [])
            write_figure(entry.load()(*arguments), tmp_path / "figures", name, RECORD)
    text = write(tmp_path, tuple(ARTEFACTS)).read_text()
    assert Page(text).values("section", "id") == ["answer", "facts", "provenance"]
    assert NOTHING in text
    # every exhibit is named once, at the end, with its own reason
    last = text.partition('id="left-out"')[2]
    assert all(entry.title in last for entry in ARTEFACTS.values())
    assert "Cost of explanations (no explanation was timed)" in last
    assert telling_picture(tmp_path, ()) is None


def test_what_a_study_does_not_ask_for_is_named_at_the_end(folder):
    last = write(folder, left_out=("temporal_localisation",)).read_text().partition('id="left-out"')[2]
    assert f"Temporal localisation ({UNASKED})." in last
    assert 'id="left-out"' not in write(folder).read_text()


def test_exhibits_stand_in_the_chapters_of_their_registry_entries(folder):
    page = Page(write(folder).read_text())
    chapters = [name for name in page.values("section", "id") if name.startswith("group-")]
    assert chapters == ["group-detection", "group-against-the-papers"]
    links = page.values("a", "href")
    assert {f"#{chapter}" for chapter in chapters} <= set(links) and "#history" in links


@pytest.fixture(scope="session")
def finished(tmp_path_factory, full):
    """A study with its verdict and the figures that may stand for it."""
    folder = tmp_path_factory.mktemp("finished")
    for name in ("verdict", "quality"):
        write_finished_table(ARTEFACTS[name].load()(full), folder / "tables", name, name, RECORD)
    for name, entry in ARTEFACTS.items():
        if entry.picture is not None:
            arguments = (full,) if entry.kind == "figure" else (full, [])
            write_figure(entry.load()(*arguments), folder / "figures", name, RECORD)
    return folder


def test_the_answer_comes_first(finished):
    text = write(finished, ("verdict", "quality")).read_text()
    page = Page(text)
    assert page.values("section", "id")[:2] == ["answer", "facts"]
    answer = text[text.index('id="answer"') : text.index('id="facts"')]
    frame = read_finished_table(finished / "tables", "verdict").frame
    for row in frame.itertuples():
        assert f"{row.explainer_title} of {row.detector_title}" in answer
    assert all(verdict in answer for verdict in frame["verdict"].unique())
    assert "not measured" in answer and "scope" in answer


def test_what_a_rival_won_is_said_first(finished, tmp_path):
    table = read_finished_table(finished / "tables", "verdict")
    frame = table.frame
    frame.loc[frame["detector"].eq("mae"), ["detector_answer", "detector_words"]] = ["no", "MAE lost."]
    frame.loc[frame["detector"].eq("ae"), ["detector_answer", "detector_words"]] = ["yes", "AE won."]
    write_finished_table(replace(table, frame=frame), tmp_path, "verdict", "Verdict", RECORD)
    answer = read_answer(tmp_path)
    assert answer.lost
    assert [found.words for found in answer.detectors] == ["MAE lost.", "AE won."]
    assert answer.sentences[:2] == ("MAE lost.", "AE won.")
    assert answer.sentences[2].startswith(f"Of {len(frame)} explanations ")


def test_controls_of_a_detector_are_folded_below_its_answer(full, tmp_path):
    results = replace(full, controls={"ae": ["mae"]})
    write_finished_table(verdict.build(results), tmp_path / "tables", "verdict", "Verdict", RECORD)
    answer = read_answer(tmp_path / "tables")
    title = {label: full.detector_title(label) for label in ("ae", "mae")}
    assert {row.detector for row in answer.rows} == {title["ae"]}
    assert {row.detector for row in answer.controls.rows} == {title["mae"]}
    assert [found.detector for found in answer.detectors] == [title["ae"]]
    text = write(tmp_path, ("verdict",)).read_text()
    above, below = text[text.index('id="answer"') : text.index('id="facts"')].split("<details", 1)
    assert f"of {title['mae']}" not in above and f"of {title['ae']}" in above
    assert f"of {title['mae']}" in below and answer.controls.detectors[0].words in html.unescape(below)


def test_of_many_detectors_the_answers_are_counted(finished):
    first = answer_of(records(read_finished_table(finished / "tables", "verdict").frame))
    many = replace(
        first,
        detectors=tuple(
            DetectorAnswer(name, answer, f"{name} by itself.")
            for name, answer in zip(
                "ABCD", (Answer.NO, Answer.PARTLY, Answer.YES, Answer.PARTLY), strict=True
            )
        ),
    )
    assert many.sentences[0] == (
        "Of 4 detectors not better than a rival (A); better than chance and the controls, but level with a simpler "
        "detector (B, D); better than chance, the controls and every simpler detector (C)."
    )
    few = replace(many, detectors=many.detectors[:3])
    assert few.sentences[:3] == ("A by itself.", "B by itself.", "C by itself.")


def test_the_cells_of_the_matrix_carry_their_numbers(finished):
    answer = read_answer(finished / "tables")
    frame = read_finished_table(finished / "tables", "verdict").frame
    titles = [heading.title for _, headings in answer.headings for heading in headings]
    turn = titles.index("Cell AUROC")
    cell = answer.rows[0].criteria[turn]
    assert f"{frame['cell_auroc_advantage'][0]:+.2f} [" in cell.evidence
    assert frame["cell_auroc_rival"][0] in cell.evidence
    assert cell.answer == frame["cell_auroc"][0]


def test_the_landing_page_has_findings_picture_and_matrix(finished):
    link = StudyLink.of_folder(
        finished, ARTEFACTS, study="toy", title="Toy?", dataset="Bench", paper="A paper"
    )
    text = write_run_index(finished.parent / "index.html", run="default", studies=[link]).read_text()
    page = Page(text)
    picture = telling_picture(finished, ARTEFACTS)
    assert page.values("img", "src") == [f"toy/{picture.image}"]
    assert "Stands for: A paper." in text and link.answer.sentences[-1] in text
    assert page.tags.count("table") == 1


def test_run_index_links_studies(folder):
    links = [
        StudyLink("bench", "Bench <1>", "Synthetic", headline="F1 0.6", warnings=("Mind.",)),
        StudyLink("own", "", "Own"),
    ]
    text = write_run_index(folder / "index.html", run="default", studies=links).read_text()
    page = Page(text)
    assert page.values("a", "href") == ["#bench", "#own", "bench/index.html", "own/index.html"]
    assert "Bench &lt;1&gt;" in text
    assert "Mind." in text


MARKUP = '<script>alert(1)</script><img src=x onerror=alert(2)>" onmouseover="alert(3)'


def test_names_and_titles_from_elsewhere_are_text(tmp_path):
    exhibit = table(1, text=MARKUP, warnings=(MARKUP,))
    exhibit = FinishedTable(exhibit.frame, MARKUP, (Column(MARKUP, "name"),), exhibit.warnings)
    write_finished_table(exhibit, tmp_path / "tables", "detection", MARKUP, RECORD)
    path = write_study_page(
        tmp_path,
        study=MARKUP,
        title=MARKUP,
        facts={MARKUP: MARKUP},
        names=("detection",),
        provenance=Provenance(stage=MARKUP, code=MARKUP, inputs={MARKUP: MARKUP}),
        index=MARKUP,
    )
    link = StudyLink(MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, (MARKUP,))
    index = write_run_index(tmp_path / "run.html", run=MARKUP, studies=[link])
    for page in (Page(path.read_text()), Page(index.read_text())):
        assert page.tags.count("script") == 1 and "img" not in page.tags
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        # it is there nevertheless, as what it is
        assert any(MARKUP in (value or "") for _, _, value in page.attributes) and page.open == []
    assert path.read_text().count("&lt;script&gt;") > 8
