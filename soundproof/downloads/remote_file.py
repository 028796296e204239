"""A file that lives elsewhere: where it is, how large it is, and how to tell that it is the right one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from soundproof.core.errors import DataError


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    A file with neither checksum is *pinned*: its first download is trusted, its size and SHA-256 are written
    beside it, and every later download must match them.

    Attributes:
        name: File name on disk.
        urls: Addresses of the same bytes, tried in order.
        n_bytes: Exact size, where known.
        md5: Hexadecimal MD5, where known (archives such as Zenodo publish no other).
        sha256: Hexadecimal SHA-256, where known.
        record: Zenodo record that lists the file, where there is one: it can tell size and MD5.
        terms: Whose it is and what its licence asks for, said before the first download.
    """

    name: str
    urls: tuple[str, ...]
    n_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    record: int | None = None
    terms: str = ""

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError(f"{self.name}: no address")
        if not self.name or Path(self.name).name != self.name:
            raise ValueError(f"{self.name}: a file name, not a path, is needed")

    @property
    def stem(self) -> str:
        """Name without the ending of an archive: that of the folder it is unpacked to."""
        return re.sub(r"\.(zip|tar\.gz|tgz)$", "", self.name)

    @property
    def is_known(self) -> bool:
        """Whether a checksum tells the right file from a wrong one."""
        return self.md5 is not None or self.sha256 is not None

    @property
    def checksums(self) -> dict[str, str]:
        """Checksums that are known, by algorithm, in lower case."""
        named = {"md5": self.md5, "sha256": self.sha256}
        return {algorithm: value.lower() for algorithm, value in named.items() if value is not None}

    def mismatch(self, path: Path) -> str | None:
        """Say in what ``path`` differs from this file, or None where it is this file.

        The size is looked at first, because it costs nothing.
        """
        n_bytes = path.stat().st_size
        if self.n_bytes not in (None, n_bytes):
            return self.differs(n_bytes, {})
        return self.differs(n_bytes, {algorithm: digest(path, algorithm) for algorithm in self.checksums})

    def differs(self, n_bytes: int, found: Mapping[str, str]) -> str | None:
        """Say in what a file of that size and those checksums differs from this one, or None."""
        if self.n_bytes not in (None, n_bytes):
            return f"{n_bytes} bytes instead of {self.n_bytes}"
        for algorithm, expected in self.checksums.items():
            if found[algorithm] != expected:
                return f"{algorithm} {found[algorithm]} instead of {expected}"
        return None

    @property
    def marks(self) -> str:
        """Size and checksums in words, as far as they are known."""
        marks = [f"{self.n_bytes} bytes"] if self.n_bytes is not None else ["size unknown"]
        marks += [f"{name} {value}" for name, value in self.checksums.items()] or ["no published checksum"]
        return ", ".join(marks)

    def by_hand(self, folder: Path) -> str:
        """Tell which file to put where when it cannot be fetched from here."""
        sources = " or ".join(self.urls)
        return (
            f"fetch {sources} by other means, place it at {folder / self.name} ({self.marks}), and run again"
        )


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file, read in bounded memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _pin_path(remote: RemoteFile, folder: Path) -> Path:
    return folder / f"{remote.name}.pin.json"


def pinned(remote: RemoteFile, folder: Path) -> RemoteFile:
    """Complete a file without checksum from the pin that its first download left.

    Raises:
        DataError: The pin cannot be read.
    """
    path = _pin_path(remote, folder)
    if remote.is_known or not path.exists():
        return remote
    try:
        pin = json.loads(path.read_text(encoding="utf-8"))
        return replace(remote, n_bytes=int(pin["n_bytes"]), sha256=str(pin["sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the pin {path}", str(error), "delete it to trust the next download anew") from error


def pin(remote: RemoteFile, folder: Path) -> None:
    """Remember size and SHA-256 of a file whose checksum nobody published."""
    path = folder / remote.name
    facts = {"url": remote.urls[0], "n_bytes": path.stat().st_size, "sha256": digest(path)}
    target = _pin_path(remote, folder)
    part = target.with_name(f"{target.name}.part")
    part.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(target)
