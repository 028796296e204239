from __future__ import annotations

import hashlib
import io
import random
import zipfile
from pathlib import Path

import pytest
from toys.http_server import FileServer, ignore_range, lie_about_range, refuse, truncate

from soundproof.core.errors import DataError, DownloadError
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.remote_zip import Member, fetch_members
from soundproof.downloads.request import Timeouts
from soundproof.downloads.retry_policy import Policy

NAME = "-6_dB_fan.zip"
POLICY = Policy(attempts=3, timeouts=Timeouts(5.0, 0.5), sleep=lambda seconds: None)
CLIPS = {f"fan/id_00/normal/{n:08d}.wav": random.Random(n).randbytes(40_000) for n in range(50)}


def packed(method: int, files: dict[str, bytes] | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.mkdir("fan")
        for name, content in (files or CLIPS).items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    return stream.getvalue()


def served(site: FileServer, body: bytes) -> RemoteFile:
    site.files[NAME] = body
    return RemoteFile(NAME, (site.url(NAME),), len(body), hashlib.md5(body).hexdigest())


def first(n: int):
    return lambda members: members[:n]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_fetched_without_the_rest(site: FileServer, tmp_path: Path, method: int) -> None:
    remote = served(site, packed(method))
    seen: list[Member] = []

    def two(members):
        seen.extend(members)
        return [members[30], members[3]]

    paths = fetch_members(remote, two, tmp_path / "fan", POLICY)
    assert [path.read_bytes() for path in paths] == [CLIPS[seen[30].name], CLIPS[seen[3].name]]
    assert paths[0] == tmp_path / "fan" / "fan/id_00/normal/00000030.wav"
    assert [member.name for member in seen] == list(CLIPS)
    assert [member.n_bytes for member in seen] == [40_000] * 50
    # the end with the directory, then one request per member that does not lie in it
    assert len(site.requests) <= 3 and all(site.ranges())


def test_what_was_fetched_needs_no_network(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = packed(zipfile.ZIP_STORED)
    remote = served(site, body)
    fetch_members(remote, first(4), tmp_path / "fan", POLICY)
    asked = len(site.requests)
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    assert len(fetch_members(remote, first(4), tmp_path / "fan", POLICY)) == 4
    with pytest.raises(DownloadError) as caught:
        fetch_members(remote, first(5), tmp_path / "fan", POLICY)
    assert str(tmp_path / NAME) in caught.value.remedy and str(len(body)) in caught.value.remedy
    (tmp_path / NAME).write_bytes(body)
    assert len(fetch_members(remote, first(5), tmp_path / "fan", POLICY)) == 5
    assert len(site.requests) == asked


def test_a_large_directory_and_a_size_unknown_before(site: FileServer, tmp_path: Path) -> None:
    many = {f"{'long' * 40}/{n:06d}.wav": b"x" * 10 for n in range(6_000)}
    body = packed(zipfile.ZIP_STORED, many)
    site.files[NAME] = body
    remote = RemoteFile(NAME, (site.url(NAME),), md5="0" * 32)
    (path,) = fetch_members(remote, lambda members: [members[5_999]], tmp_path / "m", POLICY)
    assert path.read_bytes() == b"x" * 10
    assert len(site.requests) < 8


def test_a_zip64_directory_is_read(site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the limit beyond which zipfile writes the 64-bit records, lowered so that a small file has them
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100_000)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
    body = packed(zipfile.ZIP_STORED)
    monkeypatch.undo()
    assert b"PK\x06\x06" in body
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (path,) = fetch_members(served(site, body), lambda members: [members[20]], tmp_path / "m", POLICY)
    assert path.read_bytes() == CLIPS["fan/id_00/normal/00000020.wav"]


@pytest.mark.parametrize("fault", [truncate(100), refuse(503), lie_about_range("bytes 0-99/123")])
def test_a_failed_request_is_repeated_or_given_up(site: FileServer, tmp_path: Path, fault) -> None:
    remote = served(site, packed(zipfile.ZIP_STORED))
    second = RemoteFile(NAME, (site.url(NAME), site.url(NAME)), remote.n_bytes, remote.md5)
    site.faults[NAME] = [fault]
    (path,) = fetch_members(second, first(1), tmp_path / "m", POLICY)
    assert path.read_bytes() == CLIPS["fan/id_00/normal/00000000.wav"]


def test_a_server_without_ranges_says_so(site: FileServer, tmp_path: Path) -> None:
    remote = served(site, packed(zipfile.ZIP_STORED))
    site.faults[NAME] = [ignore_range]
    with pytest.raises(DownloadError, match="no parts can be had"):
        fetch_members(remote, first(1), tmp_path / "m", POLICY)


def test_a_damaged_member_is_named_and_not_kept(site: FileServer, tmp_path: Path) -> None:
    body = bytearray(packed(zipfile.ZIP_STORED))
    at = bytes(body).index(CLIPS["fan/id_00/normal/00000000.wav"][:64])
    body[at] ^= 1
    with pytest.raises(DataError, match=r"00000000\.wav.*CRC"):
        fetch_members(served(site, bytes(body)), first(1), tmp_path / "m", POLICY)
    assert not list((tmp_path / "m").rglob("*.wav"))


def test_a_member_that_leads_out_of_the_folder_is_refused(site: FileServer, tmp_path: Path) -> None:
    remote = served(site, packed(zipfile.ZIP_STORED, {"../outside.wav": b"x"}))
    with pytest.raises(DataError, match="outside the folder"):
        fetch_members(remote, first(1), tmp_path / "m", POLICY)
    assert not (tmp_path / "outside.wav").exists()


def test_no_zip_at_all_is_named(site: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=NAME):
        fetch_members(served(site, b"no zip" * 100), first(1), tmp_path / "m", POLICY)
