"""A file is read as far as a clip of the study is long, or refused with what to do."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
import soundfile

from soundproof.audio.reading import PIECE
from soundproof.core.errors import DataError
from soundproof.one_recording.recording import ClipForm, Span, read_span

RATE_HZ = 8000
FORM = ClipForm(seconds=2.0, frame_s=0.025, rate_hz=RATE_HZ, channel="mix")


def write(path, seconds, rate_hz=RATE_HZ, sound=None):
    samples = (
        np.random.default_rng(7).uniform(-0.5, 0.5, round(seconds * rate_hz)) if sound is None else sound
    )
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return samples


def test_a_file_as_long_as_a_clip_is_read_whole(tmp_path):
    samples = write(tmp_path / "a.wav", 2.0)
    audio, span = read_span(tmp_path / "a.wav", FORM)
    assert span == Span(0.0, 2.0) and audio.rate_hz == RATE_HZ
    assert np.array_equal(audio.samples, samples.astype(np.float32))
    # an end that makes no frame is cut off
    longer = write(tmp_path / "b.wav", 2.02)
    audio, _ = read_span(tmp_path / "b.wav", FORM)
    assert np.array_equal(audio.samples, longer[:16000].astype(np.float32))


@pytest.mark.parametrize(("from_s", "to_s"), [(3.0, None), (None, 5.0), (3.0, 5.0)])
def test_the_part_that_is_named_is_read(tmp_path, from_s, to_s):
    samples = write(tmp_path / "a.wav", 10.0)
    audio, span = read_span(tmp_path / "a.wav", FORM, from_s, to_s)
    assert span == Span(3.0, 5.0)
    assert np.array_equal(audio.samples, samples[24000:40000].astype(np.float32))


def test_a_higher_rate_is_left_for_the_recipe_to_bring_down(tmp_path):
    write(tmp_path / "a.wav", 2.0, 44100)
    audio, _ = read_span(tmp_path / "a.wav", FORM)
    assert (audio.rate_hz, len(audio.samples)) == (44100, 88200)


REFUSED = {
    "longer": ((10.0, RATE_HZ), (None, None), "10 s", "--from SECONDS (up to 8)"),
    "shorter": ((1.5, RATE_HZ), (None, None), "1.5 s", "record at least 2 s"),
    "too low a rate": ((2.0, 4000), (None, None), "4000 Hz: the study listens to bands", "at least 8000 Hz"),
    "another length": ((10.0, RATE_HZ), (1.0, 4.0), "3 s, from 1 s to 4 s", "leave --to out"),
    "beyond the end": ((10.0, RATE_HZ), (9.0, None), "from 9 s to 11 s of 10 s", "from 0 to 8"),
    "before the beginning": ((10.0, RATE_HZ), (None, 1.0), "from -1 s to 1 s", "from 0 to 8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_what_to_do(tmp_path, case):
    of, part, found, advice = REFUSED[case]
    write(tmp_path / "a.wav", *of)
    with pytest.raises(DataError) as caught:
        read_span(tmp_path / "a.wav", FORM, *part)
    assert found in caught.value.found and advice in caught.value.remedy


def test_silence_nan_and_what_is_no_sound_are_refused(tmp_path):
    write(tmp_path / "silent.wav", 2.0, sound=np.zeros(16000))
    write(tmp_path / "nan.wav", 2.0, sound=np.where(np.arange(16000) == 5, np.nan, 0.1))
    (tmp_path / "text.wav").write_text("no sound")
    found = {
        "silent": "all 16000 samples read are 0",
        "nan": "1 samples are NaN",
        "text": "",
        "missing": "no such file",
    }
    for name, said in found.items():
        with pytest.raises(DataError) as caught:
            read_span(tmp_path / f"{name}.wav", FORM)
        assert said in caught.value.found and f"{name}.wav" in caught.value.asked


def test_of_eight_hours_no_more_than_a_clip_is_held(tmp_path):
    path, n_bytes = tmp_path / "shift.wav", 2 * 8 * 3600 * RATE_HZ
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    head = (
        struct.pack("<4sI4s", b"RIFF", 36 + n_bytes, b"WAVE") + form + struct.pack("<4sI", b"data", n_bytes)
    )
    with path.open("wb") as stream:
        stream.write(head)
        # a hole on the disk, and sound in it at seven hours
        stream.seek(len(head) + 2 * 7 * 3600 * RATE_HZ)
        stream.write(np.arange(-8000, 8000, dtype="<i2").tobytes())
        stream.truncate(len(head) + n_bytes)
    with pytest.raises(DataError) as caught:
        read_span(path, FORM)
    assert "28800 s" in caught.value.found and "--from SECONDS (up to 28798)" in caught.value.remedy
    tracemalloc.start()
    audio, span = read_span(path, FORM, 7 * 3600.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert span == Span(25200.0, 25202.0) and audio.samples[-1] > audio.samples[0]
    assert most < 8 * PIECE < n_bytes / 10
