from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from soundproof.core.errors import DataError, DownloadError, StorageError
from soundproof.downloads import archive as archive_module
from soundproof.downloads.archive import unpack

LIMIT = 1_000_000
Pack = Callable[[Path, dict[str, bytes]], Path]


def pack_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def pack_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


both = pytest.mark.parametrize("pack", [pack_zip, pack_tar])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@both
def test_members_arrive_as_packed(pack: Pack, tmp_path: Path) -> None:
    members = {"data/a.pt": b"1", "data/sub/-b ö.pt": b"22", "c": b""}
    assert tree(unpack(pack(tmp_path / "p", members), tmp_path / "out", LIMIT)) == members
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "p"]


@both
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:\\evil", "C:evil", "\\\\host\\share\\evil"]
)
def test_a_member_that_leaves_the_folder_is_refused(pack: Pack, name: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    packed = pack(tmp_path / "p", {"good": b"1", name: b"2"})
    with pytest.raises(DataError, match="outside the folder"):
        unpack(packed, inner / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p", "w") as packed:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "p", "w") as packed:
        info = tarfile.TarInfo("odd")
        info.type, info.linkname = kind, "good"
        packed.addfile(info)
    with pytest.raises(DataError, match="link or a device"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)


@both
def test_a_bomb_is_refused_before_a_byte_is_written(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "p", {"a": bytes(LIMIT), "b": b"1"})
    assert packed.stat().st_size < LIMIT // 100
    with pytest.raises(DataError, match=f"{LIMIT + 1} bytes"):
        unpack(packed, tmp_path / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}
    assert unpack(packed, tmp_path / "out", LIMIT + 1).is_dir()


@both
def test_a_flood_of_members_is_refused(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_MEMBERS", 3)
    packed = pack(tmp_path / "p", dict.fromkeys("abcd", b""))
    with pytest.raises(DataError, match="4 members"):
        unpack(packed, tmp_path / "out", LIMIT)


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p", "w") as packed:
        packed.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("a", b"2")
    with pytest.raises(DataError, match="twice"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)


@both
def test_a_file_that_is_also_a_folder_is_refused_and_cleared_away(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "p", {"a": b"1", "a/b": b"2"})
    with pytest.raises(DataError):
        unpack(packed, tmp_path / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}


@both
def test_a_damaged_archive_is_a_data_error(pack: Pack, tmp_path: Path) -> None:
    packed = pack(tmp_path / "p", {"a": os.urandom(10_000)})
    packed.write_bytes(packed.read_bytes()[:5_000])
    with pytest.raises(DataError, match="archive"):
        unpack(packed, tmp_path / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}


def test_a_member_that_fails_its_checksum_is_a_data_error(tmp_path: Path) -> None:
    packed = pack_zip(tmp_path / "p", {"a": b"1", "b": os.urandom(10_000)})
    body = bytearray(packed.read_bytes())
    body[len(body) // 2] ^= 0xFF
    packed.write_bytes(body)
    with pytest.raises(DataError, match="CRC"):
        unpack(packed, tmp_path / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}


def test_something_else_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("<html>sign in</html>")
    with pytest.raises(DataError, match="neither zip nor tar"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)


@both
def test_leftovers_of_an_interrupted_run_are_replaced(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "out.unpacking").mkdir()
    (tmp_path / "out.unpacking" / "half").write_bytes(b"x")
    packed = pack(tmp_path / "p", {"a": b"1"})
    assert tree(unpack(packed, tmp_path / "out", LIMIT)) == {"a": b"1"}
    packed.unlink()
    assert unpack(packed, tmp_path / "out", LIMIT) == tmp_path / "out"


def test_a_full_disk_is_noticed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2))
    with pytest.raises(DownloadError, match="free"):
        unpack(pack_zip(tmp_path / "p", {"a": b"123"}), tmp_path / "out", LIMIT)


def test_a_disk_that_fills_up_meanwhile_is_named(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # another program takes the room between the check and the writing
    monkeypatch.setattr(archive_module, "require_room", lambda path, n_bytes: None)
    packed = pack_zip(tmp_path / "p", {"a": b"1", "b": os.urandom(400_000)})
    with pytest.raises(StorageError, match="the disk is full"):
        unpack(packed, small_disk / "out", LIMIT)
    assert list(small_disk.iterdir()) == []


def test_a_zip_that_understates_its_sizes_is_refused(tmp_path: Path) -> None:
    packed = pack_zip(tmp_path / "p", {"a": bytes(500_000)})
    body = packed.read_bytes()
    size = (500_000).to_bytes(4, "little")
    assert body.count(size) == 2  # the member's own header, and the directory at the end
    packed.write_bytes(body.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(DataError, match="CRC"):
        unpack(packed, tmp_path / "out", 1_000)
    assert tree(tmp_path).keys() == {"p"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_header_as_large_as_the_memory_is_refused_unread(kind: bytes, tmp_path: Path) -> None:
    # 64 GB of attributes, of which the archive holds none: whoever allocates first and looks later is gone
    header = tarfile.TarInfo("attributes")
    header.type, header.size = kind, 1 << 36
    with tarfile.open(tmp_path / "p", "w", format=tarfile.GNU_FORMAT) as packed:
        good = tarfile.TarInfo("a")
        packed.addfile(good)
        packed.fileobj.write(header.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(DataError, match="a header of 68719476736 bytes"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()


def test_long_names_within_reason_are_taken(tmp_path: Path) -> None:
    name = "/".join(["folder-" + "x" * 90] * 3) + "/clip.wav"
    assert tree(unpack(pack_tar(tmp_path / "p", {name: b"1"}), tmp_path / "out", LIMIT)) == {name: b"1"}


@both
@pytest.mark.parametrize("name", ["x" * 300, "deep/" * 3000 + "x"], ids=["long", "deep"])
def test_a_name_that_no_disk_holds_is_refused(pack: Pack, name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="archive"):
        unpack(pack(tmp_path / "p", {"good": b"1", name: b"2"}), tmp_path / "out", LIMIT)
    assert tree(tmp_path).keys() == {"p"}


@both
@pytest.mark.parametrize(
    "name", ["$(touch pwned).wav", "--help.wav", "; rm -rf x", "a\nb.wav", "Ω \u202egnp.wav"]
)
def test_odd_names_are_names_and_nothing_else(pack: Pack, name: str, tmp_path: Path) -> None:
    assert tree(unpack(pack(tmp_path / "p", {name: b"1"}), tmp_path / "out", LIMIT)) == {name: b"1"}


def test_modes_and_owners_of_a_tar_are_not_taken_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "p", "w") as packed:
        info = tarfile.TarInfo("a")
        info.mode, info.uid, info.gid, info.mtime = 0o6777, 4242, 4242, 1 << 33
        packed.addfile(info)
    found = (unpack(tmp_path / "p", tmp_path / "out", LIMIT) / "a").stat()
    assert not found.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)
    assert found.st_uid == os.getuid() and found.st_mtime < 1 << 32


def test_a_sparse_file_counts_as_what_it_would_become(tmp_path: Path) -> None:
    # a gigabyte of nothing in two blocks, in the old GNU form
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"%011o\0" % (1 << 30)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "p").write_bytes(bytes(header) + bytes(2 * 512))
    with pytest.raises(DataError, match=f"{1 << 30} bytes"):
        unpack(tmp_path / "p", tmp_path / "out", LIMIT)
