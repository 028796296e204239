"""What records have told about files whose size or checksum the catalogue does not know.

``config/datasets.lock.json`` is committed: whoever reads a record first settles it for all others, and a record
that tells something else later is an error, not an update.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from soundproof.core.errors import DataError, DownloadError
from soundproof.downloads.catalogue.place import place_of
from soundproof.downloads.locks import path_lock
from soundproof.downloads.remote_file import RemoteFile
from soundproof.storage.files import whole_file

PATH = place_of("datasets.lock.json")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a record tells about one file.

    Attributes:
        url: Address of the record.
        n_bytes: Size.
        md5: Hexadecimal MD5.
        licence: Identifier of the record's licence, empty where it names none.
        date: Day on which the record was read, ISO 8601.
    """

    url: str
    n_bytes: int
    md5: str
    licence: str = ""
    date: str = ""

    @classmethod
    def today(cls, **facts: Any) -> Told:
        """What was read just now."""
        return cls(**facts, date=datetime.datetime.now(datetime.UTC).date().isoformat())


class Lock:
    """The committed file of what records have told.

    Args:
        path: The file; need not exist.
    """

    def __init__(self, path: Path = PATH) -> None:
        self.path = path

    def complete(self, remote: RemoteFile) -> RemoteFile:
        """Fill in size and MD5 of a file in a record, where they were told before.

        Raises:
            DownloadError: The catalogue states another size or MD5.
            DataError: The lock cannot be read.
        """
        told = self._read().get(_key(remote)) if remote.record is not None else None
        return remote if told is None else agreeing(remote, told, f"the lock {self.path}")

    def pin(self, told: Iterable[tuple[RemoteFile, Told]]) -> None:
        """Add what a record has told just now; what stands there already must be the same.

        Raises:
            DownloadError: The record told something else before; the message names both.
            DataError: The lock cannot be read.
            StorageError: The lock cannot be written.
        """
        with path_lock(self.path):
            known = self._read()
            for remote, now in told:
                before = known.setdefault(_key(remote), now)
                if (before.n_bytes, before.md5) != (now.n_bytes, now.md5):
                    raise DownloadError(
                        f"{remote.name} as it was on {before.date}",
                        f"record {remote.record} now lists {_shown(now)} instead of {_shown(before)}",
                        f"find out what changed in {now.url}; to accept the new file, delete its entry in "
                        f"{self.path.name}",
                    )
            rows = {key: asdict(known[key]) for key in sorted(known)}
            with whole_file(self.path) as partial:
                partial.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    def _read(self) -> dict[str, Told]:
        if not self.path.exists():
            return {}
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(key): Told(**row) for key, row in rows.items()}
        except (ValueError, TypeError, AttributeError) as error:
            remedy = "restore it from the repository"
            raise DataError(f"the lock {self.path}", f"cannot be read: {error}", remedy) from error


def agreeing(remote: RemoteFile, told: Told, where: str) -> RemoteFile:
    """Complete a file from what was told about it.

    Raises:
        DownloadError: The catalogue states another size or MD5.
    """
    for what, ours, theirs in (("bytes", remote.n_bytes, told.n_bytes), ("md5", remote.md5, told.md5)):
        if ours is not None and ours != theirs:
            raise DownloadError(
                f"{remote.name} of {what} {ours}, as the catalogue states",
                f"{theirs} in {where}",
                "find out which one is right; the catalogue is config/datasets.yaml",
            )
    return replace(remote, n_bytes=told.n_bytes, md5=told.md5)


def _key(remote: RemoteFile) -> str:
    return f"zenodo-{remote.record}/{remote.name}"


def _shown(told: Told) -> str:
    return f"{told.n_bytes} bytes, md5 {told.md5}"
