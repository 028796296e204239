"""Settings of the explainers. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from soundproof.core.registry import Parameters
from soundproof.interfaces.replacement import Background

BaselineKind = Literal["zero", "clip_mean", "clip_min"]
AnyBaseline = Literal[BaselineKind, "nearest_normal"]
_BASELINE = "map that stands for 'nothing there': all 0, or the clip's own mean or minimum"
_ANY_BASELINE = (
    f"{_BASELINE}; or for 'nothing wrong': the normal training clip of the same part that is nearest (least "
    "Euclidean distance of the maps)"
)
_SAMPLES = "noisy copies of each clip"
_SIGMA = "standard deviation of the noise, in the unit of the maps"


class IntegratedGradientsSettings(Parameters):
    """Settings of Integrated Gradients."""

    steps: PositiveInt = Field(50, description="nodes of the Gauss-Legendre rule along the path")
    baseline: AnyBaseline = Field("zero", description=_ANY_BASELINE)


class SmoothGradSettings(Parameters):
    """Settings of SmoothGrad."""

    samples: PositiveInt = Field(25, description=_SAMPLES)
    sigma: PositiveFloat = Field(0.1, description=_SIGMA)


class GradientShapSettings(Parameters):
    """Settings of GradSHAP."""

    samples: PositiveInt = Field(25, description=_SAMPLES)
    sigma: float = Field(0.09, ge=0, description=_SIGMA)
    baseline: AnyBaseline = Field("zero", description=_ANY_BASELINE)


class OcclusionSettings(Parameters):
    """Settings of Occlusion."""

    window: tuple[PositiveInt, PositiveInt] = Field(
        (8, 20), description="size of the window: frequency bins, frames"
    )
    stride: tuple[PositiveInt, PositiveInt] = Field(
        (8, 20), description="step of the window: frequency bins, frames"
    )
    baseline: BaselineKind = Field("zero", description=_BASELINE)


class ExpVaeSettings(Parameters):
    """Settings of expVAE."""

    shown: Literal["attention", "outside"] = Field(
        "attention",
        description="attention: where the latents look; outside: 1 - A, with A the attention of the clip scaled to "
        "0..1 (for a detector whose attention was taught to cover normal sound)",
    )


class RiseSettings(Parameters):
    """Settings of RISE."""

    masks: PositiveInt = Field(1000, description="random masks of each clip")
    shown: float = Field(0.5, gt=0, lt=1, description="part of a mask's cells that is shown")
    cell: tuple[PositiveInt, PositiveInt] = Field(
        (10, 50), description="size of a mask's cells: frequency bins, frames"
    )
    baseline: BaselineKind = Field("zero", description=_BASELINE)


class RepairMaskSettings(Parameters):
    """Settings of the repair mask."""

    quantile: float = Field(
        0.95,
        ge=0,
        le=1,
        description="a clip is normal (again) where its score is at most this quantile of the scores of the normal "
        "training clips of its individual",
    )
    replacement: Background = Field(
        "nearest_normal",
        description="what cells are repaired with: the normal training clip of the same part that is nearest "
        "(least Euclidean distance of the maps), the detector's reconstruction, the median of the clip, the median "
        "over time of the cell's band, or the value 0",
    )
    steps: PositiveInt = Field(100, description="steps of the search at most")
    step: float = Field(
        0.1, gt=0, le=1, description="how far the fastest cell of a mask, 0 to 1, moves in a step"
    )
    size: float = Field(
        1.0,
        ge=0,
        description="price of a cell at the first step; 1: an even share of the way to normal",
    )
    roughness: float = Field(0.1, ge=0, description="price of the mask's total variation, likewise")


CaptumMethod = Literal[
    "DeepLift",
    "DeepLiftShap",
    "InputXGradient",
    "GuidedBackprop",
    "Deconvolution",
    "LRP",
    "FeatureAblation",
    "KernelShap",
    "Lime",
    "ShapleyValueSampling",
]
BY_SEGMENTS: frozenset[str] = frozenset({"FeatureAblation", "KernelShap", "Lime", "ShapleyValueSampling"})
"""Methods of Captum that blank segments and ask for scores alone."""
WITHOUT_A_RULE: dict[str, frozenset[str]] = {
    "LRP": frozenset(
        {
            *("skip_cae_transformer", "skip_cae", "dense_ae", "featex", "featex_naming"),
            *("vae", "diffusion", "ganomaly", "context_memory"),
            *("one_class_svm", "gaussian", "mean_square", "clip_level"),
        }
    )
}
"""Detectors with a layer that a method of Captum has no rule for; of one's own models only the job can say."""
_ADD_UP = ("DeepLift", "KernelShap", "ShapleyValueSampling")
CAPTUM_PARAMETERS: dict[str, dict[str, type]] = {
    "DeepLift": {"multiply_by_inputs": bool, "eps": float},
    "DeepLiftShap": {"multiply_by_inputs": bool},
    "KernelShap": {"n_samples": int},
    "Lime": {"n_samples": int},
    "ShapleyValueSampling": {"n_samples": int},
}
"""Parameters of Captum's methods that are nobody else's business, as in their signatures."""


class NoiseSettings(Parameters):
    """Noise that a method is averaged over (Captum's NoiseTunnel)."""

    type: Literal["smoothgrad", "smoothgrad_sq", "vargrad"] = Field(
        "smoothgrad", description="mean of the maps of noisy copies, of their squares, or their variance"
    )
    samples: PositiveInt = Field(5, description=_SAMPLES)
    sigma: PositiveFloat = Field(0.1, description=_SIGMA)


class CaptumSettings(Parameters):
    """A method of Captum by its name."""

    method: CaptumMethod = Field(
        "DeepLift",
        description="name of the class in captum.attr; those with rules for layers (DeepLift, DeepLiftShap, "
        "GuidedBackprop, Deconvolution, LRP) let steps that are no layers through by their gradient, such as the "
        "square of an error: `completeness_error` says what DeepLift loses there",
    )
    parameters: dict[str, bool | int | float] = Field(
        default_factory=dict,
        description="parameters of that class: "
        + "; ".join(f"{name}: {', '.join(known)}" for name, known in CAPTUM_PARAMETERS.items()),
    )
    baseline: BaselineKind = Field(
        "zero", description=f"{_BASELINE}; DeepLiftShap takes all three of them, whatever stands here"
    )
    segment: tuple[PositiveInt, PositiveInt] = Field(
        (8, 20), description="size of the segments that are blanked together: frequency bins, frames"
    )
    noise: NoiseSettings | None = Field(None, description="average over noisy copies; None: do not")

    @property
    def adds_up(self) -> bool:
        """Whether relevance should add up to the score's difference from the baseline."""
        factors = self.parameters.get("multiply_by_inputs") is False
        return self.method in _ADD_UP and self.noise is None and not factors

    @model_validator(mode="after")
    def _parameters_of_the_method(self) -> CaptumSettings:
        known = CAPTUM_PARAMETERS.get(self.method, {})
        for name, value in self.parameters.items():
            if name not in known:
                there = ", ".join(known) or "none"
                raise ValueError(f"{self.method} has no parameter '{name}' to set; it has {there}")
            if type(value) is not known[name] and not (known[name] is float and type(value) is int):
                raise ValueError(f"'{name}' of {self.method} is a {known[name].__name__}, not {value!r}")
            if known[name] is not bool and value <= 0:
                raise ValueError(f"'{name}' of {self.method} is above 0, not {value!r}")
        return self


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
