"""What a job works on where it takes all detectors of a part: its fits, and the names of their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Fit = tuple[str, int]
"""Label of a detector and run seed."""


def fits(listed: Iterable[Sequence[Any]]) -> list[Fit]:
    """Read fits from a rule's parameters, which hold them as plain lists."""
    return [(str(detector), int(seed)) for detector, seed in listed]


def model_role(fit: Fit) -> str:
    """Role of a fit's weights among a job's inputs."""
    detector, seed = fit
    return f"models/{detector}/{seed}"


def fitted_inputs(features: Path, models: Mapping[Fit, Path]) -> dict[str, Path]:
    """Inputs by role of a job that takes all detectors of a part: maps of the part, and the weights of each."""
    return {"features": features, **{model_role(fit): path for fit, path in models.items()}}


def external_role(name: str) -> str:
    """Role of a file of maps made elsewhere among a job's inputs."""
    return f"external/{name}"


def map_role(fit: Fit, explainer: str) -> str:
    """Role of a fit's relevance maps among a job's inputs."""
    detector, seed = fit
    return f"maps/{detector}/{seed}/{explainer}"
