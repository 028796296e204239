"""Settings of the data set ``mimii`` (light: importing this loads no numerical library)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from soundproof.datasets.published.pinned_names import PinnedName, refuse_overlap, spelled_out
from soundproof.datasets.published.settings import PublishedParameters

Snr = Literal[-6, 0, 6]
Id = Literal["00", "02", "04", "06"]

MACHINES = ("fan", "pump", "slider", "valve")
IDS: tuple[Id, ...] = ("00", "02", "04", "06")


class MimiiParameters(PublishedParameters):
    """Settings of MIMII.

    Raises:
        ConfigError: An unknown machine, or machines that share clips.
    """

    machines: tuple[str, ...] = Field(
        MACHINES,
        min_length=1,
        description="Machines, each with a model of its own: `fan`, or pinned to an individual and an SNR as "
        "`fan_id_00`, `fan_-6dB`, `fan_id_00_-6dB`.",
    )
    one_model_per: tuple[Literal["individual", "snr"], ...] = Field(
        (), description="individual, snr: pin every machine to each of `ids`, or of `snr_db`, as P2 does."
    )
    ids: Annotated[tuple[Id, ...], Field(min_length=1)] = Field(IDS, description="Individuals, as `00`.")
    snr_db: Annotated[tuple[Snr, ...], Field(min_length=1)] = Field(
        (6,), description="Levels of the machine over the factory noise, dB: any of -6, 0, 6."
    )
    channel: Annotated[int, Field(ge=0, le=7)] | Literal["mix"] = Field(
        "mix", description="One of the eight microphones, from 0, or `mix` for their mean (as P2)."
    )
    test_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Test clips of an individual are this share of its abnormal clips (rounded down) and as many "
        "normal ones; the other abnormal clips are not used. P2: 0.3. None: all abnormal clips.",
    )
    seed: int = Field(
        42, description="Seed of that draw; it goes by clip number, so it is the same at every SNR."
    )
    subset: int | None = Field(
        None,
        ge=8,
        description="Fetch no more than so many clips per individual and SNR, a quarter of them abnormal, out "
        "of the archives of 10 GB; drawn by number. None: fetch the archives.",
    )

    @field_validator("ids", mode="before")
    @classmethod
    def _two_digits(cls, ids: Any) -> Any:
        # unquoted, YAML reads 00 as a number
        if not isinstance(ids, list | tuple):
            return ids
        return tuple(
            f"{value:02d}" if isinstance(value, int) and not isinstance(value, bool) else value
            for value in ids
        )

    @field_validator("snr_db", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _pin(self) -> MimiiParameters:
        names = spelled_out(
            [PinnedName.parse(name, MACHINES) for name in self.machines],
            self.ids if "individual" in self.one_model_per else (),
            self.snr_db if "snr" in self.one_model_per else (),
        )
        refuse_overlap(names, self.ids, self.snr_db)
        object.__setattr__(self, "machines", tuple(map(str, names)))
        return self

    @property
    def wanted(self) -> tuple[PinnedName, ...]:
        """The machines, read."""
        return tuple(PinnedName.parse(name, MACHINES) for name in self.machines)

    def snrs_of(self, name: PinnedName) -> tuple[int, ...]:
        """SNRs of a machine."""
        return self.snr_db if name.snr_db is None else (name.snr_db,)

    def ids_of(self, name: PinnedName) -> tuple[str, ...]:
        """Individuals of a machine."""
        return self.ids if name.individual is None else (name.individual,)
