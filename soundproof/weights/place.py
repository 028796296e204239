"""Where this process finds weights."""

from __future__ import annotations

from pathlib import Path

NAME = "weights"
"""Folder of the weights within the folder of data."""
_folder = Path("data", NAME)


def use_data_dir(data_dir: Path) -> None:
    """Look for weights within this folder of data from now on (jobs tell it from the run's configuration)."""
    global _folder
    _folder = data_dir / NAME


def weights_folder() -> Path:
    """Folder of the weights."""
    return _folder


def weights_file(name: str) -> Path:
    """File of one record's weights; it need not exist."""
    return file_of(name, _folder)


def file_of(name: str, folder: Path) -> Path:
    """The same within any folder of weights."""
    return folder / f"{name}.safetensors"
