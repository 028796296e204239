"""Rows as a table: for the terminal and for the documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from benchmarks.rows import Row
from soundproof.core.errors import ArtefactError
from soundproof.storage.files import whole_file

_HEADERS = ("benchmark", "case", "unit", "ours", "against", "other", "ratio", "aim")


def table(rows: Sequence[Row], style: str) -> str:
    """Format rows in a style of ``tabulate``."""
    cells = [
        (
            row.benchmark,
            row.case,
            row.unit,
            _number(row.ours),
            row.against,
            _number(row.other),
            _ratio(row),
            _aim(row),
        )
        for row in rows
    ]
    align = ("left", "left", "left", "right", "left", "right", "right", "left")
    formatted: str = tabulate(cells, headers=_HEADERS, tablefmt=style, colalign=align, disable_numparse=True)
    return formatted


def write_into(page: Path, device: str, lines: str) -> None:
    """Replace what a Markdown page shows of a kind of device.

    The place is between the comments ``<!-- DEVICE: begin -->`` and ``<!-- DEVICE: end -->``.

    Raises:
        ArtefactError: The page has no such place.
    """
    begin, end = f"<!-- {device}: begin -->", f"<!-- {device}: end -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not place.search(text):
        raise ArtefactError(
            f"a place for a table of {device} in {page}",
            "none" if text else "no such page",
            f"add the lines '{begin}' and '{end}'",
        )
    shown = f"{begin}\n{lines}\n{end}"
    with whole_file(page) as partial:
        partial.write_text(place.sub(lambda _: shown, text), encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(row: Row) -> str:
    digits = f"{row.ratio:.2f}" if row.ratio >= 0.1 else f"{row.ratio:.1g}"
    return f"{digits} {row.sense}"


def _aim(row: Row) -> str:
    if row.aim is None:
        return ""
    return f"{row.aim.kind} {row.aim.value:g}: {'met' if row.aim.met_by(row.ratio) else 'missed'}"
