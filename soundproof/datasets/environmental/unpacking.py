"""Unpack UrbanSound8K, whose archive has no random access."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from soundproof.datasets.environmental.files import URBAN
from soundproof.downloads.archive import unpack
from soundproof.downloads.needed_files import Needed

LIMIT_BYTES = 20_000_000_000
"""More than twice the unpacked data set."""


def unpack_urban(data_dir: Path, needed: Sequence[Needed]) -> None:
    """Unpack the archive, if it is among ``needed`` and nothing stands in for it.

    Raises:
        DataError: It cannot be unpacked safely.
    """
    for item in needed:
        if item.folder == URBAN and not item.is_covered(data_dir):
            archive = item.place(data_dir)
            unpack(archive, archive.with_name(item.remote.stem), LIMIT_BYTES)
