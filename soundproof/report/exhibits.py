"""Tables and figures as the page shows them, read from the files of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from soundproof.exhibits.printing import numeric_columns, printed
from soundproof.exhibits.registry import ARTEFACTS, ArtefactEntry
from soundproof.exhibits.writing import read_finished_table
from soundproof.figures.writing import read_caption

TABLES, FIGURES = "tables", "figures"
"""Folders of a study."""
_TABLE_FILES = ("csv", "parquet", "md", "tex")
_FIGURE_FILES = ("pdf", "png", "parquet")


@dataclass(frozen=True)
class PrintedTable:
    """Cells of a table as text.

    Attributes:
        headers: Column headings.
        numeric: Whether each column holds numbers.
        rows: Cells, row by row.
    """

    headers: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Exhibit:
    """A table or figure on the page.

    Attributes:
        entry: Its registry entry.
        caption: Sentences below it.
        warnings: What a reader must not miss.
        table: Cells of a table; None for figures.
        image: Path of the picture, relative to the page; empty for tables.
        downloads: Path of each file by its suffix, relative to the page.
    """

    entry: ArtefactEntry
    caption: str
    warnings: tuple[str, ...]
    table: PrintedTable | None
    image: str
    downloads: dict[str, str]


def read_exhibit(folder: Path, name: str) -> Exhibit:
    """Read a table or figure of the study in ``folder``.

    Raises:
        ArtefactError: One of its files is missing or damaged.
        ConfigError: No artefact of that name exists.
    """
    entry = ARTEFACTS[name]
    if entry.kind == "table":
        finished = read_finished_table(folder / TABLES, name)
        cells = printed(finished)
        rows = tuple(tuple(map(str, row)) for row in cells.itertuples(index=False, name=None))
        table = PrintedTable(tuple(map(str, cells.columns)), tuple(numeric_columns(finished)), rows)
        downloads = {suffix: f"{TABLES}/{name}.{suffix}" for suffix in _TABLE_FILES}
        return Exhibit(entry, finished.caption, finished.warnings, table, "", downloads)
    caption, warnings = read_caption(folder / FIGURES / f"{name}.md")
    downloads = {suffix: f"{FIGURES}/{name}.{suffix}" for suffix in _FIGURE_FILES}
    return Exhibit(entry, caption, warnings, None, downloads["png"], downloads)
