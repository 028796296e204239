"""Settings of the data set ``toyadmos``, and which archives it needs (light)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from soundproof.datasets.published.settings import PublishedParameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed

KIND = "toyadmos"
Machine = Literal["ToyCar", "ToyConveyor", "ToyTrain"]
Case = Literal[1, 2, 3, 4]


class ToyadmosParameters(PublishedParameters):
    """Settings of ToyADMOS."""

    machines: Annotated[tuple[Machine, ...], Field(min_length=1)] = Field(
        ("ToyCar", "ToyConveyor", "ToyTrain"), description="Machines."
    )
    cases: tuple[Case, ...] | None = Field(
        None, min_length=1, description="Individuals of each machine, 1 to 4; None: those that are there."
    )
    channel: Literal[1, 2, 3, 4] = Field(1, description="Microphone, as in the file names.")
    training: Literal["individual", "continuous"] = Field(
        "individual",
        description="individual: normal takes of one operation each (IND); continuous: the long normal takes "
        "(CNT), cut to pieces of `seconds`. Test clips are individual takes.",
    )
    seconds: float = Field(
        10.0, gt=0, description="Length of every clip, counted from the start of its take."
    )
    test_share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Of the normal individual takes, as many are tested as there are anomalous ones, but no more "
        "than this share (all of that share where training is continuous).",
    )
    seed: int = Field(0, description="Seed of that draw.")


def needed(settings: ToyadmosParameters) -> tuple[Needed, ...]:
    """All parts of the machines' archives, and the licence; an unpacked machine makes its parts unnecessary."""
    if settings.is_at_hand:
        return ()
    return tuple(
        Needed(remote, settings.place(KIND), instead=() if machine is None else (machine,))
        for remote in catalogue()[KIND].files
        for machine in [_machine(remote.name)]
        if machine is None or machine in settings.machines
    )


def _machine(name: str) -> str | None:
    machine, packed, _ = name.partition(".7z.")
    return machine if packed else None
