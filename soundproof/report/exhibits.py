"""Tables and figures as the page shows them, read from the files of a study."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from soundproof.exhibits.finished import reason_missing
from soundproof.exhibits.printing import numeric_columns, printed
from soundproof.exhibits.registry import ARTEFACTS, ArtefactEntry
from soundproof.exhibits.writing import read_finished_table
from soundproof.figures.writing import read_caption
from soundproof.report.blocks import Block, blocks, split_interval

TABLES, FIGURES = "tables", "figures"
"""Folders of a study."""
_TABLE_FILES = ("csv", "parquet", "md", "tex")
_FIGURE_FILES = ("pdf", "png", "parquet")


@dataclass(frozen=True)
class PrintedTable:
    """Cells of a table as text.

    Attributes:
        blocks: Its columns, laid out so that none is cut off.
        rows: Cells, row by row: the value, and its interval or nothing.
    """

    blocks: tuple[Block, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]


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

    @property
    def missing(self) -> str:
        """Why it has no numbers; empty: it has some."""
        return reason_missing(self.caption)


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
        texts = [[str(cell) for cell in row] for row in cells.itertuples(index=False, name=None)]
        layout = blocks([str(header) for header in cells.columns], numeric_columns(finished), texts)
        rows = tuple(tuple(split_interval(cell) for cell in row) for row in texts)
        downloads = {suffix: f"{TABLES}/{name}.{suffix}" for suffix in _TABLE_FILES}
        return Exhibit(entry, finished.caption, finished.warnings, PrintedTable(layout, rows), "", downloads)
    caption, warnings = read_caption(folder / FIGURES / f"{name}.md")
    downloads = {suffix: f"{FIGURES}/{name}.{suffix}" for suffix in _FIGURE_FILES}
    return Exhibit(entry, caption, warnings, None, downloads["png"], downloads)


def telling_picture(folder: Path, names: Collection[str]) -> Exhibit | None:
    """The figure of ``names`` that stands for the study in ``folder``: the first that may and that has numbers."""
    may = sorted(
        (entry.picture, name)
        for name, entry in ARTEFACTS.items()
        if entry.picture is not None and name in names
    )
    exhibits = (read_exhibit(folder, name) for _, name in may)
    return next((exhibit for exhibit in exhibits if not exhibit.missing), None)
