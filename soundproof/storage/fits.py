"""What a job works on where it takes all detectors of a part: its cells, and the names of their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Cell = tuple[str, int]
"""Label of a detector and run seed."""


def cells(listed: Iterable[Sequence[Any]]) -> list[Cell]:
    """Read cells from a rule's parameters, which hold them as plain lists."""
    return [(str(detector), int(seed)) for detector, seed in listed]


def model_role(cell: Cell) -> str:
    """Role of a cell's weights among a job's inputs."""
    detector, seed = cell
    return f"models/{detector}/{seed}"


def external_role(name: str) -> str:
    """Role of a file of maps made elsewhere among a job's inputs."""
    return f"external/{name}"


def map_role(cell: Cell, explainer: str) -> str:
    """Role of a cell's relevance maps among a job's inputs."""
    detector, seed = cell
    return f"maps/{detector}/{seed}/{explainer}"
