"""Tensors from a file that someone else made, without executing anything in it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from soundproof.core.errors import DataError

# what numpy's whole numbers consist of: tables of classes beside the weights hold them
_HARMLESS: list[Any] = [
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # type: ignore[attr-defined]
    np.dtype,
    np.dtypes.Int64DType,
]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of weights.

    Args:
        path: ``.safetensors``, or ``.pt``/``.pth`` that holds tensors by name.

    Raises:
        DataError: There is none, or it holds anything but tensors by name.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"weights {path}", error.strerror or str(error), "name a file that exists") from error
    if path.suffix != ".safetensors":
        return tensors_of(content, path.name)
    try:
        return load(content)
    except SafetensorError as error:
        raise _unusable(path.name, f"no safetensors: {error}") from error


def tensors_of(content: bytes, name: str, within: tuple[str | int, ...] = ()) -> dict[str, Tensor]:
    """Tensors by name in a PyTorch checkpoint.

    Args:
        content: The file.
        name: What it is called in messages.
        within: Keys and positions that lead to them.

    Raises:
        DataError: It would have to be unpickled, is damaged, or holds something else there.
    """
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            value = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        for key in within:
            value = value[key]
    except pickle.UnpicklingError as error:
        found = "a pickle that would run code of its own"
        raise _unusable(name, f"{found} ({str(error).splitlines()[0]})") from error
    except (RuntimeError, EOFError, KeyError, IndexError, TypeError, ValueError) as error:
        raise _unusable(name, f"{type(error).__name__}: {error}") from error
    if not isinstance(value, Mapping) or not all(isinstance(item, Tensor) for item in value.values()):
        raise _unusable(name, "something other than tensors by name")
    return {str(key): item for key, item in value.items()}


def _unusable(name: str, found: str) -> DataError:
    return DataError(
        f"weights {name} that can be read without running anything",
        found,
        "save the state_dict alone, best as safetensors (safetensors.torch.save_file(model.state_dict(), file))",
    )
