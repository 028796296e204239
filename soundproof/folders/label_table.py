"""Labels from a CSV: one row per clip, or several where a clip has several events."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from soundproof.core.errors import DataError, nearest
from soundproof.folders.clip_finder import ClipFinder
from soundproof.folders.layouts import LABELS, NO_ID, Event, LabelledFile
from soundproof.folders.table_file import Row, TextTable, read_text_table

REQUIRED = ("path", "label")
FACTS = ("split", "label", "machine", "machine_id", "domain", "anomaly_type")
EVENT = ("onset_s", "offset_s", "low_hz", "high_hz")
KNOWN = ("path", *FACTS, *EVENT)

_SHOWN = 8
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,(\d{1,2}|\d{4,})", re.ASCII)


def read_labels(table: Path, folder: Path, suffixes: Collection[str]) -> list[LabelledFile]:
    """Read a label table.

    Columns ``path`` (relative to ``folder``) and ``label`` (normal or anomaly) are needed; ``split`` (train or
    test), ``machine``, ``machine_id``, ``domain``, ``anomaly_type``, ``onset_s``, ``offset_s``, ``low_hz`` and
    ``high_hz`` are optional, and an empty field means unknown. A clip with several events takes several rows.
    How the table may be written says :func:`soundproof.folders.table_file.read_text_table`; where fields are not
    parted by commas, numbers may have a decimal comma.

    Raises:
        DataError: A column is missing or unknown, a value cannot be used, or a path names no clip of the folder.
    """
    content = read_text_table(table, KNOWN)
    _check_columns(table, content)
    finder = ClipFinder(table, folder, suffixes)
    by_path: dict[str, list[Row]] = {}
    for row in content.rows:
        by_path.setdefault(finder.find(row), []).append(row)
    if not by_path:
        raise DataError(f"the labels {table}", "no rows", "list the clips of the folder")
    comma = content.decimal_comma
    return [_labelled(table, path, by_path[path], comma) for path in sorted(by_path)]


def _check_columns(table: Path, content: TextTable) -> None:
    columns = content.columns
    for place, column in enumerate(columns, start=1):
        filled = next((row for row in content.rows if not column and row[column]), None)
        if filled is not None:
            found = f"no name, but '{filled[column]}' in row {filled.number}"
            remedy = "name that column or remove it (pandas: to_csv(index=False))"
            raise DataError(f"column {place} of {table}", found, remedy)
    if not set(columns) & set(KNOWN):
        raise DataError(
            f"the columns of {table}",
            f"a first row of {', '.join(columns)}",
            f"name the columns in the first row, parted by commas: {', '.join(REQUIRED)} and, where known, others",
        )
    strange = [column for column in columns if column and column not in KNOWN]
    for column in REQUIRED:
        if column not in columns:
            meant = difflib.get_close_matches(column, strange, n=1)
            remedy = f"rename '{meant[0]}' to '{column}'" if meant else "add that column"
            raise DataError(f"column '{column}' of {table}", f"columns {', '.join(columns)}", remedy)
    for column in filter(None, columns):
        if column not in KNOWN:
            # A misspelt "onsets_s" would otherwise silently cost all event labels.
            raise DataError(f"column '{column}' of {table}", "no such column", nearest(column, KNOWN))
        if columns.count(column) > 1:
            raise DataError(f"column '{column}' of {table}", "it is there twice", "remove one")


def _labelled(table: Path, path: str, rows: list[Row], decimal_comma: bool) -> LabelledFile:
    facts = {name: _one_value(table, path, rows, name) for name in FACTS}
    label = LABELS.get(facts["label"].lower())
    if label is None:
        found = f"'{facts['label']}' in {_numbers(rows)}"
        raise DataError(f"label of '{path}' in {table}", found, "use normal or anomaly")
    if facts["split"] not in ("train", "test", ""):
        found = f"'{facts['split']}' in {_numbers(rows)}"
        raise DataError(f"split of '{path}' in {table}", found, "use train or test")
    return LabelledFile(
        path=path,
        split=facts["split"] or None,
        label=label,
        machine=facts["machine"] or None,
        machine_id=facts["machine_id"] or NO_ID,
        domain=facts["domain"] or None,
        anomaly_type=facts["anomaly_type"] or None,
        events=_events(table, path, label, rows, decimal_comma),
    )


def _one_value(table: Path, path: str, rows: list[Row], name: str) -> str:
    values = sorted({unicodedata.normalize("NFC", row[name]) for row in rows})
    if len(values) > 1:
        found = f"its rows differ: {values} in {_numbers(rows)}"
        remedy = "give all its rows the same"
        if name == "label":
            remedy += " (a recording with a fault is an anomaly; the events say where)"
        raise DataError(f"{name} of '{path}' in {table}", found, remedy)
    return values[0]


def _numbers(rows: list[Row]) -> str:
    """Print the numbers of rows, the header's being 1."""
    numbers = ", ".join(str(row.number) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"row{'s' if len(rows) > 1 else ''} {numbers}{more}"


def _events(
    table: Path, path: str, label: str, rows: list[Row], decimal_comma: bool
) -> tuple[Event, ...] | None:
    """Return the events of a clip, or None where its event fields are all empty."""
    filled = [row for row in rows if any(row[name] for name in EVENT)]
    where = _numbers(rows)
    if not filled:
        if len(rows) > 1:
            raise DataError(f"'{path}' in {table}", f"{len(rows)} rows without event ({where})", "leave one")
        return None
    if label == "normal":
        found = f"an event in a normal clip ({_numbers(filled)})"
        raise DataError(f"'{path}' in {table}", found, "label the clip anomaly, or drop the event")
    if len(filled) < len(rows):
        found = f"rows with and without event ({where})"
        raise DataError(f"'{path}' in {table}", found, "remove the rows without")
    events = [_event(table, path, row, decimal_comma) for row in filled]
    return tuple(sorted(events, key=lambda event: event.onset_s))


def _event(table: Path, path: str, row: Row, decimal_comma: bool) -> Event:
    onset, offset, low, high = (_number(table, path, row, name, decimal_comma) for name in EVENT)
    if onset is None or offset is None or not 0 <= onset < offset:
        found = f"onset_s '{row['onset_s']}', offset_s '{row['offset_s']}' in row {row.number}"
        raise DataError(f"an event of '{path}' in {table}", found, "give 0 <= onset_s < offset_s in seconds")
    if (low is None) != (high is None) or (low is not None and high is not None and not 0 <= low < high):
        found = f"low_hz '{row['low_hz']}', high_hz '{row['high_hz']}' in row {row.number}"
        raise DataError(f"an event of '{path}' in {table}", found, "give 0 <= low_hz < high_hz, or neither")
    return Event(onset, offset, low, high)


def _number(table: Path, path: str, row: Row, name: str, decimal_comma: bool) -> float | None:
    text = row[name]
    if not text:
        return None
    # 1,000 may be a thousand or one: it is not guessed
    plain = text.replace(",", ".") if decimal_comma and _DECIMAL_COMMA.fullmatch(text) else text
    value = float(plain) if _NUMBER.fullmatch(plain) else math.nan
    if not math.isfinite(value):
        found = f"'{text}' in row {row.number}"
        raise DataError(f"{name} of '{path}' in {table}", found, "give a number, with a decimal point")
    return value
