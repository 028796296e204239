"""Where the files of a clone lie."""

from __future__ import annotations

from pathlib import Path

from soundproof.core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def studies_dir() -> Path:
    """Folder of study files.

    Raises:
        ConfigError: The package runs outside a clone.
    """
    folder = ROOT / "config" / "studies"
    if not folder.is_dir():
        raise ConfigError("the study files", f"no folder {folder}", "run this from a clone of the repository")
    return folder
