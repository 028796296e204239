"""What files hold, told by SHA-256 and remembered, so that only what changed is read again.

A file is taken for unchanged where size, inode and both of its times (to the nanosecond) are what they were when it
was read. Dates alone decide nothing: a touched file is read again and found to be the same, a replaced one is found
to differ however old its date is. The notes are a convenience: without them everything is read once more.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any

from soundproof.core.errors import DataError, StorageError
from soundproof.storage.files import whole_file

NOTES = Path(".snakemake", "soundproof.storage.contents.json")
"""Where the digests are remembered, below the folder that the workflow runs in."""
_SETTLED_NS = 2_000_000_000
"""A file written this shortly before it was read may be written again within one tick of its times (FAT: 2 s)."""
_MANY_BYTES = 1 << 30

Facts = tuple[int, int, int, int]


def digests_of(files: Mapping[str, Path], notes: Path = NOTES) -> dict[str, str]:
    """Return the SHA-256 (hexadecimal) of each file.

    Args:
        files: Files by the name that the digests are returned under.
        notes: File of remembered digests; one that is missing, broken or not to be written is no failure.

    Raises:
        DataError: A file is not there or cannot be read.
    """
    known = _read(notes)
    found: dict[str, str] = {}
    places = {name: str(path.absolute()) for name, path in files.items()}
    facts = {name: _facts(Path(place)) for name, place in places.items()}
    unread = {
        name: facts[name] for name, place in places.items() if known.get(place, [])[:4] != list(facts[name])
    }
    _announce(sum(size for size, *_ in unread.values()), len(unread))
    for name, place in places.items():
        found[name] = _sha256(Path(place)) if name in unread else known[place][4]
    latest = time.time_ns() - _SETTLED_NS
    fresh = {
        places[name]: [*seen, found[name]]
        for name, seen in unread.items()
        if seen[2] < latest and _facts(Path(places[name])) == seen
    }
    if fresh:
        _write(notes, {**known, **fresh})
    return found


def _facts(path: Path) -> Facts:
    try:
        seen = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    found = str(error.strerror)
    if path.is_symlink() and not path.exists():
        found = f"a link to {path.readlink()}, where nothing is"
    return DataError(f"the file {path}", found, "make it readable, or remove it (and its labels)")


def _announce(n_bytes: int, n_files: int) -> None:
    if n_bytes > _MANY_BYTES:
        sys.stderr.write(
            f"Reading {n_files} files ({n_bytes / 1e9:.0f} GB) to know what they hold; only once.\n"
        )


def _read(notes: Path) -> dict[str, Any]:
    try:
        known = json.loads(notes.read_text(encoding="utf-8"))
        return {
            place: entry
            for place, entry in known.items()
            if isinstance(entry, list) and len(entry) == 5 and isinstance(entry[4], str)
        }
    except (OSError, ValueError, AttributeError):
        return {}


def _write(notes: Path, known: Mapping[str, Any]) -> None:
    # a name that is no UTF-8 is refused elsewhere; here it must do no harm
    with suppress(StorageError, OSError, UnicodeEncodeError), whole_file(notes) as partial:
        partial.write_text(json.dumps(known), encoding="utf-8")
