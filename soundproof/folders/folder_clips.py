"""The labelled clips of a folder, with split and machine settled: shared by recordings and spectrograms."""

from __future__ import annotations

import difflib
import hashlib
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from soundproof.core.errors import DataError, SettingError
from soundproof.folders.label_table import read_labels
from soundproof.folders.layouts import LAYOUTS, Event, LabelledFile, scan
from soundproof.folders.settings import FolderParameters, fit_for_a_name
from soundproof.randomness.seeding import seed_from

log = logging.getLogger(__name__)

LONGEST_ID = 120


def folder_clips(settings: FolderParameters, suffixes: Collection[str]) -> list[LabelledFile]:
    """Return a folder's clips in the order of their paths, each with a split and a machine.

    Raises:
        DataError: Labels are missing or contradict each other, or a machine has no normal training clip or no test
            clip.
    """
    folder = Path(settings.folder)
    found = scan(folder, suffixes) if settings.labels is None else _from_table(settings, folder, suffixes)
    files = _split(_with_machines(found, settings), settings)
    for machine in settings.machines:
        _check_machine(folder, machine, [file for file in files if file.machine == machine])
    return files


def _from_table(settings: FolderParameters, folder: Path, suffixes: Collection[str]) -> list[LabelledFile]:
    files = read_labels(Path(str(settings.labels)), folder, suffixes)
    unsplit = [file.path for file in files if file.split is None]
    if 0 < len(unsplit) < len(files):
        found = f"{len(unsplit)} of {len(files)} clips without, first '{unsplit[0]}'"
        raise DataError(f"splits in {settings.labels}", found, "give every clip a split, or none")
    return files


def _with_machines(files: list[LabelledFile], settings: FolderParameters) -> list[LabelledFile]:
    if settings.machine is not None:
        return [replace(file, machine=settings.machine) for file in files]
    default = settings.machines[0] if len(settings.machines) == 1 else None
    named = [
        replace(file, machine=fit_for_a_name(file.machine) if file.machine else default) for file in files
    ]
    others = Counter(file.machine for file in named if file.machine not in settings.machines)
    if others:
        found = ", ".join(f"{name or 'no machine'} ({count} clips)" for name, count in others.items())
        names = sorted({str(file.machine) for file in named if file.machine})
        remedy = (
            "list them under 'machines' (add 'scope: machine' to the study for a model each), name one sub-folder "
            "as the folder, or set 'machine' to give all clips one name"
        )
        asked = f"machines {', '.join(settings.machines)} in {settings.folder}"
        # clips without a machine belong to one only if it is the only one
        changes = {"machines": names} if None not in others else {"machine": settings.machines[0]}
        raise SettingError(asked, f"also {found}", remedy, changes)
    return named


def _split(files: list[LabelledFile], settings: FolderParameters) -> list[LabelledFile]:
    """Hold out normal clips where nothing tells training from test, machine by machine.

    All anomalies are test clips; of the normal clips as many are held out, but at most the share ``test_share``.
    Which ones depends on the seed and on each clip's own path alone, so that clips added later move no other clip
    except at the edge.
    """
    if all(file.split is not None for file in files):
        return files
    groups: dict[tuple[str | None, str], list[LabelledFile]] = defaultdict(list)
    for file in files:
        groups[file.machine, file.machine_id].append(file)
    held_out: set[str] = set()
    for group in groups.values():
        normal = sorted(
            (file.path for file in group if file.label == "normal"),
            key=lambda path: seed_from("held-out normal clips", settings.seed, path),
        )
        n_anomalies = len(group) - len(normal)
        held_out.update(normal[: min(n_anomalies, int(settings.test_share * len(normal)))])
    _check_held_out(files, held_out, settings)
    log.info(
        "%s: %d normal clips held out for the test (seed %d)", settings.folder, len(held_out), settings.seed
    )
    return [
        replace(file, split="test" if file.label == "anomaly" or file.path in held_out else "train")
        for file in files
    ]


def _check_held_out(files: list[LabelledFile], held_out: set[str], settings: FolderParameters) -> None:
    for machine in settings.machines:
        own = [file for file in files if file.machine == machine]
        normal = [file.path for file in own if file.label == "normal"]
        if len(normal) == len(own) or not normal or held_out & set(normal):
            continue
        asked = f"normal test clips of machine '{machine}' in {settings.folder}"
        found = (
            f"none: {len(normal)} normal file(s), first '{normal[0]}', of which the share {settings.test_share:g} "
            "for the test ('test_share') is less than one file"
        )
        remedy = (
            "add normal recordings, or cut the one there is into several files (ffmpeg -i IN.wav -f segment "
            "-segment_time 60 OUT%03d.wav); or sort the files into train/normal, test/normal and test/anomaly"
        )
        raise DataError(asked, found, remedy)


