"""Where the catalogue's files lie: in ``config/`` of a clone, beside this module where the package is installed."""

from __future__ import annotations

from pathlib import Path


def place_of(name: str) -> Path:
    """File of the catalogue; the build of the package puts it here (``pyproject.toml``)."""
    here = Path(__file__).resolve()
    beside = here.with_name(name)
    return beside if beside.is_file() else here.parents[3] / "config" / name
