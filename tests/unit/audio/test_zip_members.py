from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import soundfile

from soundproof.audio.reading import audio_info, read_audio
from soundproof.audio.zip_members import PackedFile, content, files_of, refuse_cut_off
from soundproof.core.errors import DataError

SOUND = np.random.default_rng(0).normal(0, 0.1, (50_000, 8))


def wav(sound=SOUND, kind="WAVEX"):
    stream = io.BytesIO()
    soundfile.write(stream, sound, 16_000, format=kind, subtype="PCM_16")
    return stream.getvalue()


def pack(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for place, body in files.items():
            archive.writestr(place, body)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_a_recording_in_a_zip_is_the_recording_in_the_folder(method, kind, tmp_path):
    (tmp_path / "folder/fan").mkdir(parents=True)
    (tmp_path / "folder/fan/a.wav").write_bytes(wav(kind=kind))
    pack(tmp_path / "a.zip", {"fan/": b"", "fan/a.wav": wav(kind=kind)}, method)
    plain, packed = files_of(tmp_path / "folder"), files_of(tmp_path / "a.zip")
    assert list(plain) == list(packed) == ["fan/a.wav"]
    source = packed["fan/a.wav"]
    assert audio_info(source) == audio_info(plain["fan/a.wav"])
    assert audio_info(source).n_samples == 50_000
    assert audio_info(source).n_channels == 8
    for piece in ({}, {"channel": 3, "start": 1234, "n_samples": 99}):
        assert np.array_equal(
            read_audio(source, **piece).samples, read_audio(plain["fan/a.wav"], **piece).samples
        )


def test_the_header_alone_is_inflated_for_the_header(tmp_path, monkeypatch):
    pack(tmp_path / "a.zip", {"a.wav": wav()})
    read = []
    original = zipfile.ZipExtFile.read

    def counted(self, n=-1):
        data = original(self, n)
        read.append(len(data))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    assert audio_info(PackedFile(tmp_path / "a.zip", "a.wav")).n_samples == 50_000
    assert sum(read) <= 2 * 65_536 < len(wav())


def test_other_formats_are_decoded_from_a_zip_too(tmp_path):
    stream = io.BytesIO()
    soundfile.write(stream, SOUND[:, 0], 16_000, format="OGG")
    source = files_of(pack(tmp_path / "a.zip", {"a.ogg": stream.getvalue()}))["a.ogg"]
    assert audio_info(source).n_samples == read_audio(source).samples.size == 50_000


def test_a_damaged_member_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", {"a.wav": wav()}, zipfile.ZIP_STORED)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0xFF
    path.write_bytes(body)
    with pytest.raises(DataError, match=r"a\.wav.*CRC"):
        read_audio(PackedFile(path, "a.wav"))


def test_a_changed_archive_is_read_anew(tmp_path):
    path = pack(tmp_path / "a.zip", {"a.txt": b"one"})
    assert content(files_of(path)["a.txt"]) == b"one"
    pack(path, {"a.txt": b"three"})
    assert content(files_of(path)["a.txt"]) == b"three"


def test_several_roots_are_one_tree_without_what_archivers_add(tmp_path):
    first = pack(tmp_path / "1.zip", {"b.wav": b"", "__MACOSX/._b.wav": b"", ".DS_Store": b""})
    (tmp_path / "2").mkdir()
    (tmp_path / "2/a.wav").write_bytes(b"")
    assert list(files_of(first, tmp_path / "2")) == ["a.wav", "b.wav"]
    with pytest.raises(DataError, match=r"there twice, first 'b\.wav'"):
        files_of(first, first)


def test_what_is_no_zip_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"<html>too many requests</html>")
    with pytest.raises(DataError, match=r"a\.zip"):
        files_of(tmp_path / "a.zip")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        files_of(tmp_path / "nowhere")


def test_a_wav_shorter_than_its_header_says_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav()[:-2])
    with pytest.raises(DataError, match=f"{len(wav()) - 2} of the {len(wav())} bytes"):
        refuse_cut_off(path)
    packed = files_of(pack(tmp_path / "a.zip", {"a.wav": wav()[:-2]}))["a.wav"]
    with pytest.raises(DataError, match="cut off"):
        audio_info(packed)


@pytest.mark.parametrize("stated", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_header_written_before_the_length_was_known_is_believed(stated, tmp_path):
    body = wav()
    path = tmp_path / "a.wav"
    path.write_bytes(body[:4] + stated.to_bytes(4, "little") + body[8:])
    assert audio_info(path).n_samples == 50_000
