"""Errors that say what was asked, what was found, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class SoundproofError(Exception):
    """A failure that its reader can act upon.

    Args:
        asked: What was requested, naming the key, file or clip.
        found: What was there instead.
        remedy: What to do next.

    Attributes:
        curable: Whether a second attempt may succeed where nobody has done anything meanwhile.
    """

    curable = False

    def __init__(self, asked: str, found: str, remedy: str) -> None:
        super().__init__(asked, found, remedy)
        self.asked = asked
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.asked}\n  found: {self.found}\n  to do: {self.remedy}"


class ConfigError(SoundproofError):
    """A setting that cannot be used."""


class DataError(SoundproofError):
    """A recording, label or folder that cannot be used."""


class SettingError(DataError):
    """Data that the settings of the data set do not fit, and that other settings would.

    Args:
        asked: As for any error.
        found: As for any error.
        remedy: What to set, in words.
        changes: Keys of the data set and the values to try; where to write them depends on how the run was started.
    """

    def __init__(self, asked: str, found: str, remedy: str, changes: Mapping[str, Any]) -> None:
        super().__init__(asked, found, remedy)
        self.changes = dict(changes)


class DownloadError(SoundproofError):
    """A file that could not be fetched, or that is not the file it should be."""

    curable = True


class ArtefactError(SoundproofError):
    """A result file that is missing, half-written, stale or of the wrong kind."""

    # network file systems show a file late
    curable = True


class StorageError(SoundproofError):
    """A disk or folder that cannot take what is to be written."""

    curable = True


class MemoryShortage(SoundproofError):
    """More memory asked for than there is."""

    # a second attempt has twice as much
    curable = True


def nearest(name: str, known: Iterable[str]) -> str:
    """Phrase the known names, nearest first, for the ``to do`` line of an error."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    listed = ", ".join(names)
    return f"did you mean '{close[0]}'? Known: {listed}" if close else f"use one of: {listed}"
