"""The pages in a browser, from disk: whole, quiet, sortable, readable on a phone, in print and in the dark."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from toys.browsing import NEEDS_BROWSER, barriers

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import read_finished_table, write_finished_table
from soundproof.figures.writing import write_figure
from soundproof.report.page import StudyLink, write_run_index, write_study_page
from soundproof.storage.provenance import Provenance

pytestmark = NEEDS_BROWSER
RECORD = Provenance(stage="measurements", settings={"a": 1}, code="c0de", inputs={"parts": "1234"})
TABLES = ("verdict", "quality", "significance", "sanity", "cost", "detection")
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OPENED = "document.querySelectorAll('details').forEach((one) => { one.open = true })"
CUT = """() => [...document.querySelectorAll('.scroll')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.getAttribute('aria-label'))"""


@pytest.fixture(scope="session")
def site(tmp_path_factory, full) -> Path:
    """A run of one study, in a folder whose name is not one word."""
    run = tmp_path_factory.mktemp("a b") / "run"
    folder = run / "toy"
    names = [name for name, entry in ARTEFACTS.items() if name in TABLES or entry.picture is not None]
    for name in names:
        entry = ARTEFACTS[name]
        if entry.kind == "table":
            write_finished_table(entry.load()(full), folder / "tables", name, entry.title, RECORD)
        else:
            arguments = (full,) if entry.kind == "figure" else (full, [])
            write_figure(entry.load()(*arguments), folder / "figures", name, RECORD)
    options = {"facts": {"Data set": "Toy"}, "provenance": RECORD, "index": "../index.html"}
    write_study_page(folder, study="toy", title="Toy study?", names=names, cautions=["Mind."], **options)
    link = StudyLink.of_folder(
        folder, ARTEFACTS, study="toy", title="Toy study?", dataset="Toy", warnings=("Mind.",)
    )
    write_run_index(run / "index.html", run="toys", studies=[link])
    return run


@pytest.fixture(params=["index.html", "toy/index.html"])
def address(request, site) -> str:
    return (site / request.param).as_uri()


def test_nothing_is_fetched_and_nothing_complains(page, address):
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    page.evaluate("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager' })")
    page.wait_for_function("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert said == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data"} and address in asked


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_reaches_over_the_edge(page, address, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    page.evaluate(OPENED)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width == 1280:
        assert page.evaluate(CUT) == []  # tables are whole


def test_a_heading_sorts_all_blocks_of_its_table_up_down_and_back(page, site):
    page.goto((site / "toy" / "index.html").as_uri())
    values = read_finished_table(site / "toy" / "tables", "quality").frame["cell_auroc"]
    figure = page.locator("#quality figure")
    tables = figure.locator("table")
    assert tables.count() > 1
    block = next(one for one in tables.all() if one.get_by_text("Cell AUROC", exact=True).count())
    column = 2 + block.locator("thead tr").first.locator("th, td").all_inner_texts()[2:].index("Cell AUROC")
    heading = block.locator("thead tr").last.locator("th").nth(column)

    def read(table, place):
        rows = table.locator("tbody tr").all()
        return [row.locator("td").nth(place).inner_text().split("\n")[0] for row in rows]

    def names(table):
        return list(zip(read(table, 0), read(table, 1), strict=True))

    before = names(block)
    # by keyboard alone
    heading.locator("button").focus()
    for way, ascending in (("ascending", True), ("descending", False)):
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == way
        expected = [f"{value:.2f}" for value in values.sort_values(ascending=ascending, kind="stable")]
        assert read(block, column) == expected
        assert names(tables.last) == names(block) != before
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "none" and names(block) == before
    # one column sorts at a time
    heading.locator("button").click()
    tables.last.locator("button").first.click()
    assert figure.locator("[aria-sort=ascending], [aria-sort=descending]").count() == 1


def test_the_contents_lead_to_every_chapter(page, site):
    page.goto((site / "toy" / "index.html").as_uri())
    targets = [link.get_attribute("href") for link in page.locator("nav a[href^='#']").all()]
    assert len(targets) > 8
    assert all(page.locator(target).count() == 1 for target in targets)


def test_it_has_a_dark_face_and_a_printed_one(page, address):
    page.goto(address)
    light = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(BACKGROUND)
    assert light == "rgb(255, 255, 255)" and dark != light
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(BACKGROUND) == light  # nobody prints black paper
    assert not page.locator("nav").first.is_visible()
    page.set_viewport_size({"width": 700, "height": 900})
    page.evaluate(OPENED)
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf(format="A4")[:5] == b"%PDF-"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found(page, address, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    page.evaluate(OPENED)
    assert barriers(page) == []


def test_the_page_says_the_answer_before_one_scrolls(page, site):
    page.goto((site / "toy" / "index.html").as_uri())
    box = page.locator("#answer .found").first.bounding_box()
    assert box is not None and box["y"] < 300
    frame = read_finished_table(site / "toy" / "tables", "verdict").frame
    assert isinstance(frame, pd.DataFrame)
    assert page.locator("#answer table").first.locator("tbody tr").count() == len(frame)
