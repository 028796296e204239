"""What a known shaft says of a measured rate: characteristic frequencies of a machine, and which of them is heard.

On recordings no fault is named from sound alone; where speed and geometry are known, rates can be compared
with those that the machine must have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters

TOLERANCE = 0.02
"""How far a measured rate may lie from a characteristic one: rolling elements slip by 1 to 2 % (Randall,
Antoni 2011)."""
WORDS = {
    "shaft": "once per turn of the shaft",
    "twice_per_turn": "twice per turn of the shaft",
    "bpfo": "balls passing a spot of the outer race (BPFO)",
    "bpfi": "balls passing a spot of the inner race (BPFI)",
    "bsf": "a spot of a ball striking both races (2 x BSF)",
    "ftf": "the turn of the cage (FTF)",
    "gear_mesh": "teeth meshing",
    "blade_pass": "blades passing",
}
COMPARED = ("rate_hz", "fundamental_hz")
"""Attributes that are compared with characteristic frequencies."""


class Machine(Parameters):
    """What is known of a machine.

    Raises:
        DataError: A speed that is not positive, or a geometry that no bearing, wheel or rotor has.
    """

    # what is not finite is refused below, in words of its own
    model_config = ConfigDict(allow_inf_nan=True)

    shaft_hz: float = Field(description="turns of the shaft a second (rpm / 60)")
    balls: int | None = Field(None, description="rolling elements of its bearing; None: not known")
    diameter_ratio: float | None = Field(
        None, description="ball diameter over pitch diameter; None: not known"
    )
    contact_deg: float = Field(0.0, description="contact angle of the bearing, degrees")
    teeth: int | None = Field(None, description="teeth of the wheel on this shaft; None: not known")
    blades: int | None = Field(None, description="blades of the rotor, or vanes; None: not known")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if not (math.isfinite(self.shaft_hz) and self.shaft_hz > 0):
            raise DataError(
                "a shaft speed above 0 turns a second",
                f"{self.shaft_hz:g}",
                "give the speed in turns a second (rpm / 60), or leave the diagnosis out",
            )
        if (self.balls is None) != (self.diameter_ratio is None):
            raise DataError(
                "the geometry of a bearing",
                "only one of its number of balls and its ratio of diameters",
                "give both, or neither",
            )
        for name, count in (("balls", self.balls), ("teeth", self.teeth), ("blades", self.blades)):
            if count is not None and count < 1:
                raise DataError(f"a number of {name} above 0", str(count), "correct it, or leave it out")
        if self.diameter_ratio is not None and not 0 < self.diameter_ratio < 1:
            raise DataError(
                "ball diameter over pitch diameter between 0 and 1",
                f"{self.diameter_ratio:g}",
                "divide the diameter of a ball by that of the circle of their centres",
            )
        if not 0 <= self.contact_deg < 90:
            raise DataError(
                "a contact angle from 0 to below 90 degrees",
                f"{self.contact_deg:g}",
                "take it from the data sheet of the bearing, or leave it out",
            )
        return self

    def frequencies_hz(self) -> dict[str, float]:
        """Characteristic frequencies by name of :data:`WORDS`, those that are known.

        Of a bearing whose outer race stands still, with n balls, ratio r = d / D cos(contact angle) and shaft
        rate f: BPFO = n f / 2 (1 - r), BPFI = n f / 2 (1 + r), FTF = f / 2 (1 - r), BSF = f D / (2 d) (1 - r^2); a
        spot on a ball strikes both races, so that it is heard at 2 BSF.

        Source: Randall and Antoni, Rolling element bearing diagnostics: a tutorial, Mech. Syst. Signal Process. 25
            (2011), equations 1 to 4; mesh and blade pass are teeth and blades times f (Bies and Hansen, Engineering
            Noise Control).
        """
        found = {"shaft": self.shaft_hz, "twice_per_turn": 2 * self.shaft_hz}
        if self.balls is not None and self.diameter_ratio is not None:
            ratio = self.diameter_ratio * math.cos(math.radians(self.contact_deg))
            found |= {
                "bpfo": self.balls * self.shaft_hz / 2 * (1 - ratio),
                "bpfi": self.balls * self.shaft_hz / 2 * (1 + ratio),
                "bsf": self.shaft_hz / self.diameter_ratio * (1 - ratio**2),
                "ftf": self.shaft_hz / 2 * (1 - ratio),
            }
        if self.teeth is not None:
            found["gear_mesh"] = self.teeth * self.shaft_hz
        if self.blades is not None:
            found["blade_pass"] = self.blades * self.shaft_hz
        return found


@dataclass(frozen=True)
class Match:
    """A measured rate and the characteristic frequency that it agrees with.

    Attributes:
        attribute: The attribute.
        name: Name of the frequency in :data:`WORDS`.
        expected_hz: That frequency.
        off: Measured over expected, minus 1.
    """

    attribute: str
    name: str
    expected_hz: float
    off: float


def matches(values: Mapping[str, float], machine: Machine, tolerance: float = TOLERANCE) -> list[Match]:
    """Which characteristic frequencies the measured rates agree with, the nearest of each attribute first.

    Args:
        values: Attributes.
        machine: What is known of the machine.
        tolerance: Largest distance, as a part of the frequency.

    Raises:
        DataError: The tolerance is not between 0 and 1.
    """
    if not 0 < tolerance < 1:
        raise DataError("a tolerance between 0 and 1", f"{tolerance:g}", "give it as a part of the frequency")
    found = [
        Match(attribute, name, expected, values[attribute] / expected - 1)
        for attribute in COMPARED
        if attribute in values
        for name, expected in machine.frequencies_hz().items()
    ]
    near = [match for match in found if abs(match.off) <= tolerance]
    return sorted(near, key=lambda match: (COMPARED.index(match.attribute), abs(match.off)))


def diagnosis(values: Mapping[str, float], machine: Machine, tolerance: float = TOLERANCE) -> str:
    """Say which characteristic frequency the stated rate agrees with, or that it agrees with none.

    Args and errors as :func:`matches`.
    """
    found = matches(values, machine, tolerance)
    if not found:
        return f"No rate agrees with a shaft that turns {machine.shaft_hz:.1f} times a second."
    best = found[0]
    return (
        f"{values[best.attribute]:.1f} a second agrees with {WORDS[best.name]}: {best.expected_hz:.1f} expected, "
        f"{100 * best.off:+.1f} %."
    )
