"""What differs from year to year, and the sets of MIMII that share the scheme of a year (light)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Part = Literal["dev", "eval"]
Split = Literal["train", "test"]
_Counts = Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One year of the challenge, or a data set that shares its scheme of folders and names.

    Attributes:
        year: Year.
        own_name: Name of a data set that is none of the challenge; empty: that of the year.
        dev_machines: Machine types of the development set.
        eval_machines: Machine types of the additional training and evaluation sets.
        dev_sections: Sections of each machine of the development set; None where they differ.
    """

    year: int
    own_name: str = ""
    dev_machines: tuple[str, ...]
    eval_machines: tuple[str, ...]
    dev_sections: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """Name in the registry and in the catalogue."""
        return self.own_name or f"dcase{self.year}"

    @property
    def title(self) -> str:
        """Name in messages."""
        return self.own_name or f"DCASE {self.year}"

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
    def published_counts(self) -> _Counts | None:
        """Clips per section of the development set by (split, domain, label); None: no exact numbers published."""
        return None if self.own_name or self.year < 2022 else _COUNTS_SINCE_2022

    def published_totals(self, machine: str) -> _Counts | None:
        """Clips of a machine's development set by (split, domain, label), all sections together.

        None: no exact numbers published.
        """
        return _MIMII_DUE_COUNTS[machine] if self.own_name == "mimii_due" else None


_COUNTS_SINCE_2022 = {("train", "source", "normal"): 990, ("train", "target", "normal"): 10} | {
    ("test", domain, label): 50 for domain in ("source", "target") for label in ("normal", "anomaly")
}


def _counts(train: tuple[int, int], source: tuple[int, int], target: tuple[int, int]) -> _Counts:
    """Training clips by domain, and test clips (normal, anomaly) of each domain."""
    return {
        ("train", "source", "normal"): train[0],
        ("train", "target", "normal"): train[1],
        ("test", "source", "normal"): source[0],
        ("test", "source", "anomaly"): source[1],
        ("test", "target", "normal"): target[0],
        ("test", "target", "anomaly"): target[1],
    }


_MIMII_DUE_COUNTS = {
    **{name: _counts((3000, 9), (300, 300), (300, 300)) for name in ("fan", "pump", "valve")},
    "gearbox": _counts((3017, 9), (411, 351), (309, 336)),
    "slider": _counts((3000, 9), (310, 302), (300, 302)),
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

_MIMII_DUE = ("fan", "gearbox", "pump", "slider", "valve")
_MIMII_DG = ("bearing", "fan", "gearbox", "slider", "valve")

RELATED: Mapping[str, Edition] = {
    edition.name: edition
    for edition in (
        Edition(
            year=2021,
            own_name="mimii_due",
            dev_machines=_MIMII_DUE,
            eval_machines=_MIMII_DUE,
            dev_sections=("00", "01", "02"),
        ),
        Edition(
            year=2022,
            own_name="mimii_dg",
            dev_machines=_MIMII_DG,
            eval_machines=(),
            dev_sections=("00", "01", "02"),
        ),
    )
}
"""MIMII DUE, as in 2021 (its sections 03 to 05 are tested with the clips of 2021), and MIMII DG, as in 2022."""
