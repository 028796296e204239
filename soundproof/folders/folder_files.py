"""Which files of a folder are clips, and which sound in it is not used (light: no numerical library is loaded).

The loaders and the workflow both ask here, so that nothing is read that is not tracked.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from soundproof.audio.file_kinds import (
    AUDIO_SUFFIXES,
    UNREAD_SUFFIXES,
    in_words,
    sounds_by_content,
    sounds_by_name,
)
from soundproof.core.errors import DataError

LEFT_BEHIND = frozenset(
    {
        *("@eadir", "#recycle", "@recycle", "@recently-snapshot", "@tmp", "#snapshot", "~snapshot"),
        *("$recycle.bin", "recycler", "system volume information", "__macosx", "lost+found"),
        *("network trash folder", "temporary items", "thumbs.db", "ehthumbs.db", "desktop.ini"),
    }
)
"""Names, in small letters, of what file managers and network drives leave in folders."""
_NO_SOUND = frozenset(
    {
        *(".csv", ".tsv", ".txt", ".md", ".json", ".yaml", ".yml", ".xml", ".html", ".pdf", ".png", ".jpg"),
        *(".jpeg", ".svg", ".xlsx", ".xls", ".docx", ".py", ".ipynb", ".npy", ".npz", ".pt", ".parquet"),
        *(".zip", ".gz", ".7z", ".tar", ".log", ".ini", ".db"),
    }
)
_NAMED = 3


def clip_files(folder: Path, suffixes: Collection[str] | None) -> list[str]:
    """Return the clips (or all files) below a folder as relative paths with forward slashes, in order.

    Links are followed, except those that lead back into the folder. Passed over are hidden files and folders and
    what file managers and network drives leave behind (:data:`LEFT_BEHIND`).

    Raises:
        DataError: No such folder, or one inside it that cannot be looked into.
    """
    if not folder.is_dir():
        raise DataError(f"the folder {folder}", "no such folder", "correct 'folder' of the data set")
    return sorted(
        path
        for path, why in _walk(folder, everything=False)
        if not why and (suffixes is None or PurePosixPath(path).suffix.lower() in suffixes)
    )


def unused_sound(
    folder: Path, suffixes: Collection[str], used: Collection[str], table: Path | None = None
) -> str:
    """Say in one line which sound below a folder is not used and why; nothing if all of it is.

    Args:
        folder: Folder of the clips.
        suffixes: Suffixes of clips.
        used: Relative paths of the clips that are used.
        table: Table that names the clips, if one does.

    Raises:
        DataError: A folder cannot be looked into.
    """
    known = set(used)
    reasons: dict[str, list[str]] = defaultdict(list)
    for path, why in _walk(folder, everything=True):
        reason = path not in known and _reason(folder, path, why, suffixes, table)
        if reason:
            reasons[reason].append(path)
    if not reasons:
        return ""
    count = sum(map(len, reasons.values()))
    said = "; ".join(f"{len(paths)} {reason} ({_some(paths)})" for reason, paths in sorted(reasons.items()))
    return f"{folder}: {count} sound file{'s are' if count > 1 else ' is'} not used: {said}"


def _reason(folder: Path, path: str, why: str, suffixes: Collection[str], table: Path | None) -> str:
    """Why a file of sound that nobody uses is none of the clips; nothing where it holds no sound."""
    name = PurePosixPath(path).name
    suffix = PurePosixPath(path).suffix.lower()
    if why:
        holds = sounds_by_name(name) and (suffix == ".icloud" or sounds_by_content(folder / path))
        return why if holds else ""
    if suffix in suffixes and table is not None:
        return f"not named in {table.name}"
    if suffix in AUDIO_SUFFIXES:
        return f"no clip of this data set, which reads {in_words(suffixes)}"
    if suffix in UNREAD_SUFFIXES:
        return "in a format that libsndfile cannot read: convert to wav or flac"
    if suffix not in _NO_SOUND and sounds_by_content(folder / path):
        return "with a name that ends in no suffix of sound: rename, if it is whole"
    return ""


def _walk(folder: Path, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield (relative path, why it is passed over) of all files; the reason is empty where it is not.

    Args:
        folder: Where to begin.
        everything: Whether to yield what is passed over as well.
    """
    root = Path(os.path.realpath(folder))
    waiting = [("", "")]
    while waiting:
        place, above = waiting.pop()
        for entry in _entries(folder / place, passed_over=bool(above)):
            path = f"{place}/{entry.name}" if place else entry.name
            why = above or _passed_over(entry.name)
            if why and not everything:
                continue
            if entry.is_dir():
                if not entry.is_symlink() or not _leads_back(Path(entry.path), root):
                    waiting.append((path, why))
            elif entry.is_file() or _is_dangling(entry):
                yield path, why


def _entries(folder: Path, *, passed_over: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        if passed_over:
            return []
        raise DataError(
            f"the folder {folder}", str(error.strerror), "make it readable, or move it elsewhere"
        ) from error


def _passed_over(name: str) -> str:
    if name.startswith("."):
        return "not there yet (a placeholder of a synced folder)" if name.endswith(".icloud") else "hidden"
    if name.lower() in LEFT_BEHIND or name.startswith(("~$", "~syncthing~")):
        return "left behind by a file manager or network drive"
    return ""


def _leads_back(link: Path, root: Path) -> bool:
    """Whether a link points to a folder that holds the data or the link, or that the data holds by its own name."""
    target, place = Path(os.path.realpath(link)), Path(os.path.realpath(link.parent))
    return root in (target, *target.parents) or target in (*root.parents, place, *place.parents)


def _is_dangling(entry: os.DirEntry[str]) -> bool:
    """Whether a link points to nothing: a clip that is not there, which its reader shall refuse by name."""
    try:
        return entry.is_symlink() and not Path(entry.path).exists()
    except OSError:
        return False


def _some(paths: list[str]) -> str:
    named = ", ".join(f"'{path}'" for path in sorted(paths)[:_NAMED])
    return named + (", ..." if len(paths) > _NAMED else "")
