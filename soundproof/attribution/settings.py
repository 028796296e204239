"""Settings of the explainers. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from soundproof.core.registry import Parameters

BaselineKind = Literal["zero", "clip_mean", "clip_min"]
_BASELINE = "map that stands for 'nothing there': all 0, or the clip's own mean or minimum"
_SAMPLES = "noisy copies of each clip"
_SIGMA = "standard deviation of the noise, in the unit of the maps"


class IntegratedGradientsSettings(Parameters):
    """Settings of Integrated Gradients."""

    steps: PositiveInt = Field(50, description="nodes of the Gauss-Legendre rule along the path")
    baseline: BaselineKind = Field("zero", description=_BASELINE)


class SmoothGradSettings(Parameters):
    """Settings of SmoothGrad."""

    samples: PositiveInt = Field(25, description=_SAMPLES)
    sigma: PositiveFloat = Field(0.1, description=_SIGMA)


class GradientShapSettings(Parameters):
    """Settings of GradSHAP."""

    samples: PositiveInt = Field(25, description=_SAMPLES)
    sigma: float = Field(0.09, ge=0, description=_SIGMA)
    baseline: BaselineKind = Field("zero", description=_BASELINE)


class OcclusionSettings(Parameters):
    """Settings of Occlusion."""

    window: tuple[PositiveInt, PositiveInt] = Field(
        (8, 20), description="size of the window: frequency bins, frames"
    )
    stride: tuple[PositiveInt, PositiveInt] = Field(
        (8, 20), description="step of the window: frequency bins, frames"
    )
    baseline: BaselineKind = Field("zero", description=_BASELINE)


class ExternalSettings(Parameters):
    """Where maps that were made elsewhere are."""

    path: Path = Field(
        description="Parquet file of maps, a folder with one <clip_id>.npy per clip, or a .npz file with "
        "`clip_ids` and `maps` or with one map by each clip's name"
    )
    resolution: Literal["same", "any"] = Field(
        "same",
        description="same: maps have the bands and frames of the clips; any: those of another number of bands or "
        "frames are brought to these, each cell with the mean of the map over the part of the axes that it covers",
    )
