"""Tables and figures that a study asked for once and does not now: nobody keeps them fresh, so they go."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from soundproof.exhibits.registry import ARTEFACTS


def remove_unasked(study: Path, names: Collection[str], *, tables: bool) -> None:
    """Remove files of tables, or of figures, that the registry knows and a study does not ask for.

    Args:
        study: Folder of the study.
        names: What it asks for.
        tables: Whether tables are meant, or figures.
    """
    for entry in ARTEFACTS.values():
        if entry.name in names or (entry.kind == "table") != tables:
            continue
        for file in entry.files:
            (study / file).unlink(missing_ok=True)
