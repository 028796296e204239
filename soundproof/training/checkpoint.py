"""The state of an interrupted training on disk."""

from __future__ import annotations

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from soundproof.storage.files import whole_file


def save_checkpoint(path: Path, fingerprint: str, state: dict[str, Any]) -> None:
    """Write a training state; the file appears whole or not at all.

    Args:
        path: Where.
        fingerprint: Digest of all that must be equal for the state to be of use.
        state: Tensors, numbers, strings and containers of them.

    Raises:
        StorageError: The disk is full or the folder cannot be written; an earlier state stays as it was.
    """
    # by way of memory, because torch's own writer does not say why it failed: a full disk has to be told
    content = io.BytesIO()
    torch.save({"fingerprint": fingerprint, "state": state}, content)
    with whole_file(path) as partial:
        partial.write_bytes(content.getbuffer())


def load_checkpoint(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """Read a training state, None where there is none of use.

    A file that cannot be read, or that belongs to other settings or clips, is passed over with a warning: the
    training starts anew, which costs time but never a wrong result.
    """
    if not path.exists():
        return None
    try:
        # everything goes to the CPU first: optimiser and model move what they need
        found = torch.load(path, map_location="cpu", weights_only=True)
        if found["fingerprint"] == fingerprint:
            state: dict[str, Any] = found["state"]
            return state
        reason = "it belongs to other settings, clips or versions"
    except (
        RuntimeError,
        OSError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        reason = f"it cannot be read ({type(error).__name__})"
    warnings.warn(f"checkpoint {path.name} is ignored: {reason}; training starts anew", stacklevel=2)
    return None
