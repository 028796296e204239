"""How exactly a study computes: it shapes numbers beyond rounding, so results say it where it is not strict."""

from __future__ import annotations

from typing import Literal

Precision = Literal["strict", "tf32"]
