"""The page of questions in a browser, from disk: quiet, by keyboard, on a phone; answers come out as given."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page
from toys.asked import kit
from toys.browsing import NEEDS_BROWSER, barriers

from soundproof.user_study.answers import read_answers
from soundproof.user_study.forms import N_FORMS, forms_of
from soundproof.user_study.key import KitKey, read_key

pytestmark = NEEDS_BROWSER
COUNTS = {"sound": 2, "map": 2, "repair": 2}
PIXELS = """(place) => {
    const canvas = document.querySelectorAll('#panels canvas')[place];
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].join();
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A kit in a folder whose name is not one word: eight questions, two of them checks."""
    return kit(tmp_path_factory.mktemp("a b") / "my kit", counts=COUNTS, checks=2)


@pytest.fixture(scope="module")
def key(made) -> KitKey:
    return read_key(made.folder)


def begin(page: Page, made, code: str = "R01") -> None:
    page.goto(made.page.as_uri())
    page.locator("#rater").fill(code)
    page.locator("#agree").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#question:not([hidden])")


def form_of(made, code: str):
    forms = forms_of(made.questions, "bench/toy", 0)
    return forms[sum(map(ord, code)) % N_FORMS]


def listen(page: Page) -> None:
    """Play every sound of a question for a moment."""
    for audio in page.locator("#sounds audio").all():
        audio.evaluate("(one) => one.play()")


def wait_for_question(page: Page, number: int) -> None:
    page.wait_for_function(
        "(text) => document.getElementById('progress').textContent.startsWith(text)",
        arg=f"Question {number} of",
    )
    page.wait_for_selector("#options input")


def answer(page: Page, choice: str, number: int, total: int) -> None:
    wait_for_question(page, number)
    listen(page)
    page.wait_for_selector("#options input:enabled")
    page.locator(f"#options input[value={choice}]").check()
    page.locator("#next").click()
    if number < total:
        wait_for_question(page, number + 1)


def save(page: Page, folder: Path) -> Path:
    with page.expect_download() as started:
        page.locator("#save").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_answers_are_read_back_as_they_were_given_and_nothing_is_sent(page, made, key, tmp_path):
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    begin(page, made)
    rng = np.random.default_rng(1)
    given, form = {}, form_of(made, "R01")
    for number, (name, _) in enumerate(form, 1):
        given[name] = str(rng.choice(["a", "b"]))
        answer(page, given[name], number, len(form))
    page.wait_for_selector("#done:not([hidden])")
    assert "Nothing has been sent" in page.locator("#done").inner_text()
    path = save(page, tmp_path)
    assert path.name == f"answers-{made.digest}-R01.json" and path.name in page.locator("#saved").inner_text()
    frame = read_answers([path], key).set_index("question")
    assert dict(frame["choice"]) == given
    lefts = dict(form)
    for name, row in frame.iterrows():
        assert row["side"] == ("left" if row["choice"] == lefts[name] else "right")
        assert 0 < row["seconds"] < 60 and row["plays"] == (2 if row["kind"] != "repair" else 1)
    assert list(frame["place"].sort_values().index) == [name for name, _ in form]
    assert said == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}
    # nothing is fetched that does not lie in the page's folder
    assert all(made.page.parent.as_uri() in url for url in asked if url.startswith("file"))


def test_a_form_shows_its_order_and_sides(page, made):
    forms = Counter()
    for code in ("A", "B"):
        begin(page, made, code)
        form = form_of(made, code)
        assert [one.get_attribute("value") for one in page.locator("#options input").all()] == [
            form[0][1],
            {"a": "b", "b": "a"}[form[0][1]],
        ]
        first = page.locator("#sounds audio").first.get_attribute("src")
        assert first == f"clips/{form[0][0]}.{form[0][1]}.wav"
        assert page.locator("#sounds audio").first.get_attribute("aria-label") == "Sound 1"
        forms[tuple(form)] += 1
    assert len(forms) == 2


def test_two_sounds_are_answered_when_both_were_heard(page, made):
    begin(page, made)
    assert page.locator("#options input:disabled").count() == 2 and page.locator("#next").is_disabled()
    assert "Play both" in page.locator("#waiting").inner_text()
    first, second = page.locator("#sounds audio").all()
    first.evaluate("(one) => one.play()")
    page.wait_for_function("document.querySelectorAll('#sounds audio')[0].currentTime > 0.02")
    assert page.locator("#options input:disabled").count() == 2
    second.evaluate("(one) => one.play()")
    page.wait_for_selector("#options input:enabled")
    # one at a time
    page.wait_for_function("document.querySelectorAll('#sounds audio')[0].paused")
    assert page.locator("#waiting").inner_text() == "" and page.locator("#next").is_disabled()
    page.locator("#options input").first.check()
    assert page.locator("#next").is_enabled()


def test_maps_are_those_under_the_answers(page, made):
    begin(page, made)
    form = form_of(made, "R01")
    by_name = {one.question: one for one in made.questions}
    for number, (name, left) in enumerate(form, 1):
        wait_for_question(page, number)
        one = by_name[name]
        if one.kind == "map" and one.check:
            titles = page.locator("#panels figcaption").all_inner_texts()
            assert titles == ["The clip", "Map 1", "Map 2"]
            # the fault of the toy is one block: its outline is seen, while random cells scatter
            rows, columns = 12, 40
            coloured = []
            for place in (1, 2):
                pixels = np.array(page.evaluate(PIXELS, place).split(","), int).reshape(rows, columns, 4)[
                    ::-1
                ]
                coloured.append(np.ptp(pixels[..., :3], axis=-1) > 0)
            truth, chance = coloured if left == one.truth else coloured[::-1]
            assert truth[4:8, 10:20].all() and truth.sum() == 40
            assert chance.sum() == 40 and chance[4:8, 10:20].sum() < 20
            return
        answer(page, "a", number, len(form))
    raise AssertionError("no check with maps")


def test_a_repair_shows_what_is_replaced(page, made):
    begin(page, made)
    form = form_of(made, "R01")
    by_name = {one.question: one for one in made.questions}
    first = next(n for n, (name, _) in enumerate(form) if by_name[name].kind == "repair")
    for number in range(1, first + 1):
        answer(page, "a", number, len(form))
    wait_for_question(page, first + 1)
    one = by_name[form[first][0]]
    assert page.locator("#panels figcaption").all_inner_texts() == ["The clip", "What is replaced"]
    pixels = np.array(page.evaluate(PIXELS, 1).split(","), int).reshape(12, 40, 4)
    coloured = (np.ptp(pixels[..., :3], axis=-1) > 0).sum()
    assert coloured == round(one.share * 480)
    options = page.locator("#options label").all_inner_texts()
    assert sorted(text.strip().split(",")[0] for text in options) == ["No", "Yes"]


def test_everything_is_done_by_keyboard(page, made, key, tmp_path):
    page.goto(made.page.as_uri())
    page.keyboard.press("Tab")
    page.keyboard.type("K-7_x")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    form = form_of(made, "K-7_x")
    for number in range(1, len(form) + 1):
        wait_for_question(page, number)
        assert page.evaluate("document.activeElement.id") == "prompt"
        # from sound to sound, which space plays, to the answers
        played = None
        while page.evaluate("document.activeElement.type") != "radio":
            page.keyboard.press("Tab")
            here = page.evaluate("document.activeElement.getAttribute('src')")
            if here and here != played:
                played = here
                page.keyboard.press("Space")
                # not "is playing": a short clip may have ended before one looks
                page.wait_for_function(
                    "(src) => document.querySelector(`[src='${src}']`).played.length > 0", arg=here
                )
            assert page.evaluate("document.activeElement.tagName") != "BODY"
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    page.wait_for_selector("#done:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "done-title"
    page.keyboard.press("Tab")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    started.value.save_as(tmp_path / "answers.json")
    frame = read_answers([tmp_path / "answers.json"], key)
    assert set(frame["rater"]) == {"K-7_x"} and (frame["side"] == "left").all()


@pytest.mark.parametrize("code", ["", "Ada Lovelace", "ä", "x" * 40])
def test_a_code_is_asked_for_and_no_name(page, made, code):
    page.goto(made.page.as_uri())
    page.locator("#rater").fill(code)
    page.locator("#agree").check()
    page.get_by_role("button", name="Begin").click()
    if code == "x" * 40:
        # no more than so many letters go in
        assert page.locator("#rater").input_value() == "x" * 32
    else:
        assert page.locator("#question").is_hidden()


def test_nobody_takes_part_without_agreeing(page, made):
    page.goto(made.page.as_uri())
    page.locator("#rater").fill("R01")
    page.get_by_role("button", name="Begin").click()
    assert page.locator("#question").is_hidden() and page.locator("#consent").is_visible()


def test_next_twice_answers_once(page, made, tmp_path):
    begin(page, made)
    total = len(made.questions)
    listen(page)
    page.wait_for_selector("#options input:enabled")
    page.locator("#options input").first.check()
    page.evaluate("""() => {
        const form = document.getElementById('answer');
        for (let turn = 0; turn < 3; turn += 1) form.dispatchEvent(new Event('submit', { cancelable: true }));
    }""")
    for number in range(2, total + 1):
        answer(page, "b", number, total)
    file = json.loads(save(page, tmp_path).read_text(encoding="utf-8"))
    assert len({one["question"] for one in file["answers"]}) == len(file["answers"]) == total
    assert file["consent"] is True and file["study"] == "bench/toy"


def test_leaving_with_answers_that_are_not_saved_asks_first(page, made, tmp_path):
    # what is prevented is what a browser asks about
    leaving = "!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    page.goto(made.page.as_uri())
    assert not page.evaluate(leaving)
    begin(page, made)
    assert page.evaluate(leaving)
    for number in range(1, len(made.questions) + 1):
        answer(page, "a", number, len(made.questions))
    assert page.evaluate(leaving)
    save(page, tmp_path)
    assert not page.evaluate(leaving)


def test_a_missing_file_is_named(page, tmp_path):
    made = kit(tmp_path / "kit", counts={"map": 1}, checks=0)
    (made.page.parent / "clips" / "q01.js").unlink()
    page.goto(made.page.as_uri())
    page.locator("#rater").fill("R01")
    page.locator("#agree").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#trouble:not([hidden])")
    assert "clips/q01.js" in page.locator("#trouble").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found_and_nothing_reaches_over_the_edge(page, made, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(made.page.as_uri())
    assert barriers(page) == []
    begin(page, made)
    form = form_of(made, "R01")
    by_name = {one.question: one for one in made.questions}
    seen = set()
    for number, (name, _) in enumerate(form, 1):
        wait_for_question(page, number)
        if by_name[name].kind not in seen:
            seen.add(by_name[name].kind)
            assert barriers(page) == []
            for width in (1280, 375):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") == width
        answer(page, "a", number, len(form))
    page.wait_for_selector("#done:not([hidden])")
    assert barriers(page) == [] and seen == {"sound", "map", "repair"}
