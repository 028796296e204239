"""The lists that ESC-50 and UrbanSound8K come with."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from soundproof.audio.file_kinds import AUDIO_SUFFIXES
from soundproof.audio.zip_members import Files, Source, content, files_of
from soundproof.core.errors import DataError
from soundproof.datasets.environmental.classes import ESC10_NAMES

ESC50_CLIPS, ESC10_CLIPS = 2000, 400
_ESC50_LIST, _URBAN_LIST = "meta/esc50.csv", "metadata/UrbanSound8K.csv"
_ESC10_CLIP = re.compile(r"(?P<fold>[1-5])-(?P<recording>\d+)-(?P<take>[A-Z])(?:-\d+)?")
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
    if complete:
        _check_number(sounds, ESC50_CLIPS, f"ESC-50 in {folder}")
    return sounds


def esc_sounds(folder: Path, *, complete: bool) -> list[SoundFile]:
    """Read ESC-50, or ESC-10 as it came alone: without a list, a folder per class. Unpacked or as a zip.

    Classes have ESC-50's names.

    Args:
        folder: Folder that holds it or its zip.
        complete: Whether all clips must be there: ESC-50's 2000, ESC-10's 400.

    Raises:
        DataError: Neither of them, a clip whose name says no fold and recording, or another number.
    """
    for root in _roots(folder):
        sounds = _of_class_folders(files_of(root))
        if sounds:
            if complete:
                _check_number(sounds, ESC10_CLIPS, f"ESC-10 in {folder}")
            return sounds
    return esc50_sounds(folder, complete=complete)


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


def by_class(sounds: Sequence[SoundFile], classes: Sequence[str], dataset: str) -> dict[str, list[SoundFile]]:
    """Sounds of some classes by class.

    Raises:
        DataError: A class has none.
    """
    chosen = of_classes(sounds, classes, dataset)
    return {name: [sound for sound in chosen if sound.category == name] for name in classes}


def _check_number(sounds: Sequence[SoundFile], expected: int, of: str) -> None:
    if len(sounds) != expected:
        found = f"{len(sounds)} ({len(sounds) - expected:+d})"
        raise DataError(f"{expected} clips of {of}", found, "fetch it again, or set 'expected_counts: any'")


def _roots(folder: Path) -> list[Path]:
    """The folder, and the archives in it."""
    return [folder, *sorted(folder.glob("*.zip"))] if folder.is_dir() else []


def _of_class_folders(files: Files) -> list[SoundFile]:
    """Sounds in folders that are named after classes of ESC-10."""
    found = []
    for place, source in files.items():
        path = PurePosixPath(place)
        # as ESC-10 has them: "001 - Dog bark"
        name = re.sub(r"^\d+ - ", "", path.parent.name).lower().replace(" ", "_")
        if name not in ESC10_NAMES or path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        match = _ESC10_CLIP.fullmatch(path.stem)
        if match is None:
            raise DataError(
                f"fold, recording and take in the name of the clip {source}",
                f"'{path.name}'",
                "give clips their names in ESC-10, such as '1-100032-A.ogg'",
            )
        category = ESC10_NAMES[name]
        found.append(
            SoundFile(
                place, source, path.stem, category, int(match["fold"]), match["recording"], float("nan")
            )
        )
    return found


def _tree(folder: Path, marker: str) -> tuple[str, Files]:
    """Return the files, and the place (with a slash) of the folder in which the list's own folder lies."""
    for root in _roots(folder):
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
