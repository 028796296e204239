"""Remember which files were verified, so that 10 GB are not read at every start to find them unchanged.

The record lies beside the file and holds for exactly that size and modification time. It proves that nobody wrote
to the file since, not that the disk kept every bit: delete the record to have the file read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from soundproof.downloads.remote_file import RemoteFile
from soundproof.storage.files import whole_file


def record_of(path: Path) -> Path:
    """Where the record of a file lies."""
    return path.with_name(f".{path.name}.verified.json")


def mismatch(remote: RemoteFile, path: Path) -> str | None:
    """Say in what ``path`` differs from ``remote``, or None; reads the file only where no record vouches for it."""
    if remote.is_known and _vouched(remote, path):
        return None
    reason = remote.mismatch(path)
    if reason is None and remote.is_known:
        remember(path, remote.checksums)
    return reason


def remember(path: Path, checksums: Mapping[str, str]) -> None:
    """Note that the file as it is now has these checksums."""
    facts = {"n_bytes": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns, **checksums}
    with whole_file(record_of(path)) as partial:
        partial.write_text(json.dumps(facts, sort_keys=True) + "\n", encoding="utf-8")


def _vouched(remote: RemoteFile, path: Path) -> bool:
    try:
        facts = json.loads(record_of(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    now = {"n_bytes": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns, **remote.checksums}
    return (
        isinstance(facts, dict)
        and (remote.n_bytes in (None, now["n_bytes"]))
        and now.items() <= facts.items()
    )
