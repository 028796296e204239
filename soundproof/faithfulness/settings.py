"""Settings of the faithfulness metrics. Declarations only: importing this loads no numerical library.

Those of band removal stand in :mod:`soundproof.faithfulness.band_settings`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from soundproof.core.registry import Parameters
from soundproof.interfaces.replacement import Background
from soundproof.reasons.settings import ReasonSettings

T = TypeVar("T")
Filling = Literal["surroundings", "silence"]
Change = Literal["louder", "softer", "later", "noise", "room", "microphone"]


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a value stands twice")
    return values


def _ascending_from_0_to_1(values: tuple[float, ...]) -> tuple[float, ...]:
    if values[:1] != (0.0,) or values[-1:] != (1.0,) or list(values) != sorted(set(values)):
        raise ValueError("fractions must rise from 0 to 1")
    return values


_N_CLIPS = "measure at most so many clips, drawn by clip id; None: all"


class FaithfulnessSettings(Parameters):
    """What the settings of every faithfulness metric have."""

    n_clips: PositiveInt | None = Field(None, description=_N_CLIPS)


class FfSettings(FaithfulnessSettings):
    """Which frames are replaced, and how many random curves stand beside."""

    percentiles: tuple[Annotated[float, Field(ge=0, le=100)], ...] = Field(
        tuple(float(p) for p in range(90, 100)),
        min_length=1,
        description="frames at or above these percentiles of the clip's own curve are replaced",
    )
    draws: PositiveInt = Field(2, description="random curves per clip behind the chance line")
    shifts: NonNegativeInt = Field(
        1, description="random shifts of each curve, per percentile, behind the line of shifted curves"
    )


class FfBackgroundSettings(FfSettings):
    """Settings of FF with a replacement that any detector has."""

    replacement: Literal["zero", "clip_median", "band_median"] = Field(
        "band_median",
        description="what stands in a replaced frame: the value 0, the median of the clip, "
        "or the median over time of each band",
    )


class CurveSettings(FaithfulnessSettings):
    """Settings of deletion and insertion curves."""

    fractions: Annotated[tuple[float, ...], AfterValidator(_ascending_from_0_to_1)] = Field(
        (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0),
        description="parts of all cells that are removed (or put back), rising from 0 to 1",
    )
    replacement: (
        Background | Annotated[tuple[Background, ...], Field(min_length=1), AfterValidator(_distinct)]
    ) = Field(
        "band_median",
        description="what stands in a removed cell, or a list of such: the detector's reconstruction (favours "
        "its error map by construction), the value 0 (favours Occlusion, which fills its windows so by "
        "default), the median of the clip, the median over time of the cell's band, or the normal training clip of "
        "the same part that is nearest (least Euclidean distance of the maps)",
    )
    draws: PositiveInt = Field(1, description="random rankings per clip behind the chance line")

    @property
    def replacements(self) -> tuple[Background, ...]:
        """The setting ``replacement`` as a list."""
        return (self.replacement,) if isinstance(self.replacement, str) else self.replacement


class BeyondNormalsSettings(CurveSettings):
    """Settings of the removal beside normal clips."""

    fractions: Annotated[tuple[float, ...], AfterValidator(_ascending_from_0_to_1)] = Field(
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
        description="parts of all cells that are removed, rising from 0 to 1",
    )
    normals: PositiveInt = Field(
        8,
        description="normal clips of the same machine that the same cells are removed from, drawn by clip id",
    )
    range_of: Annotated[int, Field(ge=2)] = Field(
        64, description="normal clips whose intact scores make the normal range, at most, drawn by clip id"
    )
    range_share: float = Field(
        0.9, gt=0, lt=1, description="share of these scores that the range holds, the middle ones"
    )
    n_clips: PositiveInt | None = Field(10, description=_N_CLIPS)

    @model_validator(mode="after")
    def _normal_clips_can_lose_something(self) -> Self:
        if "nearest_normal" in self.replacements:
            raise ValueError(
                "'nearest_normal' takes nothing from a normal clip, whose nearest may be itself: choose another"
            )
        return self


class FFidelitySettings(FaithfulnessSettings):
    """Settings of F-Fidelity."""

    fractions: Annotated[tuple[Annotated[float, Field(gt=0, le=0.5)], ...], AfterValidator(_distinct)] = (
        Field(
            (0.05, 0.1, 0.2, 0.3),
            min_length=1,
            description="parts of all cells that count as marked; at most half, so that as many others are left",
        )
    )
    of_marked: float = Field(
        0.5, gt=0, le=1, description="part of the marked cells that goes, by lot (alpha in the paper)"
    )
    missing: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="part of all cells that the detector's copy knows to be missing, and that goes at most (beta)",
    )
    draws: PositiveInt = Field(10, description="lots that say which of the cells go")
    orders: PositiveInt = Field(2, description="random rankings per clip behind the chance line")
    epochs: PositiveInt = Field(
        2, description="epochs that a copy is trained on with cells missing, where it is trained by epochs"
    )
    replacement: Literal["zero", "clip_median", "band_median"] = Field(
        "band_median",
        description="what stands in a missing cell: the value 0, the median of the clip, or the median over time "
        "of the cell's band",
    )
    n_clips: PositiveInt | None = Field(10, description=_N_CLIPS)


class HeatSettings(FaithfulnessSettings):
    """How many rivals stand beside a map's heat."""

    draws: PositiveInt = Field(1, description="times that each map's heat is put at random cells")
    shifts: NonNegativeInt = Field(1, description="times that each map's heat is shifted in time")


