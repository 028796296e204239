"""Labels from a CSV: one row per clip, or several where a clip has several events."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from soundproof.datasets.layouts import LABELS, NO_ID, Event, LabelledFile
from soundproof.errors import DataError, nearest

REQUIRED = ("path", "label")
FACTS = ("split", "label", "machine", "machine_id", "domain", "anomaly_type")
EVENT = ("onset_s", "offset_s", "low_hz", "high_hz")
KNOWN = ("path", *FACTS, *EVENT)

Row = Mapping[str, str]


def read_labels(table: Path, folder: Path, suffixes: Collection[str]) -> list[LabelledFile]:
    """Read a label table.

    Columns ``path`` (relative to ``folder``) and ``label`` (normal or anomaly) are needed; ``split`` (train or
    test), ``machine``, ``machine_id``, ``domain``, ``anomaly_type``, ``onset_s``, ``offset_s``, ``low_hz`` and
    ``high_hz`` are optional, and an empty field means unknown. A clip with several events takes several rows.

    Raises:
        DataError: A column is missing or unknown, a value cannot be used, or a path names no clip of the folder.
    """
    try:
        frame = pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"the labels {table}", str(error), "give a CSV in UTF-8 with a header") from error
    columns = [str(column).strip() for column in frame.columns]
    frame.columns = pd.Index(columns)
    _check_columns(table, columns)
    by_path: dict[str, list[Row]] = {}
    for record in frame.to_dict("records"):
        row = {str(key): str(value).strip() for key, value in record.items()}
        by_path.setdefault(_clip_path(table, folder, row["path"], suffixes), []).append(row)
    if not by_path:
        raise DataError(f"the labels {table}", "no rows", "list the clips of the folder")
    return [_labelled(table, path, by_path[path]) for path in sorted(by_path)]


def _check_columns(table: Path, columns: list[str]) -> None:
    for column in REQUIRED:
        if column not in columns:
            raise DataError(
                f"column '{column}' of {table}", f"columns {', '.join(columns)}", "add that column"
            )
    for column in columns:
        if column not in KNOWN:
            # A misspelt "onsets_s" would otherwise silently cost all event labels.
            raise DataError(f"column '{column}' of {table}", "no such column", nearest(column, KNOWN))
        if columns.count(column) > 1:
            raise DataError(f"column '{column}' of {table}", "it is there twice", "remove one")


def _clip_path(table: Path, folder: Path, text: str, suffixes: Collection[str]) -> str:
    path = PurePosixPath(text.replace("\\", "/"))
    if not text or path.is_absolute() or ".." in path.parts:
        raise DataError(
            f"path '{text}' in {table}", "not a path inside the folder", f"give paths relative to {folder}"
        )
    if not (folder / path).is_file():
        raise DataError(
            f"path '{text}' in {table}", f"no such clip in {folder}", "correct the path or remove the row"
        )
    if path.suffix.lower() not in suffixes:
        raise DataError(f"path '{text}' in {table}", "not a clip", f"use {', '.join(sorted(suffixes))}")
    return path.as_posix()


def _labelled(table: Path, path: str, rows: list[Row]) -> LabelledFile:
    facts = {name: _one_value(table, path, rows, name) for name in FACTS}
    label = LABELS.get(facts["label"].lower())
    if label is None:
        raise DataError(f"label of '{path}' in {table}", f"'{facts['label']}'", "use normal or anomaly")
    if facts["split"] not in ("train", "test", ""):
        raise DataError(f"split of '{path}' in {table}", f"'{facts['split']}'", "use train or test")
    return LabelledFile(
        path=path,
        split=facts["split"] or None,
        label=label,
        machine=facts["machine"] or None,
        machine_id=facts["machine_id"] or NO_ID,
        domain=facts["domain"] or None,
        anomaly_type=facts["anomaly_type"] or None,
        events=_events(table, path, label, rows),
    )


def _one_value(table: Path, path: str, rows: list[Row], name: str) -> str:
    values = sorted({row.get(name, "") for row in rows})
    if len(values) > 1:
        raise DataError(
            f"{name} of '{path}' in {table}", f"its rows differ: {values}", "give all its rows the same"
        )
    return values[0]


def _events(table: Path, path: str, label: str, rows: list[Row]) -> tuple[Event, ...] | None:
    """Return the events of a clip, or None where its event fields are all empty."""
    filled = [row for row in rows if any(row.get(name) for name in EVENT)]
    if not filled:
        if len(rows) > 1:
            raise DataError(f"'{path}' in {table}", f"{len(rows)} rows without event", "leave one")
        return None
    if label == "normal":
        raise DataError(
            f"'{path}' in {table}", "an event in a normal clip", "label the clip anomaly, or drop the event"
        )
    if len(filled) < len(rows):
        raise DataError(f"'{path}' in {table}", "rows with and without event", "remove the rows without")
    return tuple(sorted((_event(table, path, row) for row in filled), key=lambda event: event.onset_s))


def _event(table: Path, path: str, row: Row) -> Event:
    onset, offset, low, high = (_number(table, path, row, name) for name in EVENT)
    if onset is None or offset is None or not 0 <= onset < offset:
        found = f"onset_s '{row.get('onset_s', '')}', offset_s '{row.get('offset_s', '')}'"
        raise DataError(f"an event of '{path}' in {table}", found, "give 0 <= onset_s < offset_s in seconds")
    if (low is None) != (high is None) or (low is not None and high is not None and not 0 <= low < high):
        found = f"low_hz '{row.get('low_hz', '')}', high_hz '{row.get('high_hz', '')}'"
        raise DataError(f"an event of '{path}' in {table}", found, "give 0 <= low_hz < high_hz, or neither")
    return Event(onset, offset, low, high)


def _number(table: Path, path: str, row: Row, name: str) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{name} of '{path}' in {table}", f"'{text}'", "give a number, with a decimal point")
    return value
