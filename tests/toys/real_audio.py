"""Recordings that are not in the repository: a folder ``real_audio`` that whoever runs the tests may have."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLE = "SOUNDPROOF_REAL_AUDIO"


def real_audio(*parts: str) -> Path:
    """A place in that folder: named by a variable, or in the clone, beside it, or in a folder beside it."""
    beside = [ROOT / "real_audio", ROOT.parent / "real_audio", *sorted(ROOT.parent.glob("*/real_audio"))]
    found = next((folder for folder in beside if folder.is_dir()), beside[0])
    return Path(os.environ.get(VARIABLE, found), *parts)
