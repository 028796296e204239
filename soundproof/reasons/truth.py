"""Is what a sentence says true? Statements against the drawn physics of a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soundproof.interfaces.dataset import Physics
from soundproof.reasons.reason import Reason

TOLERANCES = {
    "rate_hz": 0.05,
    "fundamental_hz": 0.05,
    "peak_hz": 0.10,
    "low_hz": 0.25,
    "duration_s": 0.25,
}
"""How far a measured attribute may lie from a drawn one, as a part of it."""
CLAIMS = ("rate_hz", "fundamental_hz", "peak_hz")
"""Attributes that are false of a fault that was drawn without them: a leak has no rate, a rub no fundamental."""


@dataclass(frozen=True)
class Scores:
    """One reason against the truth.

    Attributes:
        right: Whether the fault is named right.
        abstained: Whether it says "cannot tell".
        within: Share of the drawn attributes that were measured within tolerance, 0..1.
        n_true: Statements of the sentence that are true.
        n_false: Statements that are false.
    """

    right: bool
    abstained: bool
    within: float
    n_true: int
    n_false: int


def scores(reason: Reason, physics: Physics) -> Scores:
    """Judge a reason against what was drawn."""
    near = [is_near(name, reason.attributes, wanted) for name, wanted in physics.drawn.items()]
    judged = [verdict for verdict in statements(reason, physics).values() if verdict is not None]
    return Scores(
        right=reason.fault == physics.fault,
        abstained=reason.fault is None,
        within=sum(near) / len(near),
        n_true=sum(judged),
        n_false=len(judged) - sum(judged),
    )


def is_near(name: str, values: Mapping[str, float], wanted: Sequence[float]) -> bool:
    """Whether an attribute was measured, within its tolerance of any of the values that it may have."""
    return name in values and any(abs(values[name] / of - 1) <= TOLERANCES[name] for of in wanted)


def statements(reason: Reason, physics: Physics) -> dict[str, bool | None]:
    """Which statements of a sentence are true; None: nobody knows.

    ``time``: the middle of the stated time lies in the fault's. ``band``: the stated band's centre in octaves
    lies in
    the fault's. ``level_db``: sound was added, or taken away. A rate, fundamental or ringing that was drawn:
    it lies within tolerance; that was not: it is false. Of the others nobody knows.
    """
    found: dict[str, bool | None] = {}
    values = reason.attributes
    for name in reason.stated:
        if name in CLAIMS:
            found[name] = name in physics.drawn and is_near(name, values, physics.drawn[name])
        elif name == "level_db":
            found[name] = (values[name] < 0) == physics.takes_away
        elif name == "onset_s":
            middle = (values["onset_s"] + values["offset_s"]) / 2
            found["time"] = physics.time_s[0] <= middle < physics.time_s[1]
        elif name == "low_hz":
            centre = (max(values["low_hz"], 1.0) * values["high_hz"]) ** 0.5
            found["band"] = physics.band_hz[0] <= centre <= physics.band_hz[1]
        elif name not in ("offset_s", "high_hz"):
            found[name] = None
    return found