def _check_machine(folder: Path, machine: str, files: list[LabelledFile]) -> None:
    asked = f"clips of machine '{machine}' in {folder}"
    wrong = [file.path for file in files if file.split == "train" and file.label == "anomaly"]
    if wrong:
        found = f"{len(wrong)} training clips are labelled anomaly, first '{wrong[0]}'"
        raise DataError(asked, found, "detectors train on normal clips only: move them to the test split")
    splits = Counter(file.split for file in files)
    if not splits["train"]:
        raise DataError(asked, f"none of {len(files)} is a normal training clip", f"expected are {LAYOUTS}")
    if not splits["test"]:
        raise DataError(
            asked, "no test clips", f"add normal and anomalous test clips; expected are {LAYOUTS}"
        )


def check_events(file: LabelledFile, duration_s: float, highest_hz: float, tolerance_s: float) -> None:
    """Refuse an event that lies outside its clip.

    Args:
        file: The clip.
        duration_s: Its length.
        highest_hz: Upper end of its frequencies.
        tolerance_s: By how much labels may overshoot the end, as rounded labels do.

    Raises:
        DataError: The event that does.
    """
    for event in file.events or ():
        if event.offset_s > duration_s + tolerance_s:
            found = f"an event from {event.onset_s:g} to {event.offset_s:g} s in a clip of {duration_s:g} s"
            raise DataError(
                f"the events of '{file.path}'", found, "correct the labels (seconds from the clip's start)"
            )
        if event.high_hz is not None and event.high_hz > highest_hz:
            found = f"an event up to {event.high_hz:g} Hz in a clip up to {highest_hz:g} Hz"
            raise DataError(f"the events of '{file.path}'", found, "correct the labels (Hz)")


def events_within(events: Iterable[Event], start_s: float, end_s: float) -> list[dict[str, float | None]]:
    """Cut events to ``[start_s, end_s)`` and count their time from its start."""
    return [
        {
            "onset_s": max(event.onset_s, start_s) - start_s,
            "offset_s": min(event.offset_s, end_s) - start_s,
            "low_hz": event.low_hz,
            "high_hz": event.high_hz,
        }
        for event in events
        if event.onset_s < end_s and event.offset_s > start_s
    ]


def clip_ids(paths: Sequence[str]) -> dict[str, str]:
    """Name clips after their paths, fit for a file name and unique even where case does not count.

    A path that such a name cannot hold, or whose name another path shares, gets eight digits of its own SHA-256.
    """
    plain = {path: PurePosixPath(path).with_suffix("").as_posix().replace("/", "--") for path in paths}
    shared = Counter(name.lower() for name in plain.values())
    return {
        path: name
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name)
        and name.count("--") == path.count("/")
        and len(name) <= LONGEST_ID
        and shared[name.lower()] == 1
        else _digested(path, name)
        for path, name in plain.items()
    }


def _digested(path: str, name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-")[:LONGEST_ID]
    return f"{safe}-{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def repeated_across_splits(clips: pd.DataFrame) -> list[tuple[str, str]]:
    """Return pairs of (training, test) paths whose files are byte for byte the same."""
    files = clips[["path", "split", "sha256"]].drop_duplicates("path")
    pairs = files[files["split"] == "train"].merge(files[files["split"] == "test"], on="sha256")
    return list(zip(pairs["path_x"], pairs["path_y"], strict=True))


def refuse_leaks(clips: pd.DataFrame, folder: Path) -> None:
    """Refuse a test clip that was also trained on.

    Raises:
        DataError: The first pair of files, and their number.
    """
    refuse_pairs(repeated_across_splits(clips), folder, "files")


def refuse_pairs(pairs: Sequence[tuple[str, str]], folder: Path, what: str) -> None:
    """Refuse pairs of a training and a test clip that are the same.

    Args:
        pairs: Their paths.
        folder: Folder of the clips, for the message.
        what: What is the same, in the plural.

    Raises:
        DataError: The first pair, and their number.
    """
    if pairs:
        found = f"{len(pairs)} {what} are in both, first '{pairs[0][0]}' and '{pairs[0][1]}'"
        raise DataError(f"separate training and test clips in {folder}", found, "remove one of each pair")


def unknown_clip(dataset: str, clip_id: str, known: Iterable[str]) -> DataError:
    """Phrase the error for an id that no clip has."""
    names = list(known)
    close = difflib.get_close_matches(clip_id, names, n=3)
    remedy = f"did you mean one of: {', '.join(close)}?" if close else "take an id from the clips table"
    return DataError(f"clip '{clip_id}' of data set '{dataset}'", f"no such clip among {len(names)}", remedy)
