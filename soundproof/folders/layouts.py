"""What folder and file names say about clips: split, label, machine, id and domain."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from soundproof.audio.file_kinds import in_words
from soundproof.core.errors import DataError
from soundproof.folders.folder_files import clip_files, unused_sound
from soundproof.folders.settings import MACHINE_ID, fit_for_a_name

log = logging.getLogger(__name__)

LABELS = {"normal": "normal", "anomaly": "anomaly", "abnormal": "anomaly", "anomalous": "anomaly"}
NO_ID = "all"
"""``machine_id`` of clips whose machines are not told apart."""

LAYOUTS = "train/normal, test/normal and test/anomaly, or normal/ and abnormal/, or a CSV under 'labels'"

_SPLITS: dict[str, tuple[str, str | None]] = {
    "train": ("train", None),
    "test": ("test", None),
    "source_test": ("test", "source"),
    "target_test": ("test", "target"),
}
# File names of DCASE Task 2 since 2021, and of 2020 (the label alone also serves one's own names).
_SECTIONED = re.compile(r"(section_\d+)_(source|target)_(train|test)_(normal|anomaly)_")
_LABELLED = re.compile(r"(normal|anomaly|abnormal)(?:_(id_\d+))?(?![A-Za-z])")


@dataclass(frozen=True)
class Event:
    """A labelled event ``[onset_s, offset_s)`` in its clip; the band is None where only time was labelled."""

    onset_s: float
    offset_s: float
    low_hz: float | None = None
    high_hz: float | None = None


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A clip's file and what is known about it.

    Attributes:
        path: Relative to the data set's folder, with forward slashes.
        split: ``train``, ``test``, or None where nothing tells.
        label: ``normal`` or ``anomaly``.
        machine: Name, or None where nothing tells.
        machine_id: Which machine of that kind.
        domain: ``source``, ``target`` or None.
        anomaly_type: Kind of the anomaly, where known.
        events: None where nobody labelled events.
    """

    path: str
    split: str | None
    label: str
    machine: str | None = None
    machine_id: str = NO_ID
    domain: str | None = None
    anomaly_type: str | None = None
    events: tuple[Event, ...] | None = None


def some_clip_files(folder: Path, suffixes: Collection[str]) -> list[str]:
    """Return the clips below a folder, as :func:`soundproof.folders.folder_files.clip_files`.

    Raises:
        DataError: No such folder, or no clip in it.
    """
    found = clip_files(folder, suffixes)
    if not found:
        said = f"no file that ends in {in_words(suffixes)}"
        unused = unused_sound(folder, suffixes, ())
        raise DataError(
            f"clips in {folder}", f"{said}; {unused}" if unused else said, f"expected are {LAYOUTS}"
        )
    return found


def scan(folder: Path, suffixes: Collection[str]) -> list[LabelledFile]:
    """Read the labels off folder and file names.

    Folder names go before file names. Understood are the layouts of MIMII (``id_00/normal``, ``id_00/abnormal``),
    of DCASE Task 2 and MIMII DUE (``train``, ``test``, ``source_test``, ``target_test`` with speaking file names),
    and ``train/normal``, ``test/normal``, ``test/anomaly``. A folder above these names the machine, a folder below
    an anomaly folder the kind of anomaly.

    Raises:
        DataError: No clips, or a clip whose split or label cannot be told.
    """
    files = [_read_names(path) for path in some_clip_files(folder, suffixes)]
    unlabelled = [file.path for file in files if not file.label and file.split != "train"]
    if unlabelled:
        found = f"{len(unlabelled)} of {len(files)} clips without label, first '{unlabelled[0]}'"
        raise DataError(f"labels of the clips in {folder}", found, f"expected are {LAYOUTS}")
    unsplit = [file.path for file in files if file.split is None]
    if 0 < len(unsplit) < len(files):
        found = f"{len(unsplit)} of {len(files)} clips are in neither, first '{unsplit[0]}'"
        raise DataError(
            f"train and test clips in {folder}", found, "sort all clips, or none, into train/ and test/"
        )
    assumed = sum(not file.label for file in files)
    if assumed:
        log.info("%s: %d training clips without label are taken as normal", folder, assumed)
    return [file if file.label else replace(file, label="normal") for file in files]


def _read_names(path: str) -> LabelledFile:
    """Read one path; an empty label stands for none."""
    *folders, name = PurePosixPath(path).parts
    split, domain, label, machine_id = None, None, "", NO_ID
    above: list[str] = []
    below: list[str] = []
    for folder in folders:
        key = folder.lower()
        if key in _SPLITS and split is None:
            split, domain = _SPLITS[key]
        elif key in LABELS and not label:
            label = LABELS[key]
        elif MACHINE_ID.fullmatch(folder):
            machine_id = folder
        else:
            (below if label else above).append(folder)
    sectioned, labelled = _SECTIONED.match(name), _LABELLED.match(name)
    if sectioned:
        machine_id, domain = sectioned[1], sectioned[2]
        split, label = split or sectioned[3], label or LABELS[sectioned[4]]
    elif labelled:
        label = label or LABELS[labelled[1]]
        machine_id = labelled[2] or machine_id
    kind = "_".join(below) if below and label == "anomaly" else None
    machine = fit_for_a_name("_".join(above)) if above else None
    return LabelledFile(
        path=path,
        split=split,
        label=label,
        machine=machine,
        machine_id=machine_id,
        domain=domain,
        anomaly_type=kind,
    )
