"""Settings of the localisation metrics. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soundproof.audio.settings import MaskSettings
from soundproof.core.registry import Parameters
from soundproof.reasons.settings import NamingSettings

_Quantile = Annotated[float, Field(ge=0, lt=1)]
_Percentile = Annotated[float, Field(ge=0, lt=100)]
Reduction = Literal["sum", "top5_mean"]
_REDUCTION = "how a map becomes a curve: signed sum over frequency, or mean of the top five bins"


class SegmentF1Settings(Parameters):
    """Settings of segment F1."""

    percentiles: Annotated[tuple[_Percentile, ...], Field(min_length=1)] = Field(
        tuple(float(p) for p in range(90, 100)),
        description="percentiles of the clip's own curve above which a frame is a peak",
    )
    segment_s: float = Field(1.0, gt=0, description="length of a segment, seconds")
    reduction: Reduction = Field("sum", description=_REDUCTION)


class FrameAurocSettings(Parameters):
    """Settings of frame AUROC."""

    reduction: Reduction = Field("sum", description=_REDUCTION)


class FrameRankingSettings(Parameters):
    """Settings of the ranking of a set's frames."""

    reduction: Reduction = Field("top5_mean", description=_REDUCTION)


class AuproSettings(Parameters):
    """Settings of AU-PRO."""

    limit: float = Field(0.3, gt=0, le=1, description="largest false-positive rate that counts")
    connectivity: Literal[4, 8] = Field(
        8, description="whether cells that share only a corner form one region (8) or not (4)"
    )
    min_cells: PositiveInt = Field(
        4,
        description="cells of the smallest region that counts; smaller ones are ignored, neither "
        "regions nor false positives",
    )


class SiSdrSettings(MaskSettings):
    """Settings of SI-SDR: the mask, and the maps without knowledge beside it."""

    draws: PositiveInt = Field(2, description="maps per clip with the same values at random cells")
    shifts: PositiveInt = Field(4, description="random shifts of each map in time")


class ReasonScoreSettings(NamingSettings):
    """Settings of the scores of reasons: the reasons, and the maps without knowledge beside them."""

    draws: PositiveInt = Field(2, description="maps of noise per clip")
    shifts: PositiveInt = Field(1, description="random shifts of each map's cells in time")


class IouSettings(Parameters):
    """Settings of IoU."""

    quantiles: Annotated[tuple[_Quantile, ...], Field(min_length=1)] = Field(
        (0.90, 0.95, 0.98), description="quantiles of the map at which it is binarised"
    )
