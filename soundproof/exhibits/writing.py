"""Write a finished table: Parquet and CSV with all numbers, Markdown and LaTeX for print."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from soundproof.core.errors import ArtefactError
from soundproof.exhibits.finished import Column, FinishedTable
from soundproof.exhibits.printing import to_latex, to_markdown
from soundproof.exhibits.registry import TABLE_SUFFIXES
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import read_table, write_table

SUFFIXES = TABLE_SUFFIXES


def write_finished_table(
    table: FinishedTable, folder: Path, name: str, title: str, provenance: Provenance
) -> list[Path]:
    """Write ``<folder>/<name>`` with each suffix of :data:`SUFFIXES`.

    The JSON file holds caption, cautions and printed columns, so that :func:`read_finished_table` returns the
    table as it was.

    Returns:
        The paths written, in the order of :data:`SUFFIXES`.
    """
    words = {
        "title": title,
        "caption": table.caption,
        "warnings": list(table.warnings),
        "formats": [asdict(column) for column in table.formats],
    }
    texts = {
        ".csv": table.frame.to_csv(index=False, lineterminator="\n"),
        ".md": to_markdown(table, title),
        ".tex": to_latex(table, name),
        ".json": json.dumps(words, ensure_ascii=False, indent=1) + "\n",
    }
    paths = {suffix: folder / f"{name}{suffix}" for suffix in SUFFIXES}
    write_table(table.frame, paths[".parquet"], provenance)
    for suffix, text in texts.items():
        with whole_file(paths[suffix]) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
    return list(paths.values())


def read_finished_table(folder: Path, name: str) -> FinishedTable:
    """Read a table written by :func:`write_finished_table`.

    Raises:
        ArtefactError: One of its files is missing or damaged.
    """
    frame = read_table(folder / f"{name}.parquet")
    path = folder / f"{name}.json"
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
        formats = tuple(Column(**column) for column in words["formats"])
        return FinishedTable(frame, words["caption"], formats, tuple(words["warnings"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"read {path}", str(error), "delete the table and regenerate it") from error
