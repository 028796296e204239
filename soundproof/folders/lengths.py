"""How long the clips of recordings of unequal length are, and which recordings are too short to count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from soundproof.clips.notes import Note, count
from soundproof.core.errors import SettingError
from soundproof.folders.layouts import LabelledFile

OUTLIER = 0.1
"""A recording shorter than this share of the median length is taken for an accident."""
MOST_OUTLIERS = 0.05
"""Share of the recordings that may be accidents (one always may); more are no accident."""
LONG = 10.0
"""A recording so many times the median length that gives most of the clips is named."""


@dataclass(frozen=True)
class Lengths:
    """What was settled.

    Attributes:
        seconds: Length of all clips.
        from_path: Recording that it is the length of; empty where it was set.
        left_out: Recordings that are not used.
        median_s: Median length of all recordings.
    """

    seconds: float
    from_path: str
    left_out: tuple[str, ...]
    median_s: float


def settle(
    folder: Path, files: Sequence[LabelledFile], lengths: Mapping[str, float], wanted: float | None
) -> Lengths:
    """Settle the clips' length: ``wanted`` seconds, or the shortest recording's that is no accident.

    A recording shorter than a tenth of the median length is an accident. Normal ones are left out where they are
    few (at most a twentieth of the recordings; one always may be). More, faulty ones, and those without which a
    machine would lack training clips or normal test clips are refused. Where a length is set, recordings
    of at least that length are used however short.

    Args:
        folder: Folder of the recordings, for messages.
        files: The recordings.
        lengths: Their lengths in seconds, by path.
        wanted: Length that was set, or None.

    Raises:
        SettingError: Accidents that cannot be left out, or recordings shorter than the length that was set.
    """
    middle = median(lengths.values())
    outliers = [
        path
        for path, seconds in lengths.items()
        if seconds < OUTLIER * middle and (wanted is None or seconds < wanted)
    ]
    usual = {path: seconds for path, seconds in lengths.items() if path not in set(outliers)}
    shortest = min(usual, key=lambda path: (usual[path], path))
    if outliers:
        _check_outliers(folder, files, lengths, outliers, middle, usual[shortest])
    if wanted is None:
        return Lengths(usual[shortest], shortest, tuple(outliers), middle)
    short = [path for path, seconds in usual.items() if seconds < wanted]
    if short:
        found = f"{len(short)} of {len(lengths)} are shorter: {_with_lengths(short, lengths)}"
        fitting = rounded_down(usual[shortest])
        remedy = f"set 'segment_seconds' to {fitting:g} or less, or remove the short recordings"
        asked = f"segments of {wanted:g} s from the recordings in {folder}"
        raise SettingError(asked, found, remedy, {"segment_seconds": fitting})
    return Lengths(wanted, "", tuple(outliers), middle)


def _check_outliers(
    folder: Path,
    files: Sequence[LabelledFile],
    lengths: Mapping[str, float],
    outliers: Sequence[str],
    middle: float,
    next_s: float,
) -> None:
    out = set(outliers)
    faulty = [file.path for file in files if file.path in out and file.label == "anomaly"]
    groups = Counter((file.machine, file.split) for file in files if file.label == "normal")
    lost = Counter(
        (file.machine, file.split) for file in files if file.label == "normal" and file.path in out
    )
    emptied = any(groups[group] == number for group, number in lost.items())
    if not faulty and not emptied and len(outliers) <= max(1, MOST_OUTLIERS * len(lengths)):
        return
    least = rounded_down(min(lengths.values()))
    shown = _with_lengths(outliers, lengths)
    found = f"{len(outliers)} of {len(lengths)} are shorter than a tenth of that: {shown}"
    remedy = (
        f"remove them, so that clips are {next_s:g} s long; or, to cut all recordings to pieces as short as they "
        f"are, set 'segment_seconds' to {least:g}"
    )
    asked = f"recordings in {folder} of a length like the median, {middle:g} s"
    raise SettingError(asked, found, remedy, {"segment_seconds": least})


def rounded_down(seconds: float) -> float:
    """The largest number of four digits that is not above ``seconds``, since it is what messages say to set."""
    step = 10.0 ** (math.floor(math.log10(seconds)) - 3)
    nearest = float(f"{seconds:.4g}")
    return nearest if nearest <= seconds else float(f"{nearest - step:.4g}")


def _with_lengths(paths: Sequence[str], lengths: Mapping[str, float], most: int = 5) -> str:
    shown = ", ".join(f"'{path}' of {lengths[path]:.6g} s" for path in paths[:most])
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"


def length_notes(settled: Lengths, lengths: Mapping[str, float], clips: Mapping[str, int]) -> list[Note]:
    """State which recordings were left out, and which one gives most of the clips.

    Args:
        settled: What was settled.
        lengths: Length of each recording in seconds, by path.
        clips: Number of clips of each recording, by path.
    """
    notes = []
    if settled.left_out:
        text = (
            f"{count(len(settled.left_out), 'recording')} shorter than a tenth of the median length "
            f"{settled.median_s:g} s: {_with_lengths(settled.left_out, lengths)}; remove them, or set "
            "'segment_seconds' to use them"
        )
        notes.append(Note("left out", "Too short", text))
    total = sum(clips.values())
    longest = max(clips, key=lambda path: (clips[path], path))
    if lengths[longest] >= LONG * settled.median_s and 2 * clips[longest] > total:
        text = f"'{longest}' of {lengths[longest]:g} s alone gives {clips[longest]} of the {total} clips"
        notes.append(Note("caution", "One long recording", text))
    return notes
