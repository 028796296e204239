"""Which files of one's own a data set, or a set of maps made elsewhere, consists of.

The one answer for the loaders, the workflow and ``verify``. Importing this loads no numerical library.
"""

from __future__ import annotations

import csv
import io
import logging
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.audio.file_kinds import AUDIO_SUFFIXES, SPECTROGRAM_SUFFIXES
from soundproof.folders.file_names import refuse_unfit
from soundproof.folders.folder_files import clip_files, unused_sound
from soundproof.storage.contents import digests_of
from soundproof.storage.provenance import digest

if TYPE_CHECKING:
    from soundproof.core.choice import Chosen

log = logging.getLogger(__name__)
CLIP_SUFFIXES = {
    "recordings": AUDIO_SUFFIXES,
    "spectrograms": SPECTROGRAM_SUFFIXES,
    "planer": frozenset({".pt"}),
}
"""Suffixes of clips by kind of data set; a published set in a folder of one's own consists of all files there."""


def sources(dataset: Chosen) -> dict[str, Path]:
    """Return the files of one's own that a data set is read from; none where it is fetched or synthesised.

    Returns:
        Files by name: clips by their path below the folder, the label table by its file name.

    Raises:
        DataError: No such folder, or a file whose name the workflow cannot carry.
    """
    folder, labels = (getattr(dataset.settings, name, None) for name in ("folder", "labels"))
    found: dict[str, Path] = {}
    if folder is not None:
        found = _clips(Path(folder), CLIP_SUFFIXES.get(dataset.kind), labels and Path(labels), dataset.kind)
    if labels is not None:
        found[Path(labels).name] = Path(labels)
    refuse_unfit(str(path) for path in found.values())
    return found


def source_digests(dataset: Chosen) -> dict[str, str]:
    """Return the SHA-256 of each of a data set's :func:`sources` by name.

    Raises:
        DataError: As :func:`sources`, or a file that cannot be read.
    """
    return digests_of(sources(dataset))


def external_maps(path: Path) -> dict[str, Path]:
    """Return the files of maps made elsewhere by name: the table itself, or the ``.npy`` files of a folder."""
    if not path.is_dir():
        return {path.name: path}
    return {file.name: file for file in sorted(path.glob("*.npy")) if file.is_file()}


def map_digests(explainer: Chosen) -> dict[str, str]:
    """Return 16 digits of the SHA-256 of each file behind the explainer ``external`` by name; of others none.

    Raises:
        DataError: A file that cannot be read.
    """
    path: Any = getattr(explainer.settings, "path", None)
    if path is None:
        return {}
    return {name: content[:16] for name, content in digests_of(external_maps(Path(path))).items()}


def fit_digests(detector: Chosen) -> dict[str, str]:
    """Return 16 digits of the SHA-256 of each file that a detector's fit reads (weights of one's own) by name.

    Raises:
        DataError: A file that cannot be read.
    """
    files = {path.name: path for path in detector.settings.own_files()}
    return {name: content[:16] for name, content in digests_of(files).items()}


def say_unused(folder: Path, suffixes: Collection[str], labels: str | None) -> str:
    """Warn, in one line, of sound below a folder that is none of its clips.

    Args:
        folder: Folder of the clips.
        suffixes: Suffixes of clips.
        labels: Table of labels, if one names the clips.

    Returns:
        The line; empty where all sound is used.

    Raises:
        DataError: No such folder, or one that cannot be looked into.
    """
    table = Path(labels) if labels else None
    said = unused_sound(folder, suffixes, _listed(folder, suffixes, table), table)
    if said:
        log.warning("%s", said)
    return said


def joint(digests: Mapping[str, str]) -> str | None:
    """Return one digest of names and contents; None of nothing."""
    return digest(dict(digests)) if digests else None


def _clips(folder: Path, suffixes: Collection[str] | None, table: Path | None, kind: str) -> dict[str, Path]:
    if suffixes is None:
        # an archive, a list or a clip: which of them is read is the loader's business
        return {path: folder / path for path in clip_files(folder, None)}
    # the planer's table adds labels to all files that are there
    listed = _listed(folder, suffixes, None if kind == "planer" else table)
    return {path: folder / path for path in listed}


def _listed(folder: Path, suffixes: Collection[str], table: Path | None) -> list[str]:
    return clip_files(folder, suffixes) if table is None else sorted(set(_named(table, folder, suffixes)))


def _named(table: Path, folder: Path, suffixes: Collection[str]) -> Iterator[str]:
    """Paths of clips that stand anywhere in a table of whatever dialect: more is harmless, less is not."""
    text = _text(table)
    by_name: dict[str, list[str]] = {}
    for separator in ",;\t|":
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                for field in row:
                    yield from _clip(field.strip().replace("\\", "/"), folder, suffixes, by_name)
        except csv.Error:
            continue


def _clip(
    field: str, folder: Path, suffixes: Collection[str], by_name: dict[str, list[str]]
) -> Iterator[str]:
    """Paths that a field may mean; ``by_name`` holds the folder's clips by composed name once one was looked up."""
    if not field.lower().endswith(tuple(suffixes)):
        return
    try:
        if (folder / field).is_file():
            yield Path(field).as_posix()
            return
    except (OSError, ValueError):
        return
    # spelled otherwise in Unicode, as a whole or in some folder's name
    if not by_name:
        for path in clip_files(folder, suffixes):
            by_name.setdefault(unicodedata.normalize("NFC", path), []).append(path)
    yield from by_name.get(unicodedata.normalize("NFC", Path(field).as_posix()), [])


def _text(table: Path) -> str:
    try:
        content = table.read_bytes()
    except OSError:
        # the table itself is among the sources, and is refused by name there
        return ""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("latin-1")
