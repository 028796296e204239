"""Settings of sound that is cut out of clips. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from soundproof.core.registry import Parameters


class MaskSettings(Parameters):
    """How relevance becomes a soft mask (:func:`soundproof.audio.masking.soft_mask`)."""

    share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="the most relevant cells that together hold this part of a clip's positive relevance are let "
        "through whole; the others by how far they fall short",
    )
    power: PositiveFloat = Field(
        1.0, description="exponent of the mask: the higher, the less is heard of weakly marked cells"
    )
    smoothing: NonNegativeFloat = Field(
        0.0,
        description="standard deviation of a Gaussian over the map's cells before the mask is made; 0: none",
    )


class ListenSettings(MaskSettings):
    """Which explanations are made audible."""

    clips: PositiveInt = Field(
        3,
        description="clips at most: those that are illustrated first, then further explained ones, drawn by id",
    )
    megabytes: PositiveFloat = Field(
        20.0, description="room for all sounds of the study; clips that do not fit are left out and counted"
    )
