"""Settings of reasons in words. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveInt

from soundproof.core.registry import Parameters
from soundproof.reasons.diagnosis import Machine
from soundproof.reasons.rules import Rule, shipped_rules


class ReasonSettings(Parameters):
    """How a map becomes a sentence."""

    share: float = Field(
        0.05, gt=0, le=1, description="part of all cells that is taken from a map, the most relevant first"
    )
    smoothing: tuple[NonNegativeFloat, NonNegativeFloat] = Field(
        (1.0, 2.0),
        description="standard deviations, in bands and frames, of a Gaussian over the map before cells are taken; "
        "0: none",
    )
    normals: PositiveInt = Field(
        4, description="normal training clips of the same individual to compare with"
    )


class NamingSettings(ReasonSettings):
    """How a map becomes a sentence that names a fault."""

    rules: tuple[Rule, ...] = Field(
        (),
        description="rules of one's own, asked before the shipped ones, as in `soundproof/reasons/rules.yaml`",
    )

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """One's own rules, then the shipped ones."""
        return (*self.rules, *shipped_rules())


class SentenceSettings(NamingSettings):
    """Which maps are put into words, and what is known of the machine."""

    per_machine: PositiveInt | None = Field(
        2, description="clips per machine at most, spread over anomaly types and SNRs; None: all explained"
    )
    machine: Machine | None = Field(
        None,
        description="speed of the shaft and what else is known of the machine, whose characteristic frequencies "
        "are then compared with measured rates; None: no diagnosis",
    )
