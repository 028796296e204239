"""The explorer in a browser, from disk: it plays, filters, sorts, compares; by keyboard, on a phone, in print."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toys.browsing import NEEDS_BROWSER, barriers
from toys.explored import NORMALS, collection, given, view

from soundproof.explorer.page import write_clip_page, write_explorer

pytestmark = NEEDS_BROWSER
CLIPS = [view(number) for number in range(6)]
PIXELS = """(panel) => {
    const canvas = document.querySelector(`#panel-${panel} .picture canvas`);
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return [canvas.height, canvas.width, ...data.filter((_, place) => place % 4 < 3)];
}"""
COLOURED = """(panel) => {
    const canvas = document.querySelector(`#panel-${panel} .picture canvas`);
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let place = 0; place < data.length; place += 4) found += data[place] !== data[place + 2] ? 1 : 0;
    return found;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A page of six clips, in a folder whose name is not one word."""
    silent = replace(CLIPS[4], sounds=(), silent="the data set ships spectrograms", mask=None, events=None)
    broken = dict(CLIPS[5].maps)
    broken["ae", "error_map"] = np.where(CLIPS[5].mask, np.nan, broken["ae", "error_map"])
    clips = [*CLIPS[:4], silent, replace(CLIPS[5], maps=broken)]
    folder = tmp_path_factory.mktemp("a b") / "page"
    return write_explorer(folder, collection(notes=["Mind the toys."]), *given(clips)).page


@pytest.fixture
def opened(page, site):
    """Opens the page at an address behind its own, and waits until a clip is shown."""

    def open_at(fragment: str = "", file: Path = site):
        page.goto(file.as_uri() + fragment)
        page.wait_for_selector("#clip:not([hidden])")
        return page

    return open_at


def shown(page) -> str:
    return page.locator("#name").inner_text().replace("\u200b", "")


def listed(page) -> list[str]:
    return [link.get_attribute("data-clip") for link in page.locator("#list tbody a").all()]


def wait_for(page, clip: str) -> None:
    page.wait_for_function("(id) => document.getElementById('name').textContent === id", arg=clip)


def time_of(page) -> float:
    return page.evaluate("document.getElementById('audio').currentTime")


def test_nothing_is_fetched_and_nothing_complains(page, opened, site):
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    opened()
    for clip in ("c003", "c004", "c005"):
        page.locator(f"#list a[data-clip={clip}]").click()
        wait_for(page, clip)
    page.wait_for_timeout(300)
    assert said == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    # a clip is read when it is looked at
    scripts = {url.rsplit("/", 1)[-1] for url in asked if "/clips/" in url and url.endswith(".js")}
    assert scripts == {"c000.js", "c003.js", "c004.js", "c005.js"}


def test_what_a_map_marks_is_said_below_it_and_what_the_truth_is_with_the_truth(page, opened, tmp_path):
    said = replace(CLIPS[0], sentences={("ae", "saliency"): "A <tone> at 3.1 kHz."}, truth_says="Impacts.")
    file = write_explorer(tmp_path / "page", collection(), *given([said, CLIPS[1]])).page
    opened("#clip=c000&map=ae/saliency&beside=ae/error_map&truth=1", file)
    words = page.locator("#panel-map .says")
    assert words.inner_text() == "What it marks: A <tone> at 3.1 kHz."
    assert page.locator("#truth-says").inner_text() == "What the true mask marks: Impacts."
    assert page.locator("#panel-beside .says").is_hidden()
    page.locator("#truth").uncheck()
    assert page.locator("#truth-says").is_hidden() and words.is_visible()
    page.locator("#list a[data-clip=c001]").click()
    wait_for(page, "c001")
    assert words.is_hidden()


def test_a_picture_is_what_its_bytes_say(opened):
    page = opened("#clip=c001&map=ae/saliency&top=100&opacity=100")
    from matplotlib import colormaps

    values = CLIPS[1].maps["ae", "saliency"]
    top = np.percentile(np.abs(values), 99.5)
    steps = 1 + np.rint(254 * (np.clip(values, -top, top) + top) / (2 * top))
    expected = np.rint(255 * colormaps["RdBu_r"](steps.astype(int))[..., :3])[::-1]
    rows, columns, *pixels = page.evaluate(PIXELS, "map")
    found = np.array(pixels).reshape(rows, columns, 3)
    assert np.abs(found - expected).max() <= 1
    # zero is the middle of the colours: neither red nor blue
    assert np.ptp(colormaps["RdBu_r"](128)[:3]) < 0.02


@pytest.mark.parametrize("explainer", ["error_map", "saliency"])
def test_threshold_shows_the_strongest_cells_and_opacity_how_much_of_them(opened, explainer):
    page = opened(f"#clip=c001&map=ae/{explainer}&opacity=100")
    n_cells = CLIPS[1].mask.size
    counts = {}
    for top in (5, 20, 60):
        page.locator("#top").fill(str(top))
        counts[top] = page.evaluate(COLOURED, "map")
        # ties of bytes stay out, as does what has nearly no colour
        assert 0.75 * top / 100 * n_cells <= counts[top] <= top / 100 * n_cells
    assert counts[5] < counts[20] < counts[60]
    page.locator("#opacity").fill("0")
    assert page.evaluate(COLOURED, "map") == 0
    before = page.evaluate(PIXELS, "map")
    page.locator("#opacity").fill("50")
    assert page.evaluate(PIXELS, "map") != before
    assert page.locator("#top-says").inner_text() == "60 %"


def test_two_explanations_stand_side_by_side(opened):
    page = opened("#clip=c001&map=ae/error_map&beside=mae/saliency")
    left, right = (page.locator(f"#panel-{name}").bounding_box() for name in ("map", "beside"))
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    assert page.evaluate(PIXELS, "map") != page.evaluate(PIXELS, "beside")
    # numbers of both, and the chance of each
    heads = page.locator("#numbers thead th").all_inner_texts()
    assert heads == ["Metric", "Error map of AE", "chance", "Saliency of MAE", "chance"]
    assert page.locator("#numbers tbody tr").all_inner_texts() == ["Cell AUROC ↑\t0.7\t0.5\t0.7\t0.5"]
    before = page.evaluate(PIXELS, "beside")
    page.locator("#beside").select_option("ae/error_map")
    assert page.evaluate(PIXELS, "beside") == page.evaluate(PIXELS, "map") != before


def test_truth_is_outlined_and_can_be_hidden(opened):
    page = opened("#clip=c001")
    event = page.locator("#panel-map .truth .event")
    box = {name: float(event.get_attribute(name)) for name in ("x", "width")}
    assert box == {"x": 10, "width": 10}
    # the outline of a block of 4 rows and 10 columns
    path = page.locator("#panel-map .truth .mask").get_attribute("d")
    assert path.count("h1") == 2 * 10 and path.count("v-1") == 2 * 4
    page.locator("#truth").uncheck()
    assert page.locator("#panel-map .truth > *").count() == 0
    page.goto(page.url.replace("c001", "c004"))
    wait_for(page, "c004")
    assert page.locator("#truth").is_disabled()
    assert "events not labelled" in page.locator("#known").inner_text()


def test_the_score_stands_among_those_of_normal_clips(opened):
    page = opened("#clip=c004&map=ae/error_map")
    below = int((NORMALS < 0.4).sum())
    assert f"above {below} of the 21 normal test clips of fan" in page.locator("#score").inner_text()
    assert page.locator("#scores rect").count() == 40
    page.locator("#map").select_option("mae/saliency")
    assert "MAE: 0.6" in page.locator("#score").inner_text()
    # nothing is known of normal valves
    page.goto(page.url.replace("c004", "c001"))
    wait_for(page, "c001")
    assert "No normal clip was scored" in page.locator("#score").inner_text()


def test_the_list_is_filtered_and_sorted(opened):
    page = opened()
    ids = [one.clip_id for one in CLIPS]
    assert listed(page) == ids
    page.locator("select[data-key=machine]").select_option("fan")
    assert listed(page) == ["c000", "c002", "c004"] and page.locator("#count").inner_text() == "3 of 6"
    page.locator("select[data-key=snr]").select_option("6 dB")
    assert listed(page) == ["c002"]
    for key in ("machine", "snr"):
        page.locator(f"select[data-key={key}]").select_option("")
    # by a number, by keyboard: up, down, as it came
    page.locator("#list th", has_text="Cell AUROC").locator("button").focus()
    values = {one.clip_id: one.numbers["ae", "error_map"]["cell_auroc"].value for one in CLIPS}
    for way in (1, -1):
        page.keyboard.press("Enter")
        assert listed(page) == sorted(ids, key=lambda clip: way * values[clip])
    page.keyboard.press("Enter")
    assert listed(page) == ids
    # scores are those of the detector that is looked at
    page.locator("#list th", has_text="Score").locator("button").click()
    assert listed(page) == ids
    page.locator("#map").select_option("mae/error_map")
    assert listed(page) == ids[::-1]
    # one label: nothing to choose
    assert page.locator("select[data-key=label]").count() == 0


def test_an_address_leads_back_to_what_it_shows(opened):
    page = opened()
    page.locator("#list a[data-clip=c003]").click()
    wait_for(page, "c003")
    page.locator("#map").select_option("mae/saliency")
    page.locator("#beside").select_option("ae/error_map")
    page.locator("#top").fill("33")
    page.locator("#truth").uncheck()
    address, before = page.url, [page.evaluate(PIXELS, name) for name in ("map", "beside")]
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#clip:not([hidden])")
    assert shown(page) == "c003" and page.locator("#top").input_value() == "33"
    assert not page.locator("#truth").is_checked()
    assert [page.evaluate(PIXELS, name) for name in ("map", "beside")] == before
    assert page.locator("#list [aria-current]").get_attribute("data-clip") == "c003"


def test_an_address_of_no_clip_says_so(page, site):
    page.goto(site.as_uri() + "#clip=unknown&map=nobody/knows")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "unknown" in page.locator("#trouble").inner_text()
    assert len(listed(page)) == 6


def test_sound_runs_under_a_cursor_from_where_one_clicks(opened):
    page = opened("#clip=c001")
    page.wait_for_function("document.getElementById('audio').readyState >= 1")
    picture = page.locator("#panel-map .picture")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 2, "y": 20})
    page.wait_for_function("document.getElementById('audio').currentTime > 1.1")
    page.keyboard.press("Escape")
    page.evaluate("document.getElementById('audio').pause()")
    page.wait_for_timeout(200)
    now = time_of(page)
    assert 1.0 < now <= 2.0
    for name in ("map", "beside"):
        cursor, frame = (
            page.locator(f"#panel-{name} {part}").bounding_box() for part in (".cursor", ".picture")
        )
        assert abs((cursor["x"] - frame["x"]) / frame["width"] - now / 2) < 0.03
    # the other sounds of the clip
    words = page.locator("#sound option").all_inner_texts()
    assert words == ["the clip", "what is marked by Saliency of AE", "what is left by Saliency of AE"]
    page.locator("#sound").select_option("1")
    page.wait_for_function("document.getElementById('audio').src.includes('marked.ae.saliency.wav')")
    page.wait_for_function("document.getElementById('audio').readyState >= 1")


def test_a_stretch_is_marked_by_dragging_and_repeats(opened):
    page = opened("#clip=c001")
    page.wait_for_function("document.getElementById('audio').readyState >= 1")
    box = page.locator("#panel-map .picture").bounding_box()
    y = box["y"] + 30
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], y, steps=4)
    page.mouse.move(box["x"] + 0.4 * box["width"], y, steps=4)
    page.mouse.up()
    for name in ("map", "beside"):
        stretch = page.locator(f"#panel-{name} .stretch").bounding_box()
        frame = page.locator(f"#panel-{name} .picture").bounding_box()
        assert abs((stretch["x"] - frame["x"]) / frame["width"] - 0.2) < 0.02
        assert abs(stretch["width"] / frame["width"] - 0.2) < 0.03
    page.evaluate("""() => {
        const audio = document.getElementById('audio');
        window.turns = 0;
        window.latest = 0;
        let before = 0;
        audio.addEventListener('timeupdate', () => {
            if (audio.currentTime < before - 0.1) window.turns += 1;
            before = audio.currentTime;
            window.latest = Math.max(window.latest, before);
        });
        audio.currentTime = 0.5;
    }""")
    page.locator("#clip").focus()
    page.keyboard.press("Space")
    page.wait_for_function("window.turns >= 2")
    assert page.evaluate("window.latest") < 1.3
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert page.locator("#panel-map .stretch").is_hidden()


def test_everything_is_done_by_keyboard(opened):
    page = opened()
    page.wait_for_function("document.getElementById('audio').readyState >= 1")
    page.locator("#rows").focus()
    page.keyboard.press("ArrowDown")
    wait_for(page, "c001")
    page.keyboard.press("ArrowDown")
    wait_for(page, "c002")
    # Enter opens a clip of the list and goes to it
    page.locator("#list a[data-clip=c003]").focus()
    page.keyboard.press("Enter")
    wait_for(page, "c003")
    assert page.evaluate("document.activeElement.id") == "clip"
    page.keyboard.press("ArrowUp")
    wait_for(page, "c002")
    page.wait_for_function("document.getElementById('audio').readyState >= 1")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("Math.abs(document.getElementById('audio').currentTime - 0.75) < 0.01")
    page.keyboard.press("[")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    stretch = page.locator("#panel-map .stretch").evaluate("(one) => [one.style.left, one.style.width]")
    assert [float(part.rstrip("%")) for part in stretch] == pytest.approx([37.5, 12.5], abs=0.5)
    first = page.locator("#map").input_value()
    page.keyboard.press("e")
    assert page.locator("#map").input_value() != first
    page.keyboard.press("E")
    assert page.locator("#map").input_value() == first
    page.keyboard.press("t")
    assert not page.locator("#truth").is_checked()
    # in a field, letters are the field's own
    page.locator("#map").focus()
    page.keyboard.press("t")
    assert not page.locator("#truth").is_checked()


@pytest.mark.parametrize("moment", ["while it loads", "while it seeks", "while it plays"])
def test_no_press_of_a_key_is_lost(opened, moment):
    page = opened()
    page.wait_for_function("document.getElementById('audio').readyState >= 3")
    # in turns of the browser that leave the sound no time to arrive
    page.evaluate(
        """async (moment) => {
            const clip = document.getElementById('clip');
            const press = (key) => clip.dispatchEvent(new KeyboardEvent('keydown', { key }));
            const sounds = document.getElementById('sound');
            if (moment === 'while it plays') press(' ');
            if (moment === 'while it loads') {
                sounds.value = 1;
                sounds.dispatchEvent(new Event('change'));
            }
            for (let pressed = 0; pressed < 4; pressed += 1) {
                press('ArrowRight');
                if (moment !== 'while it loads') await new Promise((turn) => setTimeout(turn, pressed));
            }
            if (moment === 'while it plays') press(' ');
        }""",
        moment,
    )
    page.wait_for_function("document.getElementById('audio').readyState >= 3")
    page.wait_for_timeout(500)
    reached = time_of(page)
    # what plays goes on while keys are pressed
    assert reached == pytest.approx(1, abs=0.01) or (moment == "while it plays" and 1 <= reached < 1.5)
    shown_at = page.locator("#panel-map .cursor").evaluate("(one) => parseFloat(one.style.left)")
    assert shown_at == pytest.approx(100 * reached / 2, abs=1)


def test_a_clip_without_sound_says_so_and_shows_its_maps(opened):
    page = opened("#clip=c004")
    assert page.locator("#player").is_hidden()
    assert page.locator("#silent").inner_text() == "Nothing to hear: the data set ships spectrograms."
    assert page.evaluate(COLOURED, "map") > 0
    page.locator("#panel-map .picture").click()
    page.locator("#clip").focus()
    page.keyboard.press("Space")
    assert page.locator("#trouble").is_hidden()


def test_cells_that_are_no_numbers_are_counted_and_grey(opened):
    page = opened("#clip=c005&map=ae/error_map&opacity=100&top=10")
    assert "40 cells of the map are no numbers" in page.locator("#panel-map figcaption").inner_text()
    rows, columns, *pixels = page.evaluate(PIXELS, "map")
    found = np.array(pixels).reshape(rows, columns, 3)[::-1]
    assert (found[CLIPS[5].mask] == 150).all()


def test_a_missing_file_is_named(page, tmp_path):
    write_explorer(tmp_path / "page", collection(), *given(CLIPS))
    (tmp_path / "page" / "clips" / "c001.js").unlink()
    page.goto((tmp_path / "page" / "index.html").as_uri() + "#clip=c001")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "clips/c001.js" in page.locator("#trouble").inner_text()


def test_a_page_of_one_clip_has_no_list(opened, tmp_path):
    one = write_clip_page(tmp_path / "page", collection(back=None), CLIPS[1])
    page = opened(file=one.page)
    assert shown(page) == "c001" and not page.locator("#choose").is_visible()
    assert page.evaluate(COLOURED, "map") > 0
    assert barriers(page) == []


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_reaches_over_the_edge(page, opened, width):
    page.set_viewport_size({"width": width, "height": 800})
    opened("#clip=c001&map=ae/error_map&beside=mae/saliency")
    page.locator("#keys summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width < 400:
        left, right = (page.locator(f"#panel-{name}").bounding_box() for name in ("map", "beside"))
        assert right["y"] > left["y"] + left["height"] - 1
        assert left["width"] > 300


def test_long_names_do_not_push_anything_over_the_edge_of_a_phone(page, opened, tmp_path):
    long = {
        "ae": "Auto-encoder of the second press",
        "mae": "Masked auto-encoder of the second press, 30 % hidden",
    }
    made = write_explorer(tmp_path / "page", collection(detectors=long, title="W" * 40), *given(CLIPS))
    page.set_viewport_size({"width": 375, "height": 800})
    opened("#clip=c001&map=ae/saliency&sound=marked", made.page)
    assert page.locator("#sound option").all_inner_texts()[1].endswith(long["ae"])
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found(page, opened, scheme):
    page.emulate_media(color_scheme=scheme)
    opened("#clip=c001&map=ae/error_map&beside=mae/saliency")
    page.locator("#keys summary").click()
    assert barriers(page) == []


def test_it_has_a_dark_face_and_a_printed_one(page, opened):
    background = "getComputedStyle(document.body).backgroundColor"
    opened("#clip=c001")
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(background) != light == "rgb(255, 255, 255)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(background) == light
    assert not page.locator("#list").is_visible() and not page.locator("#top").is_visible()
    assert page.locator("#panel-map .picture canvas").is_visible()
    assert page.pdf(format="A4")[:5] == b"%PDF-"
