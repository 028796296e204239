"""What a job works on where it takes all detectors of a part: its fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Fit = tuple[str, int]
"""Label of a detector and run seed."""


def fits(listed: Iterable[Sequence[Any]]) -> list[Fit]:
    """Read fits from a rule's parameters, which hold them as plain lists."""
    return [(str(detector), int(seed)) for detector, seed in listed]
