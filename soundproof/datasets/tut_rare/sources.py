"""The lists of backgrounds and events that TUT Rare Sound Events comes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from soundproof.audio.zip_members import Files, Source, content, files_of
from soundproof.core.errors import DataError
from soundproof.core.yaml_loader import read_yaml

_LISTS = "source_data/cv_setup/"
_REMEDY = "use lists and recordings of one release: fetch or unpack it again"


@dataclass(frozen=True)
class Background:
    """A recording of a place.

    Attributes:
        place: Path below the folder.
        source: Where it is.
        scene: Kind of place.
    """

    place: str
    source: Source
    scene: str


@dataclass(frozen=True)
class IsolatedEvent:
    """A piece of a recording in which an event sounds, ``[start_s, end_s)``."""

    source: Source
    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Sources:
    """Backgrounds of both parts, and the events of each class that test."""

    train: list[Background]
    test: list[Background]
    events: dict[str, list[IsolatedEvent]]


def read_sources(folder: Path, classes: Sequence[str]) -> Sources:
    """Read the development set, unpacked or as its zips.

    Args:
        folder: Folder that holds ``data/source_data`` somewhere below, or the archives.
        classes: Event classes.

    Raises:
        DataError: Lists are missing or malformed, or name files that are not there.
    """
    files, root = _tree(folder)
    listed = _read(files, f"{root}{_LISTS}events_devtest.yaml")
    events = {name: [_event(files, root, name, row) for row in _rows(listed, name)] for name in classes}
    train, test = (
        [_background(files, root, row) for row in _rows(_read(files, f"{root}{_LISTS}bgs_{part}.yaml"))]
        for part in ("devtrain", "devtest")
    )
    return Sources(train, test, events)


def _tree(folder: Path) -> tuple[Files, str]:
    """Return the files, and the place below which ``source_data`` lies; the parts of the archive are one tree."""
    archives = sorted(folder.glob("*.source_data_*.zip")) if folder.is_dir() else []
    for roots in ([folder], archives):
        files = files_of(*roots) if folder.is_dir() and roots else {}
        marker = f"{_LISTS}bgs_devtest.yaml"
        bases = [place.removesuffix(marker) for place in files if f"/{place}".endswith(f"/{marker}")]
        if len(bases) == 1:
            return files, bases[0]
    remedy = "download first, or set 'folder' to the folder of the archives, or of what they hold"
    raise DataError(f"'{_LISTS}' below {folder}", "no such lists, nor archives that hold them", remedy)


def _read(files: Files, place: str) -> Any:
    source = files.get(place)
    if source is None:
        raise DataError(f"the list '{place}'", "no such file", _REMEDY)
    try:
        return read_yaml(content(source))
    except yaml.YAMLError as error:
        raise DataError(f"the list {source}", str(error), _REMEDY) from error


def _rows(listed: Any, name: str | None = None) -> list[dict[str, Any]]:
    rows = listed.get(name) if name is not None and isinstance(listed, dict) else listed
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        what = f"the events '{name}'" if name else "the backgrounds"
        raise DataError(f"{what} of TUT Rare Sound Events", "no list of them", _REMEDY)
    return rows


def _background(files: Files, root: str, row: dict[str, Any]) -> Background:
    path = _of(row, "filepath")
    place = f"{root}source_data/bgs/{path}"
    return Background(place, _found(files, place), str(_of(row, "classname")))


def _event(files: Files, root: str, name: str, row: dict[str, Any]) -> IsolatedEvent:
    file = str(_of(row, "audio_filename"))
    place = f"{root}source_data/events/{name}/{file}"
    try:
        start_s, end_s = (float(value) for value in _of(row, "segment"))
    except (TypeError, ValueError) as error:
        raise DataError(f"the segment of '{file}'", str(row.get("segment")), _REMEDY) from error
    if not 0 <= start_s < end_s:
        raise DataError(f"the segment of '{file}'", f"{start_s:g} to {end_s:g} s", _REMEDY)
    return IsolatedEvent(_found(files, place), f"{name}/{file}", start_s, end_s)


def _of(row: dict[str, Any], key: str) -> Any:
    if key not in row:
        raise DataError(f"the key '{key}' of {row}", "no such key", _REMEDY)
    return row[key]


def _found(files: Files, place: str) -> Source:
    source = files.get(place)
    if source is None:
        raise DataError(f"the listed recording '{place}'", "no such file", _REMEDY)
    return source
