"""Write a finished figure: PDF, PNG, the frame behind it and its caption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import styled
from soundproof.files import whole_file
from soundproof.provenance import Provenance
from soundproof.tables import write_table

SUFFIXES = (".pdf", ".png", ".parquet", ".md")
_NO_METADATA: Mapping[str, Mapping[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}
"""Dates and library versions that would make the bytes differ without a change of the drawing."""


@styled
def write_figure(finished: FinishedFigure, folder: Path, name: str, provenance: Provenance) -> list[Path]:
    """Write ``<folder>/<name>`` with each suffix of :data:`SUFFIXES`.

    The same figure gives the same bytes.

    Returns:
        The paths written, in the order of :data:`SUFFIXES`.
    """
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    for path in paths[:2]:
        with whole_file(path) as partial:
            finished.figure.savefig(partial, metadata=_NO_METADATA[path.suffix])
    write_table(finished.frame, paths[2], provenance)
    with whole_file(paths[3]) as partial:
        warnings = "".join(f"\n> **Caution.** {sentence}\n" for sentence in finished.warnings)
        partial.write_text(f"{finished.caption}\n{warnings}", encoding="utf-8")
    return paths
