"""A relevance map from a ``.npy`` file that may come from anywhere: nothing in it is ever executed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from soundproof.core.errors import DataError

_MAGIC = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_SAVE = "save the map with numpy.save as one plain array of real numbers"
_SAME_GRID = "explain the features of this run: same recipe, same clip length"


def read_map(file: Path, shape: tuple[int, int]) -> np.ndarray:
    """Read one map, float32 [n_freq, n_frames].

    Raises:
        DataError: The file is missing, no whole ``.npy``, of another shape, or holds something other than finite
            real numbers.
    """
    if not file.is_file():
        raise DataError(f"map of clip '{file.stem}'", f"no file {file}", "add the file, one per test clip")
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_MAGIC))
        if not start.startswith(_MAGIC):
            kind = "a .npz archive" if start.startswith(_ZIP) else "no .npy file"
            raise DataError(f"the map {file}", f"it is {kind}" if start else "an empty file", _SAVE)
        # mapped, so that a header that promises more than the file holds costs no memory
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError) as error:
        raise DataError(f"the map {file}", _reason(error), _SAVE) from error
    if stored.dtype.kind not in "fiub":
        raise DataError(f"the map {file}", f"values of type {stored.dtype}, which are no real numbers", _SAVE)
    check_shape(str(file), stored.shape, shape)
    # as torch takes it, whatever its byte order and width
    with np.errstate(over="ignore"):
        return check_finite(str(file), np.array(stored, dtype=np.float32, order="C"))


def check_shape(what: str, found: tuple[int, ...], shape: tuple[int, int]) -> None:
    """Refuse maps of another grid.

    Raises:
        DataError: The shape is another.
    """
    if tuple(found) != shape:
        raise DataError(
            f"{what} of shape {shape} (frequency bins, frames)", f"shape {tuple(found)}", _SAME_GRID
        )


def check_finite(what: str, values: np.ndarray) -> np.ndarray:
    """Return the values.

    Raises:
        DataError: Some are NaN, infinite or too large for single precision.
    """
    n_bad = int(np.count_nonzero(~np.isfinite(values)))
    if n_bad:
        found = f"{n_bad} of {values.size} values are NaN, infinite or too large for single precision"
        raise DataError(f"the map {what}", found, "compute it again")
    return values


def _reason(error: BaseException) -> str:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "mmap length" in said or said.startswith("EOF") or isinstance(error, EOFError | MemoryError):
        return "it is cut off: its header promises more than it holds"
    return "it holds Python objects, not numbers" if "object" in said else said
