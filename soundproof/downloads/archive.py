"""Unpack archives from elsewhere without trusting what they say."""

from __future__ import annotations

import errno
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Self

from soundproof.core.errors import DataError
from soundproof.downloads.locks import path_lock
from soundproof.downloads.transfer import require_room
from soundproof.storage.files import storage_errors

MOST_MEMBERS = 500_000
"""Bound of the number of members: small files exhaust a disk's index long before its bytes."""

# The last two: one member's name is another's folder, or names differ in case only on a disk that does not.
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    FileExistsError,
    NotADirectoryError,
)

_UNFIT_NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
"""What a file system says of names that it cannot hold."""

_LONGEST_HEADER = 1 << 20
"""Bytes of a tar header's long names and attributes; tarfile holds them in memory, whatever the header says."""


@dataclass(frozen=True)
class _Member:
    name: str
    n_bytes: int
    is_folder: bool
    is_file: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, limit_bytes: int) -> Path:
    """Unpack a zip or (compressed) tar archive into a new folder.

    Everything is checked before the first byte is written, and the folder appears under its name only when
    complete. An existing ``folder`` is therefore complete and returned as it is. That the archive is the
    right one is the checksum's business, before this.

    Args:
        archive: The archive.
        folder: Folder to make.
        limit_bytes: Total size of the members that is still believed.

    Raises:
        DataError: The archive cannot be read, is larger than the limit, or has a member that is absolute,
            leaves the folder, occurs twice, is encrypted, or is anything but a file or a folder.
        DownloadError: The disk has no room for it.
        StorageError: The disk filled up meanwhile, or the folder cannot be written.
    """
    with path_lock(folder):
        return folder if folder.exists() else _unpack(archive, folder, limit_bytes)


def _unpack(archive: Path, folder: Path, limit_bytes: int) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacking = folder.with_name(f"{folder.name}.unpacking")
    shutil.rmtree(unpacking, ignore_errors=True)
    try:
        with storage_errors(unpacking), _members(archive) as members:
            targets = _checked(archive, members, limit_bytes)
            require_room(folder, sum(member.n_bytes for member, _ in targets))
            unpacking.mkdir()
            for member, path in targets:
                _write(member, unpacking / path)
        unpacking.replace(folder)
    except _UNREADABLE as error:
        raise DataError(f"the archive {archive}", str(error), "delete it and fetch it again") from error
    except OSError as error:
        if error.errno not in _UNFIT_NAMES:
            raise
        raise DataError(f"the archive {archive}", str(error), "do not trust it; delete it") from error
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
    return folder


class _BoundedHeader(tarfile.TarInfo):
    """A header of which no part may be so large that reading it fills the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if not header.isfile() and not header.isdir() and header.size > _LONGEST_HEADER:
            raise DataError(
                "an archive",
                f"a header of {header.size} bytes (limit: {_LONGEST_HEADER})",
                "do not trust it; delete it",
            )
        return header


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield _zip_members(packed, archive)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive, tarinfo=_BoundedHeader) as packed_tar:
            yield _tar_members(packed_tar)
    else:
        raise DataError(f"the archive {archive}", "neither zip nor tar", "delete it and fetch it again")


def _zip_members(packed: zipfile.ZipFile, archive: Path) -> Iterator[_Member]:
    for info in packed.infolist():
        if info.flag_bits & 0x1:
            raise _unusable(archive, info.filename, "is encrypted")
        # The upper half holds the Unix mode; archivers of other systems leave its type bits at zero.
        kind = stat.S_IFMT(info.external_attr >> 16)
        is_folder = info.filename.endswith(("/", "\\"))
        is_file = not is_folder and kind in (0, stat.S_IFREG)
        yield _Member(info.filename, info.file_size, is_folder, is_file, _zip_opener(packed, info))


def _zip_opener(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: packed.open(info)


def _tar_members(packed: tarfile.TarFile) -> Iterator[_Member]:
    for info in packed:
        yield _Member(info.name, info.size, info.isdir(), info.isreg(), _tar_opener(packed, info))


def _tar_opener(packed: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_member() -> IO[bytes]:
        stream = packed.extractfile(info)
        if stream is None:
            raise tarfile.ExtractError(f"{info.name} has no content")
        return stream

    return open_member


def _checked(
    archive: Path, members: Iterator[_Member], limit_bytes: int
) -> list[tuple[_Member, PurePosixPath]]:
    """Return the files with their places; sums as it goes, so that a bomb is not read to its end."""
    n_bytes, n_members = 0, 0
    files: dict[PurePosixPath, _Member] = {}
    for member in members:
        n_members += 1
        n_bytes += member.n_bytes
        if n_bytes > limit_bytes or n_members > MOST_MEMBERS:
            raise DataError(
                f"the archive {archive}",
                f"{n_bytes} bytes or more in {n_members} members (limits: {limit_bytes}, {MOST_MEMBERS})",
                "delete it: it is not the archive that it should be",
            )
        path = place_inside(archive, member.name)
        if member.is_folder:
            continue
        if not member.is_file or not path.parts:
            raise _unusable(archive, member.name, "is a link or a device")
        if path in files:
            raise _unusable(archive, member.name, "occurs twice")
        files[path] = member
    return [(member, path) for path, member in files.items()]


def place_inside(archive: Path | str, name: str) -> PurePosixPath:
    """Return a member's place below a folder; archives made on Windows may separate with backslashes.

    Raises:
        DataError: It would be written outside the folder.
    """
    windows = PureWindowsPath(name)
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or windows.drive or ".." in path.parts or "\x00" in name:
        raise _unusable(archive, name, "would be written outside the folder")
    return path


def _unusable(archive: Path | str, name: str, what: str) -> DataError:
    return DataError(f"the archive {archive}", f"member '{name}' {what}", "do not trust it; delete it")


def _write(member: _Member, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source, path.open("xb") as target:
        shutil.copyfileobj(source, target, length=1 << 20)
