"""Settings of the data set ``idmt_engine``, and where its archive is (light)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from soundproof.datasets.published.settings import PublishedParameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed

KIND = "idmt_engine"
State = Literal["good", "broken", "heavyload"]


class IdmtEngineParameters(PublishedParameters):
    """Settings of IDMT-ISA-Electric-Engine."""

    machine: Literal["engine"] = Field("engine", description="Name of the machine.")
    normal: Annotated[tuple[State, ...], Field(min_length=1)] = Field(
        ("good",), description="States that count as normal."
    )
    anomalies: Annotated[tuple[State, ...], Field(min_length=1)] = Field(
        ("broken", "heavyload"),
        description="States that count as anomalous. A heavy load is another way to run a sound engine: leave it "
        "out, or count it as normal, to ask for faults alone.",
    )

    @model_validator(mode="after")
    def _no_state_is_both(self) -> IdmtEngineParameters:
        both = sorted(set(self.normal) & set(self.anomalies))
        if both:
            raise ValueError(f"state '{both[0]}' is normal and anomalous")
        return self


def needed(settings: IdmtEngineParameters) -> tuple[Needed, ...]:
    """The archive."""
    if settings.is_at_hand:
        return ()
    (archive,) = catalogue()[KIND].files
    return (Needed(archive, settings.place(KIND), instead=(archive.stem,)),)
