"""What differs from year to year (light: importing this loads no numerical library)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Part = Literal["dev", "eval"]
Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One year of the challenge.

    Attributes:
        year: Year.
        dev_machines: Machine types of the development set.
        eval_machines: Machine types of the additional training and evaluation sets.
        dev_sections: Sections of each machine of the development set; None where they differ.
    """

    year: int
    dev_machines: tuple[str, ...]
    eval_machines: tuple[str, ...]
    dev_sections: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """Name in the registry and in the catalogue."""
        return f"dcase{self.year}"

    @property
    def has_domains(self) -> bool:
        """Whether clips belong to a source or a target domain."""
        return self.year >= 2021

    @property
    def has_attributes(self) -> bool:
        """Whether CSV files list the conditions of each recording."""
        return self.year >= 2022

    def machines(self, part: Part) -> tuple[str, ...]:
        """Machine types of a part."""
        return self.dev_machines if part == "dev" else self.eval_machines

    @property
    def published_counts(self) -> Mapping[tuple[str, str, str], int] | None:
        """Clips per section of the development set by (split, domain, label); None: no exact numbers published."""
        return _COUNTS_SINCE_2022 if self.year >= 2022 else None


_COUNTS_SINCE_2022 = {("train", "source", "normal"): 990, ("train", "target", "normal"): 10} | {
    ("test", domain, label): 50 for domain in ("source", "target") for label in ("normal", "anomaly")
}

_SINCE_2022 = ("ToyCar", "ToyTrain", "bearing", "fan", "gearbox", "slider", "valve")
_2020 = ("ToyCar", "ToyConveyor", "fan", "pump", "slider", "valve")
_2021 = ("ToyCar", "ToyTrain", "fan", "gearbox", "pump", "slider", "valve")

EDITIONS: Mapping[int, Edition] = {
    edition.year: edition
    for edition in (
        Edition(
            year=2020,
            dev_machines=_2020,
            eval_machines=_2020,
            dev_sections=None,
        ),
        Edition(
            year=2021,
            dev_machines=_2021,
            eval_machines=_2021,
            dev_sections=("00", "01", "02"),
        ),
        Edition(
            year=2022,
            dev_machines=_SINCE_2022,
            eval_machines=_SINCE_2022,
            dev_sections=("00", "01", "02"),
        ),
        Edition(
            year=2023,
            dev_machines=_SINCE_2022,
            eval_machines=("ToyDrone", "ToyNscale", "ToyTank", "Vacuum", "bandsaw", "grinder", "shaker"),
            dev_sections=("00",),
        ),
        Edition(
            year=2024,
            dev_machines=_SINCE_2022,
            eval_machines=(
                *("3DPrinter", "AirCompressor", "BrushlessMotor", "HairDryer", "HoveringDrone"),
                *("RoboticArm", "Scanner", "ToothBrush", "ToyCircuit"),
            ),
            dev_sections=("00",),
        ),
        Edition(
            year=2025,
            dev_machines=_SINCE_2022,
            eval_machines=(
                *("AutoTrash", "BandSealer", "CoffeeGrinder", "HomeCamera"),
                *("Polisher", "ScrewFeeder", "ToyPet", "ToyRCCar"),
            ),
            dev_sections=("00",),
        ),
    )
}
"""By year. Sizes of the sets since 2022 follow the task descriptions; those before vary from section to section."""
