"""Settings of the bench (light: importing this loads no numerical library)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, field_validator

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.registry import Parameters

FAULTS_BY_MACHINE: dict[str, tuple[str, ...]] = {
    "fan": ("bearing", "imbalance", "rub", "hum"),
    "pump": ("bearing", "imbalance", "air_leak", "hum"),
    "gearbox": ("bearing", "imbalance", "rub", "loose_part"),
    "slide_rail": ("missing_stroke", "bearing", "rub", "loose_part"),
    "valve": ("missing_stroke", "air_leak", "hum", "loose_part"),
}
"""The machines, and the faults that each can suffer; anomalous clips cycle over them in this order."""


EventShare = Annotated[float, Field(ge=0.1, le=0.9)]


def _ordered(share: tuple[float, float], setting: str, dataset: str) -> tuple[float, float]:
    """Shares of the clip, shortest first.

    Raises:
        ConfigError: The longest stands first.
    """
    if share[0] > share[1]:
        asked = f"setting '{setting}' of data set '{dataset}'"
        raise ConfigError(asked, f"{list(share)}", "name the shortest first")
    return share


class BenchParameters(Parameters):
    """Settings of the bench.

    Raises:
        ConfigError: An unknown or repeated machine.
    """

    machines: tuple[str, ...] = Field(
        tuple(FAULTS_BY_MACHINE), min_length=1, description="Machines to synthesise."
    )
    ids_per_machine: int = Field(1, ge=1, le=100, description="Individuals of each machine.")
    train_clips: int = Field(40, ge=0, description="Normal training clips per individual.")
    test_normal: int = Field(12, ge=0, description="Normal test clips per individual.")
    test_anomaly: int = Field(12, ge=0, description="Anomalous test clips per individual.")
    seconds: float = Field(4.0, ge=2.0, le=60.0, description="Length of a clip in seconds.")
    sample_rate_hz: int = Field(16_000, ge=16_000, le=96_000, description="Sampling rate in Hz.")
    snr_db: float | Annotated[tuple[float, ...], Field(min_length=1)] = Field(
        0.0,
        description="Power of the fault stem over the normal stem's, in dB, within the event's time and "
        "band; a list cycles over the test clips.",
    )
    event_share: tuple[EventShare, EventShare] = Field(
        (0.2, 0.5),
        description="Shortest and longest fault, as shares of the clip (a missing stroke is as long as a stroke).",
    )
    seed: int = Field(0, description="Every individual and every clip is drawn from it.")
    level: Literal["normalised", "natural"] = Field(
        "normalised",
        description="normalised: every clip has the same RMS; natural: the healthy part has, so that a fault "
        "raises the level (a trap that real sets contain).",
    )
    domains: bool = Field(
        False, description="Whether to add a target domain: another speed, load and background noise."
    )
    room: bool = Field(True, description="Whether sound reaches the microphone through a room.")

    @field_validator("machines")
    @classmethod
    def _known_machines(cls, machines: tuple[str, ...]) -> tuple[str, ...]:
        for machine in machines:
            if machine not in FAULTS_BY_MACHINE:
                asked = f"machine '{machine}' of data set 'bench'"
                raise ConfigError(asked, "no such machine", nearest(machine, FAULTS_BY_MACHINE))
        if len(set(machines)) != len(machines):
            asked = "setting 'machines' of data set 'bench'"
            raise ConfigError(asked, f"a repeated machine in {list(machines)}", "name each machine once")
        return machines

    @field_validator("event_share")
    @classmethod
    def _shortest_first(cls, share: tuple[float, float]) -> tuple[float, float]:
        return _ordered(share, "event_share", "bench")

    @property
    def snrs_db(self) -> tuple[float, ...]:
        """The SNRs that test clips cycle over."""
        return (self.snr_db,) if isinstance(self.snr_db, float) else self.snr_db


TURNING = ("fan", "pump", "gearbox")
"""Machines of the bench that may be run at several speeds."""
_SEVERAL = 2
"""Speeds without which there is no context."""


class ContextParameters(Parameters):
    """Settings of the bench whose lines belong to a speed.

    Raises:
        ConfigError: An unknown or repeated machine, or fewer than two speeds.
    """

    machines: tuple[str, ...] = Field(
        tuple(f"{kind}_{number}" for kind in TURNING for number in range(2)),
        min_length=1,
        description=f"Individuals to synthesise, each KIND_NUMBER with a kind of: {', '.join(TURNING)}.",
    )
    speeds: dict[str, PositiveFloat] = Field(
        {"slow": 0.8, "medium": 1.0, "fast": 1.25},
        description="Speeds that each is run at, relative to its nominal one, by name; at each it sings a line of "
        "its own.",
    )
    train_clips: int = Field(8, ge=0, description="Normal training clips per individual and speed.")
    test_normal: int = Field(6, ge=0, description="Normal test clips per individual and speed.")
    test_anomaly: int = Field(
        6, ge=0, description="Test clips with the line of another speed, per individual and speed."
    )
    seconds: float = Field(2.0, ge=2.0, le=60.0, description="Length of a clip in seconds.")
    sample_rate_hz: int = Field(16_000, ge=16_000, le=96_000, description="Sampling rate in Hz.")
    line_db: float = Field(-14.0, description="Level of a line below the machine, in dB.")
    line_share: tuple[EventShare, EventShare] = Field(
        (0.3, 0.6), description="Shortest and longest line, its own or a foreign one, as shares of the clip."
    )
    seed: int = Field(0, description="Every individual and every clip is drawn from it.")

    @field_validator("machines")
    @classmethod
    def _known_machines(cls, machines: tuple[str, ...]) -> tuple[str, ...]:
        for machine in machines:
            kind, _, number = machine.rpartition("_")
            if kind not in TURNING or not number.isdigit():
                asked = f"machine '{machine}' of data set 'contexts'"
                known = [f"{name}_0" for name in TURNING]
                raise ConfigError(asked, "no machine of that kind and number", nearest(machine, known))
        if len(set(machines)) != len(machines):
            asked = "setting 'machines' of data set 'contexts'"
            raise ConfigError(asked, f"a repeated machine in {list(machines)}", "name each machine once")
        return machines

    @field_validator("speeds")
    @classmethod
    def _several_speeds(cls, speeds: dict[str, float]) -> dict[str, float]:
        if len(speeds) < _SEVERAL:
            raise ConfigError(
                f"{_SEVERAL} speeds or more of data set 'contexts'",
                f"{len(speeds)}: a line has nowhere else to be normal",
                "name another speed",
            )
        return speeds

    @field_validator("line_share")
    @classmethod
    def _shortest_first(cls, share: tuple[float, float]) -> tuple[float, float]:
        return _ordered(share, "line_share", "contexts")
