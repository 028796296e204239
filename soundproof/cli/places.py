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


def study_folder(study: Path) -> Path:
    """The folder that the name of a study stands for: itself, or that name below the results of this clone."""
    return study if study.is_dir() else next(filter(Path.is_dir, [ROOT / "results" / study]), study)
