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
        dev_record: Zenodo record of the development set.
        train_record: Zenodo record of the additional training set.
        test_record: Zenodo record of the evaluation set.
        truth_source: ``owner/name/archive/...`` of the evaluator's repository, which labels the evaluation set.
        dev_sections: Sections of each machine of the development set; None where they differ.
        citation: Task description.
    """

    year: int
    dev_machines: tuple[str, ...]
    eval_machines: tuple[str, ...]
    dev_record: int
    train_record: int
    test_record: int
    truth_source: str
    dev_sections: tuple[str, ...] | None
    citation: str

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
            dev_record=3678171,
            train_record=3727685,
            test_record=3841772,
            truth_source="y-kawagu/dcase2020_task2_evaluator/archive/306a2b73a01bf1a742937c319e03a9299ee7c3b1.zip",
            dev_sections=None,
            citation="Koizumi et al. 2020, arXiv 2006.05822",
        ),
        Edition(
            year=2021,
            dev_machines=_2021,
            eval_machines=_2021,
            dev_record=4562016,
            train_record=4660992,
            test_record=4884786,
            truth_source="y-kawagu/dcase2021_task2_evaluator/archive/0c11634ba7259e4ae4a655646aebd6cd056cc523.zip",
            dev_sections=("00", "01", "02"),
            citation="Kawaguchi et al. 2021, arXiv 2106.04492",
        ),
        Edition(
            year=2022,
            dev_machines=_SINCE_2022,
            eval_machines=_SINCE_2022,
            dev_record=6355122,
            train_record=6462969,
            test_record=6586456,
            truth_source="Kota-Dohi/dcase2022_evaluator/archive/9785ae5c63f6308c699b8b82cff3bfcd08667df3.zip",
            dev_sections=("00", "01", "02"),
            citation="Dohi et al. 2022, arXiv 2206.05876",
        ),
        Edition(
            year=2023,
            dev_machines=_SINCE_2022,
            eval_machines=("ToyDrone", "ToyNscale", "ToyTank", "Vacuum", "bandsaw", "grinder", "shaker"),
            dev_record=7882613,
            train_record=7830345,
            test_record=7860847,
            truth_source="nttcslab/dcase2023_task2_evaluator/archive/c850537ff8e3b81ab09d90041279dbf86811738b.zip",
            dev_sections=("00",),
            citation="Dohi et al. 2023, arXiv 2305.07828",
        ),
        Edition(
            year=2024,
            dev_machines=_SINCE_2022,
            eval_machines=(
                *("3DPrinter", "AirCompressor", "BrushlessMotor", "HairDryer", "HoveringDrone"),
                *("RoboticArm", "Scanner", "ToothBrush", "ToyCircuit"),
            ),
            dev_record=10902294,
            train_record=11259435,
            test_record=11363076,
            truth_source="nttcslab/dcase2024_task2_evaluator/archive/576e3272d3d829031b246b3d270de52518af18d6.zip",
            dev_sections=("00",),
            citation="Nishida et al. 2024, arXiv 2406.07250",
        ),
        Edition(
            year=2025,
            dev_machines=_SINCE_2022,
            eval_machines=(
                *("AutoTrash", "BandSealer", "CoffeeGrinder", "HomeCamera"),
                *("Polisher", "ScrewFeeder", "ToyPet", "ToyRCCar"),
            ),
            dev_record=15097779,
            train_record=15392814,
            test_record=15519362,
            truth_source="nttcslab/dcase2025_task2_evaluator/archive/refs/heads/main.zip",
            dev_sections=("00",),
            citation="Nishida et al. 2025, arXiv 2506.10097",
        ),
    )
}
"""By year. Sizes of the sets since 2022 follow the task descriptions; those before vary from section to section."""
