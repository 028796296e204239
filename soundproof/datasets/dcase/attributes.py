"""Conditions of recordings: ``attributes_00.csv`` beside the clips of a machine, since 2022."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from soundproof.core.errors import DataError

NONE_TOLD = "noAttribute"
"""What stands in file names and cells where the organisers conceal the conditions (some machines since 2024)."""

_NAME = re.compile(r"d(\d+)p")


def attribute_file(machine_folder: Path, section: str) -> Path:
    """Return where a section's attributes lie."""
    return machine_folder / f"attributes_{section}.csv"


def has_attribute_files(machine_folders: Iterable[Path]) -> bool:
    """Whether a machine comes with attributes files (that MIMII DG does is not documented)."""
    return any(next(folder.glob("attributes_*.csv"), None) is not None for folder in machine_folders)


def read_attributes(path: Path) -> dict[str, str | None]:
    """Read an attributes file.

    Each row has a ``file_name`` and pairs of columns ``d1p, d1v, d2p, d2v, ...``: name and value of a condition.

    Returns:
        ``"name=value;name=value"`` by file name without folders; None where the row tells nothing.

    Raises:
        DataError: The file cannot be read, lacks a column, or names a clip twice.
    """
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"the attributes {path}", str(error), "fetch the machine's archive again") from error
    columns = [str(name) for name in rows.columns]
    numbers = [match[1] for name in columns if (match := _NAME.fullmatch(name))]
    missing = [name for name in ("file_name", *(f"d{n}v" for n in numbers)) if name not in columns]
    if missing:
        found = f"columns {', '.join(columns)}"
        raise DataError(f"column '{missing[0]}' of {path}", found, "use the file as it is shipped")
    names = [PurePosixPath(text.replace("\\", "/")).name for text in rows["file_name"]]
    texts = [
        _text([(str(row[f"d{n}p"]).strip(), str(row[f"d{n}v"]).strip()) for n in numbers])
        for row in rows.to_dict("records")
    ]
    found_in = dict(zip(names, texts, strict=True))
    if len(found_in) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"one row per clip in {path}", f"'{twice}' stands twice", "use the file as shipped")
    return found_in


def _text(pairs: list[tuple[str, str]]) -> str | None:
    told = [f"{name}={value}" for name, value in pairs if name and value and NONE_TOLD not in (name, value)]
    return ";".join(told) or None
