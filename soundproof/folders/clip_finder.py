"""The clip that a label table means, whichever way its name is spelled in Unicode."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Collection
from functools import cached_property
from pathlib import Path, PurePosixPath

from soundproof.core.errors import DataError
from soundproof.folders.table_file import Row


class ClipFinder:
    """Finds the clips of a folder by the paths of a label table.

    A name in composed letters (NFC, as most keyboards type) means the same as one in letters and marks (NFD, as
    some disks keep names); where a folder holds both, the spelling decides.

    Args:
        table: The table, for messages.
        folder: Folder that its paths start from.
        suffixes: Endings of clips.
    """

    def __init__(self, table: Path, folder: Path, suffixes: Collection[str]) -> None:
        self._table = table
        self._folder = folder
        self._suffixes = suffixes

    def find(self, row: Row) -> str:
        """Return the path of a row's clip below the folder, spelled as there.

        Raises:
            DataError: The row names none.
        """
        text = row["path"]
        path = PurePosixPath(text.replace("\\", "/"))
        if not any(row.fields.values()):
            raise DataError(f"row {row.number} of {self._table}", "nothing but delimiters", "remove the row")
        asked = f"path {spelled(text)} in row {row.number} of {self._table}"
        if not text or path.is_absolute() or ".." in path.parts:
            remedy = f"give paths relative to {self._folder}"
            raise DataError(asked, "not a path inside the folder", remedy)
        if "\0" in text or not (self._folder / path).is_file():
            path = self._otherwise_spelled(asked, path)
        if path.suffix.lower() not in self._suffixes:
            raise DataError(asked, "not a clip", f"use {', '.join(sorted(self._suffixes))}")
        return path.as_posix()

    def _otherwise_spelled(self, asked: str, path: PurePosixPath) -> PurePosixPath:
        found = self._by_name.get(_composed(path.as_posix()), [])
        if len(found) == 1:
            return PurePosixPath(found[0])
        if found:
            spellings = " and ".join(map(spelled, found))
            raise DataError(asked, f"several files of that name: {spellings}", "rename all but one")
        remedy = "correct the path or remove the row"
        folded = {name.casefold(): places[0] for name, places in self._by_name.items()}
        near = difflib.get_close_matches(_composed(path.as_posix()).casefold(), folded, n=1, cutoff=0.8)
        if near:
            remedy = f"did you mean {spelled(folded[near[0]])}? Otherwise remove the row"
        raise DataError(asked, f"no such clip in {self._folder}", remedy)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Clips of the folder by their composed names."""
        names: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._folder.rglob("*")):
            if path.suffix.lower() in self._suffixes:
                place = path.relative_to(self._folder).as_posix()
                names[_composed(place)].append(place)
        return dict(names)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def spelled(text: str) -> str:
    """Print a name so that two that look alike can be told apart."""
    if text.isascii():
        return f"'{text}'"
    letters = text.encode("ascii", "backslashreplace").decode("ascii")
    return f"'{text}' (spelled {letters})"
