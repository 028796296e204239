"""The files of the explorer: what there is room for, what is said where there is none, one clip alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toys.explored import RATE, collection, given, tone, view

from soundproof.core.errors import ArtefactError, ConfigError
from soundproof.explorer.cells import Coarseness
from soundproof.explorer.page import LIBRARY, NO_PAIR, NO_SOUND, write_clip_page, write_explorer
from soundproof.explorer.view import ClipSound, ClipView

CLIPS = [view(number) for number in range(6)]


def called(path: Path) -> dict[str, object]:
    """What a script calls its function with."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text[text.index("(") + 1 : text.rindex(")")])


def sizes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_page_has_its_library_and_a_script_and_sounds_for_each_clip(tmp_path: Path) -> None:
    written = write_explorer(tmp_path / "a b", collection(), *given(CLIPS))
    files = sizes(tmp_path / "a b")
    assert written.page == tmp_path / "a b" / "index.html" and written.n_bytes == sum(files.values())
    assert written.without_sound == written.left_out == () and written.coarseness == Coarseness()
    sounds = ["clip.wav", "marked.ae.saliency.wav", "left.ae.saliency.wav"]
    assert set(files) == {
        "index.html",
        "study.js",
        *LIBRARY,
        *(f"clips/{one.clip_id}.{suffix}" for one in CLIPS for suffix in ("js", *sounds)),
    }
    study = called(tmp_path / "a b" / "study.js")
    assert [row["id"] for row in study["clips"]] == [one.clip_id for one in CLIPS]
    assert study["clips"][1]["values"]["ae/saliency"] == [0.7, None]
    clip = called(tmp_path / "a b" / "clips" / "c001.js")
    assert clip["chance"]["ae/saliency"] == [0.5, None]
    assert max(clip["sounds"][0]["peaks"]) == pytest.approx(8000 / 32768, abs=2e-3)


def test_the_sounds_of_a_page_are_those_that_were_given(tmp_path: Path) -> None:
    write_clip_page(tmp_path / "page", collection(), CLIPS[1])
    samples, rate_hz = soundfile.read(tmp_path / "page" / "clips" / "c001.clip.wav", dtype="int16")
    assert rate_hz == RATE and np.array_equal(samples, tone(250))


def test_a_page_is_made_anew_without_what_it_was_before(tmp_path: Path) -> None:
    write_explorer(tmp_path / "page", collection(), *given(CLIPS))
    write_clip_page(tmp_path / "page", collection(), CLIPS[0])
    assert {name for name in sizes(tmp_path / "page") if name.endswith(".js") and "clips/" in name} == {
        "clips/c000.js"
    }


def test_the_same_clips_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_explorer(tmp_path / name, collection(), *given(CLIPS))
    for name in sizes(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def of_maps(tmp_path: Path, clips: list[ClipView]) -> int:
    """Size of a page of these clips without any sound."""
    silent = [replace(one, sounds=()) for one in clips]
    return write_explorer(tmp_path / "maps", collection(), *given(silent)).n_bytes


def test_sounds_that_maps_cut_out_go_first_then_those_of_clips(tmp_path: Path) -> None:
    room = of_maps(tmp_path, CLIPS)
    clip = 44 + 2 * len(CLIPS[0].sounds[0].samples)
    # room for the maps and for the sound of two or three clips
    written = write_explorer(tmp_path / "page", collection(), *given(CLIPS), (room + 2.5 * clip + 3000) / 1e6)
    assert written.n_bytes <= room + 2.5 * clip + 3000
    told = {one.clip_id: called(tmp_path / "page" / "clips" / f"{one.clip_id}.js") for one in CLIPS}
    assert written.left_out == ()
    heard = [name for name, facts in told.items() if facts["sounds"]]
    assert 0 < len(heard) < len(CLIPS)
    assert {facts["silent"] for facts in told.values()} <= {"", NO_PAIR, NO_SOUND}
    assert {name for name, facts in told.items() if facts["silent"]} == set(written.without_sound)
    rows = called(tmp_path / "page" / "study.js")["clips"]
    assert [row["id"] for row in rows if row["sound"]] == heard


@pytest.mark.parametrize("sounds", [True, False])
def test_maps_become_coarser_before_a_clip_is_left_out(tmp_path: Path, sounds: bool) -> None:
    large = replace(CLIPS[0].axes, frequencies_hz=tuple(np.linspace(50, 3500, 64)), n_frames=256)
    clips = [view(number, large) for number in range(4)]
    if not sounds:
        clips = [replace(one, sounds=()) for one in clips]
    room = of_maps(tmp_path, clips) / 3
    written = write_explorer(tmp_path / "page", collection(), *given(clips), room / 1e6)
    assert written.coarseness != Coarseness() and written.left_out == ()
    assert written.n_bytes == sum(sizes(tmp_path / "page").values()) <= room
    study = called(tmp_path / "page" / "study.js")
    assert study["joined"] == [written.coarseness.frequencies, written.coarseness.frames]


def test_clips_without_any_room_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    silent = [replace(one, sounds=()) for one in CLIPS]
    write_explorer(tmp_path / "whole", collection(), *given(silent))
    found = sizes(tmp_path / "whole")
    room = sum(found.values()) - 1.5 * found["clips/c000.js"]
    written = write_explorer(tmp_path / "page", collection(), *given(silent), room / 1e6)
    assert written.left_out == ("c004", "c005") and written.without_sound == ()
    assert "2 clips of" in caplog.text
    assert called(tmp_path / "page" / "study.js")["left_out"] == 2
    assert not (tmp_path / "page" / "clips" / "c005.js").exists()


def test_text_of_data_cannot_end_a_script_or_become_markup(tmp_path: Path) -> None:
    strange = replace(CLIPS[0], facts={"machine": "</script><b>&\u2028"})
    write_clip_page(tmp_path / "page", collection(title="<i>Toy</i>"), strange)
    assert "</script" not in (tmp_path / "page" / "study.js").read_text()
    assert called(tmp_path / "page" / "study.js")["clips"][0]["facts"]["machine"] == "</script><b>&\u2028"
    assert "&lt;i&gt;Toy" in (tmp_path / "page" / "index.html").read_text()


def test_nothing_to_show_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no clip is explained"):
        write_explorer(tmp_path / "page", collection(), [], lambda _: [])
    assert list(tmp_path.iterdir()) == []


def test_parts_of_another_shape_are_refused() -> None:
    with pytest.raises(ArtefactError, match="map of ae/x"):
        replace(CLIPS[0], maps={("ae", "x"): np.ones((3, 4))})


def test_no_number_of_a_page_is_nan(tmp_path: Path) -> None:
    empty = np.full(CLIPS[0].axes.shape, np.nan)
    odd = replace(CLIPS[0], spectrogram=empty, maps={("ae", "saliency"): empty}, scores={"ae": 0.5})
    write_clip_page(
        tmp_path / "page", collection(), replace(odd, sounds=[ClipSound("clip", tone(100), RATE)])
    )
    assert called(tmp_path / "page" / "clips" / "c000.js")["maps"][0]["missing"] == empty.size
