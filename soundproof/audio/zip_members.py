"""Files of a data set wherever they lie: in a folder, or in zip archives that are read without unpacking."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from soundproof.audio.wav_header import states_no_length
from soundproof.core.errors import DataError

HEAD_BYTES = 65_536
"""More than any WAV header; all that is inflated where only the header is wanted."""


@dataclass(frozen=True)
class PackedFile:
    """A member of a zip archive."""

    archive: Path
    member: str

    def __str__(self) -> str:
        return f"'{self.member}' in {self.archive}"

    @property
    def suffix(self) -> str:
        """Ending of the name, with the dot."""
        return Path(self.member).suffix

    def content(self) -> bytes:
        """Inflate the whole member and compare its CRC-32.

        Raises:
            DataError: The archive is damaged.
        """
        return self._read(-1)

    def head(self) -> _Head:
        """Inflate no more than :data:`HEAD_BYTES`.

        Raises:
            DataError: The archive is damaged.
        """
        n_bytes = _archive(self.archive).getinfo(self.member).file_size
        return _Head(self._read(HEAD_BYTES), n_bytes)

    def _read(self, n_bytes: int) -> bytes:
        try:
            with _archive(self.archive).open(self.member) as stream:
                return stream.read(n_bytes)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            raise _damaged(self.archive, f"'{self.member}': {error}") from error


class _Head(io.BytesIO):
    """The first bytes of a file, at whose end a reader finds the end of the whole file."""

    def __init__(self, head: bytes, n_bytes: int) -> None:
        super().__init__(head)
        self._n_bytes = n_bytes

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return super().seek(self._n_bytes + offset) if whence == os.SEEK_END else super().seek(offset, whence)


Source = Path | PackedFile
"""Where a file is."""

Files = Mapping[str, Source]
"""Files by their place: the path below the folder, or within the archive."""


def files_of(*roots: Path) -> Files:
    """Return the files of folders and zip archives in the order of their places.

    Hidden files, and what archivers of macOS add, are passed over.

    Raises:
        DataError: A root is neither folder nor zip, or two roots hold the same place.
    """
    found: dict[str, Source] = {}
    for root in roots:
        held = _in_folder(root) if root.is_dir() else _in_archive(root)
        twice = sorted(found.keys() & held.keys())
        if twice:
            raise DataError(
                f"one file per place in {', '.join(map(str, roots))}",
                f"{len(twice)} are there twice, first '{twice[0]}'",
                "keep one of the copies",
            )
        found |= held
    return dict(sorted(found.items()))


def content(source: Source) -> bytes:
    """Read a whole file.

    Raises:
        DataError: It cannot be read.
    """
    if isinstance(source, PackedFile):
        return source.content()
    try:
        return source.read_bytes()
    except OSError as error:
        raise DataError(f"the file {source}", str(error), "fetch or unpack it again") from error


def refuse_cut_off(source: Source, stream: IO[bytes] | None = None) -> None:
    """Refuse a WAV file that is shorter than its own header says; decoders read what is left without a word.

    Other formats pass, and so do headers that were written before the length was known (by a pipe, say).

    Args:
        source: The file.
        stream: The file, or its beginning, where it is open already.

    Raises:
        DataError: The file is cut off.
    """
    if stream is None:
        with source.head() if isinstance(source, PackedFile) else source.open("rb") as opened:
            refuse_cut_off(source, opened)
        return
    held = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    start = stream.read(12)
    stated = int.from_bytes(start[4:8], "little") + 8
    is_wav = start[:4] == b"RIFF" and start[8:] == b"WAVE"
    if is_wav and held < stated and not states_no_length(stated - 8):
        found = f"{held} of the {stated} bytes that its header states"
        raise DataError(f"the recording {source}", found, "it is cut off: fetch, unpack or record it again")


def _hidden(place: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in place.split("/"))


def _in_folder(root: Path) -> dict[str, Source]:
    places = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {place: path for place, path in places.items() if not _hidden(place)}


def _in_archive(root: Path) -> dict[str, Source]:
    if not root.is_file():
        raise DataError(f"the files of {root}", "neither a folder nor a zip archive", "download it first")
    names = [info.filename for info in _archive(root).infolist() if not info.is_dir()]
    return {name: PackedFile(root, name) for name in names if not _hidden(name)}


def _archive(path: Path) -> zipfile.ZipFile:
    stat = path.stat()
    return _opened(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _opened(path: Path, n_bytes: int, modified_ns: int) -> zipfile.ZipFile:
    """Open an archive once: its directory is read for each opening; size and time tell a changed one."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, found: str) -> DataError:
    return DataError(f"the archive {path}", found, "delete it and fetch it again")
