"""Tables of text as people's programs write them: commas, semicolons or tabs, any Unicode, rows by their number."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundproof.core.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS = "save it as 'CSV UTF-8 (comma delimited)'"


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        number: Its number as a spreadsheet counts, the header's being 1.
        fields: Text of each column, without blanks around it.
    """

    number: int
    fields: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Text of a column; empty where the table has no such column."""
        return self.fields.get(column, "")


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        columns: Names of the columns in lower case.
        rows: The rows below the header; blank lines are passed over.
        decimal_comma: Whether the table's delimiter leaves the comma to numbers.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimal_comma: bool


def read_text_table(path: Path, known: Collection[str]) -> TextTable:
    """Read a table whose first row names its columns.

    Fields may be parted by commas, semicolons, tabs or upright bars: by what parts the header into most known
    names. Empty fields at the end of a row are passed over, as spreadsheets leave them.

    Args:
        path: The table, in UTF-8 or (with a byte order mark) UTF-16.
        known: Names that columns may have.

    Raises:
        DataError: It cannot be read as text, has no header, or a row has more fields than there are columns.
    """
    text = _text(path)
    delimiter, skipped = _delimiter(text, known)
    records = _records(path, text, delimiter)
    numbered = [(number, record) for number, record in enumerate(records, start=1) if record][skipped:]
    if not numbered:
        raise DataError(f"the labels {path}", "nothing in it", f"name the columns first: {', '.join(known)}")
    columns = [column.strip().lower() for column in numbered[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    rows = []
    for number, record in numbered[1:]:
        fields = [field.strip() for field in record]
        if any(fields[len(columns) :]):
            raise _too_many(path, number, fields, columns, delimiter)
        filled = [*fields, *[""] * (len(columns) - len(fields))]
        rows.append(Row(number, dict(zip(columns, filled, strict=False))))
    return TextTable(tuple(columns), tuple(rows), delimiter != ",")


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the labels {path}", str(error), "give a CSV in UTF-8 with a header") from error
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise DataError(f"the labels {path}", "a workbook, whatever its name", _SAVE_AS)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in content:
        raise DataError(f"the labels {path}", "no text, or UTF-16 without a byte order mark", _SAVE_AS)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        found = f"no {encoding.upper()[:5]}: byte 0x{content[error.start]:02x} in row {row}"
        raise DataError(f"the labels {path}", found, _SAVE_AS) from error


def _delimiter(text: str, known: Collection[str]) -> tuple[str, int]:
    """What parts the fields, and how many lines come before the header (Excel's ``sep=;`` is one)."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], 1
    if first.strip().lower() == "sep=":
        return "\t", 1

    def matched(delimiter: str) -> int:
        names = next(csv.reader([first], delimiter=delimiter), [])
        return sum(name.strip().lower() in known for name in names)

    return max(DELIMITERS, key=matched), 0


def _records(path: Path, text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    records: list[list[str]] = []
    broken = ""
    try:
        for record in reader:
            records.append(record)
            if any("\n" in field or "\r" in field for field in record):
                broken = "a field that goes on in the next line"
                break
    except csv.Error as error:
        broken, records = str(error), [*records, []]
    if broken or text.count('"') % 2:
        found = f"row {len(records)}: {broken or 'a quote without its partner'}"
        remedy = 'close every quote, and write a quote inside quotes twice ("")'
        raise DataError(f"the labels {path}", found, remedy)
    return records


def _too_many(
    path: Path, number: int, fields: Sequence[str], columns: Sequence[str], delimiter: str
) -> DataError:
    found = (
        f"row {number} has {len(fields)} fields parted by {_NAMES.get(delimiter, delimiter)}, the header "
        f"{len(columns)} columns ({', '.join(columns)})"
    )
    remedy = "put fields that hold a comma in quotes, and write numbers with a decimal point (8.5, not 8,5)"
    if delimiter != ",":
        remedy = "remove the fields that have no column, or name their columns"
    return DataError(f"the labels {path}", found, remedy)
