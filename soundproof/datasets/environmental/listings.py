"""The lists that ESC-50 and UrbanSound8K come with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundproof.audio.zip_members import Files, Source, content, files_of
from soundproof.core.errors import DataError

ESC50_CLIPS = 2000
_ESC50_LIST, _URBAN_LIST = "meta/esc50.csv", "metadata/UrbanSound8K.csv"
_REMEDY = "use list and clips of one release: fetch or unpack it again"


@dataclass(frozen=True)
class SoundFile:
    """A listed sound.

    Attributes:
        place: Path below the data set's folder.
        source: Where it is.
        name: File name without ending.
        category: Class.
        fold: Fold of the published cross-validation; sounds of one recording share it.
        recording: Freesound number of the recording it was cut from.
        seconds: Length by the list; NaN where the list does not say.
    """

    place: str
    source: Source
    name: str
    category: str
    fold: int
    recording: str
    seconds: float


def esc50_sounds(folder: Path, *, complete: bool) -> list[SoundFile]:
    """Read ESC-50, unpacked or as a zip.

    Args:
        folder: Folder that holds it or its zip.
        complete: Whether all 2000 clips must be there.

    Raises:
        DataError: List and files do not match, or the number is another one.
    """
    root, files = _tree(folder, _ESC50_LIST)
    rows = _rows(files, root + _ESC50_LIST, ("filename", "fold", "category", "src_file"))
    sounds = [
        _sound(
            files,
            f"{root}audio/{row['filename']}",
            str(row["category"]),
            int(row["fold"]),
            str(row["src_file"]),
        )
        for row in rows.to_dict("records")
    ]
    _refuse_unlisted(files, f"{root}audio/", sounds)
    if complete and len(sounds) != ESC50_CLIPS:
        found = f"{len(sounds)} ({len(sounds) - ESC50_CLIPS:+d})"
        remedy = "fetch it again, or set 'expected_counts: any'"
        raise DataError(f"{ESC50_CLIPS} clips of ESC-50 in {folder}", found, remedy)
    return sounds


def urban_sounds(folder: Path) -> list[SoundFile]:
    """Read UrbanSound8K, unpacked.

    Raises:
        DataError: List and files do not match.
    """
    root, files = _tree(folder, _URBAN_LIST)
    columns = ("slice_file_name", "fsID", "start", "end", "fold", "class")
    rows = _rows(files, root + _URBAN_LIST, columns)
    sounds = [
        _sound(
            files,
            f"{root}audio/fold{row['fold']}/{row['slice_file_name']}",
            str(row["class"]),
            int(row["fold"]),
            str(row["fsID"]),
            float(row["end"]) - float(row["start"]),
        )
        for row in rows.to_dict("records")
    ]
    _refuse_unlisted(files, f"{root}audio/", sounds)
    return sounds


def of_classes(sounds: Sequence[SoundFile], classes: Sequence[str], dataset: str) -> list[SoundFile]:
    """Return the sounds of some classes.

    Raises:
        DataError: A class has none.
    """
    known = sorted({sound.category for sound in sounds})
    for name in classes:
        if name not in known:
            raise DataError(
                f"class '{name}' of {dataset}", "no clip of it", f"use some of: {', '.join(known)}"
            )
    return [sound for sound in sounds if sound.category in classes]


def _tree(folder: Path, marker: str) -> tuple[str, Files]:
    """Return the files, and the place (with a slash) of the folder in which the list's own folder lies."""
    for root in [folder, *sorted(folder.glob("*.zip"))] if folder.is_dir() else []:
        files = files_of(root)
        bases = [place.removesuffix(marker) for place in files if f"/{place}".endswith(f"/{marker}")]
        if len(bases) == 1:
            return bases[0], files
    found = "no such list, nor a zip that holds it"
    remedy = "download first, or set 'folder' to the folder that holds the data set"
    raise DataError(f"'{marker}' below {folder}", found, remedy)


def _rows(files: Files, place: str, columns: Sequence[str]) -> pd.DataFrame:
    where = files[place]
    try:
        rows = pd.read_csv(io.BytesIO(content(where)))
    except ValueError as error:
        raise DataError(f"the list {where}", str(error), _REMEDY) from error
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise DataError(f"column '{missing[0]}' of {where}", f"columns {', '.join(rows.columns)}", _REMEDY)
    return rows


def _sound(
    files: Files, place: str, category: str, fold: int, recording: str, seconds: float = float("nan")
) -> SoundFile:
    source = files.get(place)
    if source is None:
        raise DataError(f"the listed clip '{place}'", "no such file", _REMEDY)
    return SoundFile(place, source, Path(place).stem, category, fold, recording, seconds)


def _refuse_unlisted(files: Files, folder: str, sounds: Sequence[SoundFile]) -> None:
    listed = {sound.place for sound in sounds}
    for place in files:
        if place.startswith(folder) and place.lower().endswith(".wav") and place not in listed:
            raise DataError(f"the clip '{place}'", "it is not in the list", _REMEDY)
