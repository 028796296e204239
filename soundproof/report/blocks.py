"""A printed table in blocks that fit on a page: grouped headings, and no column cut off.

A table of forty columns is whole on no screen. It is laid out as several blocks below each other, each with the
columns that name its rows; columns of one subject (``Cell AUROC``, ``Cell AUROC: chance``) stay together under one
heading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 118
"""Characters that fit side by side on a page of 1280 pixels beside the contents."""
_GAP = 2
"""Space of a column, in characters."""
_WRAPPED = 30
"""Characters after which text in a cell goes on in the next line."""
_LEADING = 2
"""Columns at most that every block repeats, so that its rows have names."""
VALUE = "value"
_INTERVAL = re.compile(r" \[[^\[\], ]+, [^\[\], ]+\]")


@dataclass(frozen=True)
class Heading:
    """A column of a block.

    Attributes:
        text: Its heading below that of its group.
        column: Its place in the table.
        numeric: Whether it holds numbers.
        leading: Whether it names the rows.
    """

    text: str
    column: int
    numeric: bool
    leading: bool


_Group = tuple[str, tuple[Heading, ...]]


@dataclass(frozen=True)
class Block:
    """Columns of a table that stand side by side.

    Attributes:
        groups: Heading and columns of each group; the heading is empty where a column stands for itself.
    """

    groups: tuple[_Group, ...]

    @property
    def headings(self) -> tuple[Heading, ...]:
        """All columns in order."""
        return tuple(heading for _, members in self.groups for heading in members)

    @property
    def grouped(self) -> bool:
        """Whether any group has a heading."""
        return any(title for title, _ in self.groups)


def blocks(
    headers: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]], width: int = WIDTH
) -> tuple[Block, ...]:
    """Lay the columns of a table out in as few blocks as fit.

    Args:
        headers: Column headings; ``subject: part`` belongs to the column ``subject`` before it.
        numeric: Whether each column holds numbers.
        rows: Cells, row by row.
        width: Characters side by side.
    """
    widths = [_column_width(header, [row[turn] for row in rows]) for turn, header in enumerate(headers)]
    n_leading = next((turn for turn, is_number in enumerate(numeric) if is_number), len(headers))
    n_leading = min(n_leading, _LEADING)
    leading: list[_Group] = [
        ("", (Heading(headers[turn], turn, numeric[turn], True),)) for turn in range(n_leading)
    ]
    taken = sum(widths[:n_leading])
    made: list[Block] = []
    current, used = list(leading), taken
    for group in _groups(headers, numeric, n_leading):
        needed = sum(widths[heading.column] for heading in group[1])
        if used + needed > width and len(current) > n_leading:
            made.append(Block(tuple(current)))
            current, used = list(leading), taken
        current.append(group)
        used += needed
    return (*made, Block(tuple(current)))


def _groups(headers: Sequence[str], numeric: Sequence[bool], first: int) -> list[_Group]:
    found: list[tuple[str, list[Heading]]] = []
    for turn in range(first, len(headers)):
        subject, colon, part = headers[turn].partition(": ")
        heading = Heading(part if colon else headers[turn], turn, numeric[turn], False)
        if colon and found and found[-1][0] == subject:
            found[-1][1].append(heading)
        else:
            found.append((headers[turn], [heading]))
    return [_named(title, members) for title, members in found]


def _named(title: str, members: list[Heading]) -> _Group:
    """A group of one column is that column; of several, the first is the value."""
    first = members[0]
    if len(members) == 1:
        return "", (Heading(title, first.column, first.numeric, False),)
    return title, (Heading(VALUE, first.column, first.numeric, False), *members[1:])


def _column_width(header: str, cells: Sequence[str]) -> int:
    """Characters of a column whose interval stands below its value and whose long texts are wrapped."""
    parts = [part for cell in cells for part in split_interval(cell)]
    longest = max((len(part) for part in parts), default=0)
    words = [len(word) for text in (header, *cells) for word in text.split()]
    return max(min(longest, _WRAPPED), min(max(words, default=0), _WRAPPED)) + _GAP


def split_interval(cell: str) -> tuple[str, str]:
    """A cell's value and its interval or remark (``0.5`` and ``[0.4, 0.6]``); the second may be empty."""
    value, bracket, rest = cell.partition(" [")
    return (value, f"[{rest}") if _INTERVAL.fullmatch(f"{bracket}{rest}") else (cell, "")
