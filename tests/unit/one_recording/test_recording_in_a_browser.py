"""The page about one recording, from disk: quiet, whole, with sound, rivals to put beside the map, no barrier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page
from toys.browsing import NEEDS_BROWSER, barriers

from soundproof.audio.pair import flac
from soundproof.core.errors import ConfigError
from soundproof.exhibits.writing import write_finished_table
from soundproof.one_recording.choice import most_trusted
from soundproof.one_recording.explain import Asked, Explained
from soundproof.one_recording.page import RIVALS, as_plain, write_recording_page
from soundproof.one_recording.recording import Span
from soundproof.one_recording.study import Individual
from soundproof.one_recording.words import Words
from soundproof.reasons.reason import Reason
from soundproof.storage.maps import Axes
from soundproof.storage.provenance import Provenance
from soundproof.tables import quality, verdict

RATE_HZ = 8000
PIXELS = """(id) => { const canvas = document.querySelector(`#${id} .picture canvas`);
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].join() }"""


@pytest.fixture(scope="module")
def found(tmp_path_factory, full) -> Explained:
    """A recording of two seconds with a map that marks its middle; its name is not one word."""
    tables = tmp_path_factory.mktemp("tables")
    record = Provenance(stage="tables")
    write_finished_table(verdict.build(full), tables, "verdict", "Verdict", record)
    write_finished_table(quality.build(full), tables, "quality", "Quality", record)
    rng = np.random.default_rng(3)
    relevance = np.zeros((8, 40), np.float32)
    relevance[3:5, 15:25] = 1.0
    sound = rng.integers(-9000, 9000, 2 * RATE_HZ).astype(np.int16)
    marked = sound // 2
    return Explained(
        asked=Asked(path=Path("press 4 #2 <&>.wav"), study=Path("results/bench/toy")),
        study="toy",
        trusted=most_trusted(tables),
        seed=0,
        compared_with=Individual("fan", ""),
        span=Span(10.0, 12.0),
        score=3.0,
        normal_scores=np.array([1.0, 2.0, 3.0, 4.0]),
        axes=Axes(tuple(100.0 * (row + 1) for row in range(8)), 20.0, 40, "dB"),
        features=rng.normal(size=(8, 40)).astype(np.float32),
        relevance=relevance,
        sounds={
            role: flac(samples, RATE_HZ)
            for role, samples in (("clip", sound), ("marked", marked), ("left", sound - marked))
        },
        silent="",
        words=Words("A tone at 400 Hz.", Reason("A tone at 400 Hz.", (), {"peak_hz": 400.0}, {}, {}, None)),
    )


@pytest.fixture(scope="module")
def address(found, tmp_path_factory) -> str:
    return write_recording_page(tmp_path_factory.mktemp("a b") / "page", found).as_uri()


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.said, opened.asked = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#clip:not([hidden])")
    yield opened
    opened.close()


def test_the_answer_as_plain_values(found):
    answer = as_plain(found, Path("/x/index.html"))
    # of 1, 2, 3 and 4 two are as high as 3; the first marked cell stands 15 frames of 20 a second behind 10 s
    assert (answer["n_normal"], answer["n_normal_as_high"], answer["false_alarm_rate"]) == (4, 2, 0.5)
    assert (answer["peak_s"], answer["peak_hz"]) == (10.75, 400.0)
    assert (answer["machine"], answer["unit"]) == ("fan", None)
    assert (answer["words"], answer["no_words"]) == ("A tone at 400 Hz.", None)
    assert answer["attributes"] == {"peak_hz": 400.0}
    assert answer["explainer"] == found.trusted.explainer and answer["verdict"] == str(
        found.trusted.row.verdict
    )


def test_a_folder_that_holds_something_else_is_left_alone(found, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError) as caught:
        write_recording_page(tmp_path, found)
    assert "thesis.txt" in caught.value.found and (tmp_path / "thesis.txt").read_text() == "mine"


@NEEDS_BROWSER
def test_it_says_the_answer_quietly_and_fetches_nothing(page, found):
    assert page.said == []
    assert {url.split(":")[0] for url in page.asked} <= {"file", "data", "blob"}
    assert page.locator("h1").inner_text() == "press 4 #2 <&>.wav"
    answer = page.locator("#answer").inner_text()
    assert found.standing.words in answer and found.trusted.detector_words in answer
    assert str(found.trusted.row.verdict) in answer and "10 s to 12 s" in answer
    box = page.locator("#answer .found").first.bounding_box()
    assert box is not None and box["y"] < 300


@NEEDS_BROWSER
def test_the_three_sounds_play(page):
    options = page.locator("#sound option")
    assert options.count() == 3
    for value in [option.get_attribute("value") for option in options.all()]:
        page.select_option("#sound", value)
        page.wait_for_function("document.getElementById('audio').readyState > 0")
        assert page.evaluate("document.getElementById('audio').duration") == pytest.approx(2.0, abs=0.01)
    page.evaluate("document.getElementById('audio').play()")
    page.wait_for_function("document.getElementById('audio').currentTime > 0.05")


@NEEDS_BROWSER
def test_rivals_stand_beside_the_map(page):
    drawn = {page.evaluate(PIXELS, "panel-beside")}
    for title in RIVALS.values():
        page.select_option("#beside", label=title)
        drawn.add(page.evaluate(PIXELS, "panel-beside"))
    # the spectrogram alone, the input as a map, chance: three pictures, none of them the explanation
    drawn.add(page.evaluate(PIXELS, "panel-map"))
    assert len(drawn) == 4


@NEEDS_BROWSER
def test_the_evidence_is_that_of_the_study(page, found):
    rows = page.locator("#trust tbody tr")
    assert rows.count() == len(found.trusted.evidence) > 3
    for row, one in zip(rows.all(), found.trusted.evidence, strict=True):
        assert row.locator("th").inner_text() == one.title
        assert row.locator("td").nth(1).inner_text() == ("–" if np.isnan(one.value) else f"{one.value:.2f}")
        assert row.locator("td").last.inner_text() == one.cell.evidence


@NEEDS_BROWSER
@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_reaches_over_the_edge(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width


@NEEDS_BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found(page, scheme):
    page.emulate_media(color_scheme=scheme)
    assert barriers(page) == []
