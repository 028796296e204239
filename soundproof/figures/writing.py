"""Write a finished figure: PDF, PNG, the frame behind it and its caption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.core.errors import ArtefactError
from soundproof.exhibits.registry import FIGURE_SUFFIXES
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import styled
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import write_table

CAUTION = "> **Caution.** "
SUFFIXES = FIGURE_SUFFIXES
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
        cautions = "".join(f"\n{CAUTION}{sentence}\n" for sentence in finished.warnings)
        partial.write_text(f"{finished.caption}\n{cautions}", encoding="utf-8", newline="\n")
    return paths


def read_caption(path: Path) -> tuple[str, tuple[str, ...]]:
    """Read the caption file of a figure.

    Returns:
        The caption and the cautions.

    Raises:
        ArtefactError: There is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ArtefactError(f"read {path}", str(error), "run the workflow that draws the figure") from error
    cautions = tuple(line.removeprefix(CAUTION) for line in lines if line.startswith(CAUTION))
    return " ".join(line for line in lines if line and not line.startswith(CAUTION)), cautions
