"""Outputs are written under a temporary name and renamed: a file that exists is whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from soundproof.core.errors import SoundproofError, StorageError

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "the file is too big",
}
_CLOSED = {
    errno.EROFS: "a read-only file system",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
}
_NUMBER = re.compile(r"\[errno (\d+)\]|os error (\d+)", re.IGNORECASE)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it into place if the block succeeds, else remove it.

    Raises:
        StorageError: The disk is full or the folder cannot be written, whichever library ran into it.
    """
    # the suffix stays last because matplotlib, pandas and torch choose the format by it
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    with storage_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            # some writers make files for their owner alone; results are for whoever may read the folder
            partial.chmod(0o666 & ~_umask())
            partial.replace(path)
        finally:
            _remove(partial)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``folder``; rename it into place if the block succeeds, else remove it.

    Where another process has put the same folder there in the meantime, that one stays.

    Raises:
        StorageError: As :func:`whole_file`.
    """
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    with storage_errors(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            yield partial
            try:
                partial.replace(folder)
            except OSError:
                # a folder cannot replace one that holds something
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Say of a failure to write ``path``, or a file beside or below it, what it means for the disk.

    Raises:
        StorageError: The disk is full or the folder cannot be written. Other errors pass.
    """
    try:
        yield
    except Exception as error:
        problem = _storage_error(error, path)
        if problem is None:
            raise
        raise problem from error


def is_partial(path: Path) -> bool:
    """Whether a name is one that :func:`whole_file` gives while it writes."""
    return path.name.startswith(".") and ".part" in path.suffixes


def remove_partials(folder: Path) -> int:
    """Remove what killed writers left below a folder; nobody may be writing there.

    Returns:
        How many files were removed.
    """
    found = [path for path in folder.rglob(".*") if is_partial(path)]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            _remove(path)
    return len(found)


def require_writable(folder: Path) -> None:
    """Refuse to begin a run whose results have nowhere to go.

    Args:
        folder: Folder of results; need not exist.

    Raises:
        StorageError: Nothing can be written there.
    """
    existing = _standing(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StorageError(
            f"write to {folder}",
            f"{existing} is read-only for this user",
            "make it writable, or name another place with --config results_dir=FOLDER",
        )


def _storage_error(error: Exception, path: Path) -> StorageError | None:
    """Word a failure that lies with the disk; None for any other."""
    named = getattr(error, "filename", None)
    if named is not None and path.parent not in Path(named).parents and Path(named) not in path.parents:
        # a file that was read meanwhile, or written elsewhere
        return None
    number = _errno(error)
    asked = f"write {path}"
    if number in _CLOSED:
        return StorageError(
            asked, _CLOSED[number], "make the folder writable, then run the same command again"
        )
    if number not in _FULL:
        return None
    free = shutil.disk_usage(_standing(path.parent)).free
    return StorageError(
        asked,
        f"{_FULL[number]}: {free} bytes are free there, and the file needs more",
        "free some room, then run the same command again: what is finished is kept",
    )


def _errno(error: Exception) -> int | None:
    """Number of the operating system's error behind a library's; None if there is none."""
    if isinstance(error, SoundproofError):
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _NUMBER.search(str(error))
    return int(match[1] or match[2]) if match else None


def _standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _remove(partial: Path) -> None:
    with suppress(OSError):
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask (it can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