class SoftRemovalSettings(HeatSettings):
    """How heat is taken out."""

    replacement: Literal["clip_median", "band_median"] = Field(
        "band_median",
        description="what heat moves a cell towards (corrected): the median of the clip, or the median over time "
        "of the cell's band",
    )
    snr: Literal["ignore", "background_over_event", "event_over_background"] = Field(
        "ignore",
        description="what the clips' SNR is (as published): the event's share of the mixture scales the heat; "
        "ignore: heat counts in full. EnvMix: background_over_event; the bench: event_over_background",
    )


class SoundSettings(FaithfulnessSettings):
    """Settings of deletion and insertion on the sound."""

    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1), AfterValidator(_distinct)
    ] = Field(
        (0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
        description="parts of all cells that are removed from the sound, or kept",
    )
    fillings: Annotated[tuple[Filling, ...], Field(min_length=1), AfterValidator(_distinct)] = Field(
        ("surroundings", "silence"),
        description="what stands in removed cells: the magnitude interpolated from the cells around (where only "
        "marked cells are kept: the median over time of each bin) at the clip's own phase, or nothing",
    )
    draws: PositiveInt = Field(1, description="random rankings per clip behind the chance line")
    n_clips: PositiveInt | None = Field(20, description=_N_CLIPS)


class ReasonRemovalSettings(FaithfulnessSettings, ReasonSettings):
    """Settings of the removal of what reasons name."""

    shifts: PositiveInt = Field(2, description="other times at which as many cells are removed")
    n_clips: PositiveInt | None = Field(20, description=_N_CLIPS)


class RandomisationSettings(FaithfulnessSettings):
    """Settings of model randomisation."""

    draws: PositiveInt = Field(5, description="sets of random weights")
    n_clips: PositiveInt | None = Field(20, description=_N_CLIPS)


class CascadeSettings(FaithfulnessSettings):
    """Settings of cascading randomisation."""

    stages: PositiveInt = Field(
        4, description="stages in which layers are redrawn, from the output to the input"
    )
    draws: PositiveInt = Field(1, description="sets of random weights")
    n_clips: PositiveInt | None = Field(10, description=_N_CLIPS)


class RobustnessSettings(FaithfulnessSettings):
    """Settings of robustness: how the sound is changed, and how far."""

    changes: Annotated[tuple[Change, ...], Field(min_length=1), AfterValidator(_distinct)] = Field(
        ("louder", "softer", "later", "noise"),
        description="what is done to the sound: another gain, a start that is a frame later, white noise, the "
        "noise of a room, another microphone",
    )
    gain_db: PositiveFloat = Field(1.0, description="how much louder, and softer, the clip is made")
    noise_db: float = Field(
        20.0, description="how far below the clip the noise lies that joins it (white, or of a room), dB"
    )
    microphone_db: PositiveFloat = Field(
        3.0, description="how far another microphone's response departs from the clip's at most, dB"
    )
    n_clips: PositiveInt | None = Field(20, description=_N_CLIPS)


def clip_limit(settings: Parameters) -> int | None:
    """Most clips that a metric with these settings measures; None: all."""
    return settings.n_clips if isinstance(settings, FaithfulnessSettings) else None
