"""What a benchmark reports, and the check that keeps it from being fast and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from soundproof.core.errors import SoundproofError

TOLERANCE = 1e-4
"""Largest difference of two ways to the same numbers, relative to their norm."""


class BenchmarkError(SoundproofError):
    """Two ways to compute the same numbers disagree."""


@dataclass(frozen=True)
class Aim:
    """What a ratio should be.

    Attributes:
        kind: Whether ``value`` is the smallest or the largest ratio wanted.
        value: That ratio.
    """

    kind: Literal["at least", "at most"]
    value: float

    def met_by(self, ratio: float) -> bool:
        """Whether a measured ratio is as wanted."""
        return ratio >= self.value if self.kind == "at least" else ratio <= self.value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    Attributes:
        benchmark: Name of the benchmark.
        case: What was measured.
        unit: Unit of both figures.
        ours: Figure of the package.
        against: What it is compared with.
        other: Figure of that.
        ratio: How the two compare, in the sense that ``sense`` names.
        sense: ``"x faster"`` (other / ours) or ``"x of it"`` (ours / other).
        aim: What the ratio should be; None where nothing is asked.
    """

    benchmark: str
    case: str
    unit: str
    ours: float
    against: str
    other: float
    ratio: float
    sense: Literal["x faster", "x of it"]
    aim: Aim | None = None


def check_same(what: str, ours: Tensor, other: Tensor, tolerance: float = TOLERANCE) -> None:
    """Refuse results of which one differs from its counterpart.

    Args:
        what: What was computed, for the message.
        ours: Values [n, ...].
        other: The same values, computed in another way.
        tolerance: Largest norm of a difference, relative to the norm of the values, along dimension 0. A norm,
            because where two cells nearly tie in a maximum pooling, rounding decides which one has the gradient.

    Raises:
        BenchmarkError: They differ by more, or in shape.
    """
    if ours.shape != other.shape:
        raise BenchmarkError(
            f"{what}: shape {tuple(other.shape)}", f"{tuple(ours.shape)}", "compare like with like"
        )
    a, b = (values.detach().double().cpu().reshape(len(values), -1) for values in (ours, other))
    difference = float(((a - b).norm(dim=1) / b.norm(dim=1).clamp_min(torch.finfo(torch.float32).tiny)).max())
    if not difference <= tolerance:
        raise BenchmarkError(
            f"{what}: equal results of both variants, to {tolerance:g}",
            f"a relative difference of {difference:.3g}",
            "find out which of the two is wrong before trusting any time",
        )
