"""Ready-made spectrograms from files that may come from anywhere: nothing in them is ever executed."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import torch

from soundproof.audio.file_kinds import SPECTROGRAM_SUFFIXES
from soundproof.core.errors import DataError

SUFFIXES = SPECTROGRAM_SUFFIXES


def read_spectrogram(path: Path) -> np.ndarray:
    """Read a spectrogram from a ``.pt`` tensor or a ``.npy`` array.

    Returns:
        float32 [n_freq, n_frames]; leading axes of length one are dropped.

    Raises:
        DataError: The file is corrupt, would need code to be run, is not a matrix of real numbers, or holds values
            that are not finite or all the same.
    """
    try:
        return parse_spectrogram(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"the spectrogram {path}", str(error), "fetch it again") from error


def parse_spectrogram(path: Path, content: bytes) -> np.ndarray:
    """Read a spectrogram from a file's bytes; see :func:`read_spectrogram`."""
    stream = io.BytesIO(content)
    try:
        values = (
            _tensor(path, stream) if path.suffix.lower() == ".pt" else np.load(stream, allow_pickle=False)
        )
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "save a plain tensor with torch.save, or a plain array with numpy.save"
        raise DataError(f"the spectrogram {path}", reason, remedy) from error
    return _checked(path, values)


def _tensor(path: Path, stream: io.BytesIO) -> np.ndarray:
    tensor = torch.load(stream, map_location="cpu", weights_only=True)
    if not isinstance(tensor, torch.Tensor):
        raise DataError(f"the spectrogram {path}", f"a {type(tensor).__name__}", "save one tensor per file")
    # numpy knows no bfloat16, and converting a complex tensor would silently drop its imaginary part
    array: np.ndarray = (tensor if tensor.is_complex() else tensor.float()).detach().to_dense().numpy()
    return array


def _checked(path: Path, values: np.ndarray) -> np.ndarray:
    shape = values.shape
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiu":
        found = f"shape {shape} of {values.dtype}"
        raise DataError(
            f"the spectrogram {path}", found, "give one matrix [n_freq, n_frames] of real numbers"
        )
    spectrogram = np.ascontiguousarray(values, dtype=np.float32)
    n_bad = int(np.count_nonzero(~np.isfinite(spectrogram)))
    if n_bad:
        raise DataError(f"the spectrogram {path}", f"{n_bad} values are NaN or infinite", "compute it again")
    if spectrogram.min() == spectrogram.max():
        raise DataError(f"the spectrogram {path}", f"all values are {spectrogram[0, 0]:g}", "remove the clip")
    return spectrogram
