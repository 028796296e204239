"""What shapes the files of a job, beside its inputs: stated once, for its rule and for whoever checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundproof.interfaces.precision import Precision
from soundproof.runs.codebase import code_digest
from soundproof.storage.provenance import Stated

ROOT = Path(__file__).parents[2]
"""The repository: scripts and reported numbers lie beside the package."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the record in a result file must say, inputs aside.

    Attributes:
        rule: Rule that makes it; its script has the same name.
        step: Step of the run that the rule belongs to, the name of its file in `rules/`.
        stage: Stage that its record names; empty for files that carry no record (pages, CSV, pictures).
        settings: Settings that its record must hold.
        modules: Modules that its job loads by name, which its code digest covers.
        seed: Run seed.
        precision: How exactly its job computes.
    """

    rule: str
    step: str
    stage: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    seed: int | None = None
    precision: Precision = "strict"

    def code(self) -> str:
        """Digest of the code that makes the file today, and how exactly it computes where that is not strict."""
        digest = code_digest(ROOT / "workflow_scripts" / f"{self.rule}.py", self.modules)
        return digest if self.precision == "strict" else f"{digest}-{self.precision}"

    def stated(self) -> Stated:
        """Plain values that the rule passes on and its script writes."""
        return {
            "stage": self.stage,
            "settings": dict(self.settings),
            "code": self.code(),
            "seed": self.seed,
        }
