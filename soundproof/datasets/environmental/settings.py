"""Settings of the data sets ``esc50``, ``urbansound8k``, ``envmix`` and ``envmix_esc10`` (light)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from soundproof.core.errors import ConfigError, nearest
from soundproof.datasets.environmental.classes import (
    BACKGROUNDS,
    ESC10_EVENTS,
    ESC_CLASSES,
    EVENTS,
    TEXTURES,
    URBAN_CLASSES,
)
from soundproof.datasets.published.pinned_names import PinnedName, refuse_overlap, spelled_out
from soundproof.datasets.published.settings import PublishedParameters

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class OneClassParameters(PublishedParameters):
    """Each machine is a class whose clips are normal; anomalous classes are dealt out to all machines."""

    machines: Names = Field(description="Normal classes, each with a model of its own.")
    anomalies: Names = Field(description="Anomalous classes; each of their clips is tested with one machine.")
    test_folds: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        description="Folds of the test clips, normal and anomalous; the normal clips of all others train."
    )

    @model_validator(mode="after")
    def _no_class_is_both(self) -> OneClassParameters:
        both = sorted(set(self.machines) & set(self.anomalies))
        if both:
            raise ValueError(f"class '{both[0]}' is normal and anomalous")
        return self


class Esc50Parameters(OneClassParameters):
    """Settings of the data set ``esc50``."""

    machines: Names = Field(TEXTURES, description="Normal classes, each with a model of its own.")
    anomalies: Names = Field(
        EVENTS,
        description="Anomalous classes; each of their clips is tested with one machine. Default: P2's.",
    )
    test_folds: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        (5,), description="Folds (1 to 5) of the test clips; the normal clips of all others train."
    )

    @field_validator("machines", "anomalies")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _among(names, ESC_CLASSES, "ESC-50")


class Urbansound8kParameters(OneClassParameters):
    """Settings of the data set ``urbansound8k``."""

    machines: Names = Field(
        tuple(BACKGROUNDS),
        description="Normal classes, each with a model of its own. Default: P2's backgrounds.",
    )
    anomalies: Names = Field(
        ("dog_bark", "gun_shot"),
        description="Anomalous classes; each of their clips is tested with one machine.",
    )
    test_folds: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        (10,), description="Folds (1 to 10) of the test clips; the normal clips of all others train."
    )

    @field_validator("machines", "anomalies")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _among(names, URBAN_CLASSES, "UrbanSound8K")


class EventMixParameters(PublishedParameters):
    """Settings of data sets that mix events into backgrounds by P2's recipe.

    Raises:
        ConfigError: An unknown class, or machines that share clips.
    """

    kinds: ClassVar[tuple[str, ...]]
    """Classes that may serve as background."""

    machines: Names = Field(
        description="Classes that serve as background, each with a model of its own; pinned to an SNR as "
        "`siren_-6dB`."
    )
    one_model_per: tuple[Literal["snr"], ...] = Field(
        (), description="snr: pin every machine to each of `snr_db`, as P2 does."
    )
    anomalies: Names = Field(EVENTS, description="Classes of ESC-50 that serve as event.")
    snr_db: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        (6,),
        description="Levels of the background over the event, dB: a low SNR is a loud event. P2: -6, 0, 6.",
    )
    protocol: Literal["corrected", "as_published"] = Field(
        "corrected",
        description="as_published: backgrounds of one recording may train and test, and clean clips have another "
        "level than mixtures (I-8), of which loud ones are turned down one by one; corrected: none of these. One "
        "gain for all clips of a machine, from the largest test sample, is part of both.",
    )
    test_share: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="Part of the backgrounds that is tested (the rest is rounded down); half of it gets an event.",
    )
    event_floor_db: float | None = Field(
        None,
        gt=0,
        description="Ends of an event that stay so far below its peak, dB, are cut off and do not count as event; "
        "None: exact zeros alone, as published.",
    )
    seed: int = Field(
        0, description="Split, events and onsets are drawn from it, by name; the same at every SNR."
    )

    @field_validator("snr_db", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value

    @field_validator("anomalies")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _among(names, ESC_CLASSES, "ESC-50")

    @model_validator(mode="after")
    def _pin(self) -> EventMixParameters:
        names = spelled_out(self.wanted, (), self.snr_db if "snr" in self.one_model_per else ())
        refuse_overlap(names, (), self.snr_db)
        object.__setattr__(self, "machines", tuple(map(str, names)))
        return self

    @property
    def wanted(self) -> tuple[PinnedName, ...]:
        """The machines, read."""
        return tuple(PinnedName.parse(name, self.kinds) for name in self.machines)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Classes of background, once each."""
        return tuple(dict.fromkeys(name.kind for name in self.wanted))

    def snrs_of(self, name: PinnedName) -> tuple[int, ...]:
        """SNRs of a machine."""
        return self.snr_db if name.snr_db is None else (name.snr_db,)


class EnvmixParameters(EventMixParameters):
    """Settings of the data set ``envmix``."""

    kinds: ClassVar[tuple[str, ...]] = URBAN_CLASSES

    folder: str | None = Field(
        None,
        description="Folder that holds `esc50/` and `urbansound8k/`, each as it is downloaded or unpacked; "
        "None: download both.",
    )
    machines: Names = Field(
        tuple(BACKGROUNDS),
        description="Classes of UrbanSound8K that serve as background, each with a model of its own; pinned to an "
        "SNR as `siren_-6dB`.",
    )


class EnvmixEsc10Parameters(EventMixParameters):
    """Settings of the data set ``envmix_esc10``."""

    kinds: ClassVar[tuple[str, ...]] = ESC_CLASSES

    folder: str | None = Field(
        None,
        description="Folder that holds ESC-50 as it is downloaded or unpacked, or ESC-10: a folder per class, such "
        "as `001 - Dog bark` or `dog_bark`; None: download ESC-50.",
    )
    machines: Names = Field(
        TEXTURES,
        description="Classes of ESC-50 that serve as background, each with a model of its own; pinned to an SNR as "
        "`rain_-6dB`. Default: ESC-10's lasting sounds.",
    )
    anomalies: Names = Field(
        ESC10_EVENTS,
        description="Classes of ESC-50 that serve as event. Default: ESC-10's short sounds.",
    )
    test_share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Part of the backgrounds that is tested (the rest is rounded down); half of it gets an event. "
        "P2: 0.25, which leaves five of 40 clips with an event.",
    )
    event_floor_db: float | None = Field(
        40.0,
        gt=0,
        description="Ends of an event that stay so far below its peak, dB, are cut off and do not count as event; "
        "None: exact zeros alone, as published. ESC-10's events end in noise.",
    )

    @model_validator(mode="after")
    def _no_class_is_both(self) -> EnvmixEsc10Parameters:
        both = sorted(set(self.backgrounds) & set(self.anomalies))
        if both:
            raise ValueError(f"class '{both[0]}' is background and event")
        return self


def _among(names: tuple[str, ...], known: tuple[str, ...], dataset: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ConfigError(f"class '{name}' of {dataset}", "no such class", nearest(name, known))
    return names
