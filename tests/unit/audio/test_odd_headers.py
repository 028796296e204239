"""Files whose header does not state how long they are, written byte by byte as pipes and power losses do."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundproof.audio.reading import audio_info, read_audio
from soundproof.audio.zip_members import PackedFile
from soundproof.core.errors import DataError

RATE = 8_000
SOUND = np.random.default_rng(3).integers(-9_000, 9_000, 16_000).astype("<i2")
BODY = SOUND.tobytes()
EXPECTED = SOUND / np.float32(32_768)
LIST = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


def layout(n_channels: int = 1, tag: int = 1, bits: int = 16) -> bytes:
    frame = n_channels * bits // 8
    return struct.pack("<HHIIHH", tag, n_channels, RATE, RATE * frame, frame, bits)


def wav(riff: int, data: int, body: bytes = BODY, after: bytes = b"", fmt: bytes | None = None) -> bytes:
    content = fmt or layout()
    head = b"fmt " + struct.pack("<I", len(content)) + content + b"data" + struct.pack("<I", data)
    return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + head + body + after


def flac(sound: np.ndarray, total: int | None = None, **options: object) -> bytes:
    """A FLAC file whose header states ``total`` samples; by default what is true."""
    stream = io.BytesIO()
    soundfile.write(stream, sound, RATE, format="FLAC", **options)
    content = bytearray(stream.getvalue())
    if total is not None:
        content[21] = content[21] & 0xF0 | total >> 32
        content[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(content)


def read(path: Path) -> np.ndarray:
    assert audio_info(path).n_samples == len(SOUND)
    whole = read_audio(path).samples
    # a piece from the middle is the middle of the whole
    np.testing.assert_array_equal(read_audio(path, start=9_000, n_samples=500).samples, whole[9_000:9_500])
    return whole


RIFF = 36 + len(BODY)


@pytest.mark.parametrize(
    "content",
    [
        wav(RIFF, len(BODY)),
        # never completed: the sizes that the writer put there at first
        wav(0, 0),
        wav(36, 0),
        wav(8, 0),
        # pipes: ffmpeg, sox, and writers that note the largest signed number
        wav(0xFFFFFFFF, 0xFFFFFFFF),
        wav(0x7FFFF024, 0x7FFFF000),
        wav(0x7FFFFFFF, 0x7FFFFFFF - 36),
        # an odd byte that a writer lost power after
        wav(0, 0, BODY + b"\1"),
        # what may follow the sound is not sound
        wav(RIFF + len(LIST), len(BODY), after=LIST),
        wav(RIFF, len(BODY), after=b"TAG" + b"\0" * 125),
        wav(36, 0, fmt=layout() + b"\0\0"),
    ],
)
def test_what_is_there_is_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    np.testing.assert_array_equal(read(path), EXPECTED)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(path, "a.wav")
    member = PackedFile(tmp_path / "a.zip", "a.wav")
    assert audio_info(member).n_samples == len(SOUND)
    np.testing.assert_array_equal(read_audio(member).samples, EXPECTED)


@pytest.mark.parametrize(
    ("tag", "bits", "kind"),
    [
        (1, 8, "PCM_U8"),
        (1, 24, "PCM_24"),
        (1, 32, "PCM_32"),
        (3, 32, "FLOAT"),
        (3, 64, "DOUBLE"),
        (7, 8, "ULAW"),
    ],
)
def test_an_uncompleted_header_of_every_coding_and_two_channels(
    tag: int, bits: int, kind: str, tmp_path: Path
) -> None:
    sound = np.stack([EXPECTED, EXPECTED[::-1]], axis=1)
    stream = io.BytesIO()
    soundfile.write(stream, sound, RATE, format="WAV", subtype=kind)
    content = stream.getvalue()
    start = content.index(b"data") + 8
    n_bytes = int.from_bytes(content[start - 4 : start], "little")
    (tmp_path / "whole.wav").write_bytes(content)
    body = content[start : start + n_bytes]
    (tmp_path / "open.wav").write_bytes(wav(0, 0, body, fmt=layout(2, tag, bits)))
    assert audio_info(tmp_path / "open.wav") == audio_info(tmp_path / "whole.wav")
    for channel in (0, 1):
        got = read_audio(tmp_path / "open.wav", channel).samples
        np.testing.assert_array_equal(got, read_audio(tmp_path / "whole.wav", channel).samples)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # half of the sound is beyond what the header states, and nothing says what it is
        (wav(36 + 8_000, 8_000), "32000 bytes after a header that states 8000"),
        (wav(RIFF, len(BODY) - 2_000), "32000 bytes after a header that states 30000"),
        (wav(0, len(BODY) + 4_000), "32000 of the 36000 bytes of sound"),
        (wav(RIFF, len(BODY), BODY[:-1_000]), "31044 of the 32044 bytes"),
        (wav(36, 0, b""), "no samples"),
        (wav(36 + len(LIST), 0, b"", after=LIST), "no samples"),
        (wav(0, 0, fmt=layout(1, 2, 4)), "tag 2, 4 bits"),
        (wav(0, 0, fmt=layout(0)), "no length in its header"),
        (flac(EXPECTED, 0)[:-100], "no length in its header"),
        (flac(EXPECTED, 0)[:60], "no length in its header"),
        (flac(EXPECTED)[:20_000], "cut off"),
        (flac(EXPECTED, 5_000), "states 5000 samples, and a last frame that ends with sample 16000"),
        (flac(EXPECTED, 20_000), "states 20000 samples, and a last frame that ends with sample 16000"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd.{'flac' if content[:4] == b'fLaC' else 'wav'}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"(?s)odd\.(wav|flac).*{said}"):
        audio_info(path)
        read_audio(path)


@pytest.mark.parametrize("n_samples", [1, 15, 4_095, 4_096, 4_097, 16_000, 600_000])
@pytest.mark.parametrize("n_channels", [1, 2, 8])
def test_a_flac_of_unknown_length_is_read_whole(n_samples: int, n_channels: int, tmp_path: Path) -> None:
    if n_samples * n_channels > 2_000_000:
        pytest.skip("the length alone matters")
    sound = np.random.default_rng(n_samples).uniform(-0.5, 0.5, (n_samples, n_channels))
    true = flac(sound)
    (tmp_path / "true.flac").write_bytes(true)
    for name, content in (("open", flac(sound, 0)), ("tagged", flac(sound, 0) + b"TAG" + b"x" * 125)):
        (tmp_path / f"{name}.flac").write_bytes(content)
        assert audio_info(tmp_path / f"{name}.flac").n_samples == n_samples
        if n_samples > 1:
            expected = read_audio(tmp_path / "true.flac").samples
            np.testing.assert_array_equal(read_audio(tmp_path / f"{name}.flac").samples, expected)


def test_a_promise_of_a_trillion_samples_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.flac"
    path.write_bytes(flac(EXPECTED, (1 << 36) - 1))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"big\.flac"):
        read_audio(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def sparse(path: Path, riff: int, data: int, n_bytes: int, last: bytes, after: bytes = b"") -> Path:
    """A WAV whose sound takes ``n_bytes``, of which the disk holds the end alone."""
    with path.open("wb") as stream:
        stream.write(wav(riff & 0xFFFFFFFF, data & 0xFFFFFFFF, b""))
        stream.seek(44 + n_bytes - len(last))
        stream.write(last + after)
    if path.stat().st_blocks * 512 > 10_000_000:
        path.unlink()
        pytest.skip("this file system keeps no holes")
    return path


@pytest.mark.parametrize("after", [b"", LIST])
@pytest.mark.parametrize("stated", ["wrapped", "0", "unknown"])
def test_sound_beyond_four_gigabytes_is_read(after: bytes, stated: str, tmp_path: Path) -> None:
    n_bytes = (1 << 32) + 5_000_000
    size = {"wrapped": n_bytes, "0": 0, "unknown": 0xFFFFFFFF}[stated]
    if after and stated != "wrapped":
        pytest.skip("nothing tells a chunk from sound where no length is stated")
    path = sparse(tmp_path / "long.wav", size + 36, size, n_bytes, BODY, after)
    assert audio_info(path).n_samples == n_bytes // 2
    end = read_audio(path, start=n_bytes // 2 - len(SOUND), n_samples=len(SOUND)).samples
    np.testing.assert_array_equal(end, EXPECTED)
    path.unlink()


def test_rf64_says_its_length_in_another_place(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", EXPECTED, RATE, format="RF64", subtype="PCM_16")
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), EXPECTED)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:-4_000])
    with pytest.raises(DataError, match=r"(?s)a\.wav.*28000 of the 32000"):
        audio_info(tmp_path / "a.wav")
    place = content.index(b"ds64") + 8
    unknown = content[:place] + b"\xff" * 24 + content[place + 24 :]
    (tmp_path / "a.wav").write_bytes(unknown)
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), EXPECTED)
