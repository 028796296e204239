"""The time labels of 46 anomalous planer clips, as the authors of arXiv 2601.12660 keep them."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundproof.core.errors import DataError
from soundproof.folders.layouts import Event

SLOT_SECONDS = 10
FRAMES_PER_SECOND = 40
LAST_FRAME = 399
"""Where labels in frames end, although a clip's last second ends with frame 400."""

_FILE = "Spectrogram File Name"
_SLOT = "Spectrogram Number"
_KIND = "Board (Anomaly) Type"
_SECONDS = "Time Anomaly Labels [(t1,t2), ...,etc]"
_FRAMES = "Labels in Spectrogram"


@dataclass(frozen=True)
class PlanerLabel:
    """A row of the table.

    Attributes:
        kind: Folder of the anomaly's kind.
        events: In seconds from the clip's start; None where nobody labelled the clip.
    """

    kind: str
    events: tuple[Event, ...] | None


def read_planer_labels(table: Path) -> dict[str, PlanerLabel]:
    """Read the table: file name of the spectrogram to its label.

    The table holds every label twice: in seconds of the one-minute recording whose n-th ten seconds the clip is,
    and in frames of the clip. The seconds are taken, and must agree with the frames.

    Raises:
        DataError: A column is missing, a clip occurs twice, or a label cannot be read or contradicts itself.
    """
    try:
        frame = pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"the labels {table}", str(error), "give the authors' CSV") from error
    frame.columns = pd.Index([" ".join(str(column).split()) for column in frame.columns])
    for column in (_FILE, _SLOT, _KIND, _SECONDS, _FRAMES):
        if column not in frame.columns:
            found = f"columns {', '.join(frame.columns)}"
            raise DataError(f"column '{column}' of {table}", found, "give the authors' CSV")
    labels: dict[str, PlanerLabel] = {}
    for row in frame.to_dict("records"):
        name = str(row[_FILE]).strip()
        if name in labels:
            raise DataError(f"'{name}' in {table}", "two rows", "keep one")
        labels[name] = PlanerLabel(str(row[_KIND]).strip(), _events(table, name, row))
    return labels


def _events(table: Path, name: str, row: dict[object, object]) -> tuple[Event, ...] | None:
    seconds, frames = _intervals(table, name, row[_SECONDS]), _intervals(table, name, row[_FRAMES])
    if seconds is None and frames is None:
        return None
    start_s = _slot_start(table, name, row[_SLOT])
    own = [(onset - start_s, offset - start_s) for onset, offset in seconds or []]
    expected = [(FRAMES_PER_SECOND * a, min(FRAMES_PER_SECOND * b, LAST_FRAME)) for a, b in own]
    in_clip = all(0 <= onset < offset <= SLOT_SECONDS for onset, offset in own)
    if not own or not in_clip or expected != frames:
        found = f"{seconds} in seconds, {frames} in frames, in the ten seconds from {start_s:g} s"
        raise DataError(f"the labels of '{name}' in {table}", found, "make the columns agree")
    return tuple(Event(onset, offset) for onset, offset in own)


def _slot_start(table: Path, name: str, value: object) -> float:
    text = str(value).strip()
    if not text.isdecimal() or int(text) < 1:
        raise DataError(f"'{_SLOT}' of '{name}' in {table}", f"'{text}'", "give 1, 2, ...")
    return float(SLOT_SECONDS * (int(text) - 1))


def _intervals(table: Path, name: str, value: object) -> list[tuple[float, float]] | None:
    """Parse ``[(1,2), (7,9)]``; ``-`` stands for "not labelled"."""
    text = str(value).strip()
    if text == "-":
        return None
    try:
        pairs = [(float(onset), float(offset)) for onset, offset in ast.literal_eval(text)]
    except (ValueError, TypeError, SyntaxError) as error:
        raise DataError(
            f"the labels of '{name}' in {table}", f"'{text}'", "give [(t1,t2), ...] or -"
        ) from error
    if not all(math.isfinite(number) for pair in pairs for number in pair):
        raise DataError(f"the labels of '{name}' in {table}", f"'{text}'", "give finite numbers")
    return pairs
