"""Files from the future: Snakemake refuses what is made from them, since it looks older than its input.

They appear where a clock was ahead and has been set right since, or on recorders whose clock is wrong.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from soundproof.core.errors import DataError

_TOLERANCE_S = 2.0


def from_the_future(paths: Iterable[Path]) -> list[Path]:
    """Those of ``paths`` that are files changed later than now."""
    latest = time.time() + _TOLERANCE_S
    return [path for path in paths if path.is_file() and path.stat().st_mtime > latest]


def bring_back(folder: Path) -> int:
    """Date files of the future below a folder of results to now; reruns follow content, so nothing else changes.

    Returns:
        How many there were.
    """
    found = from_the_future(folder.rglob("*"))
    for path in found:
        os.utime(path)
    return len(found)


def refuse_future(paths: Iterable[Path]) -> None:
    """Refuse inputs that are not ours to change.

    Raises:
        DataError: Some are dated later than now.
    """
    found = from_the_future(paths)
    if found:
        first = time.strftime("%Y-%m-%d %H:%M", time.localtime(found[0].stat().st_mtime))
        raise DataError(
            "inputs that are older than what is made from them",
            f"{len(found)} files dated in the future, first {found[0]} ({first}; it is now "
            f"{time.strftime('%Y-%m-%d %H:%M')})",
            "set the clock right if it is wrong, else give the files a date of the past: touch FILE...",
        )
