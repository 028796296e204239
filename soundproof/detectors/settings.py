"""Settings of the detectors. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from soundproof.core.registry import Parameters
from soundproof.training.settings import TrainingSettings

Protocol = Literal["as_published", "corrected"]


class AutoEncoderSettings(TrainingSettings):
    """How an auto-encoder is trained, plainly or masked (P1's masked auto-encoder: ratio 0.3)."""

    optimizer: Literal["adamw", "adam"] = Field(
        "adamw", description="adamw: weights decay by themselves; adam: their squares join the loss"
    )
    mask_ratio: float = Field(
        0.0, ge=0, lt=1, description="part of the patches hidden while training, rounded down; 0: plain"
    )
    mask_patch: tuple[PositiveInt, PositiveInt] = Field(
        (4, 4), description="size of a hidden patch: mel bands, frames"
    )
    masks: Literal["redrawn_in_training", "redrawn", "per_clip"] = Field(
        "redrawn_in_training",
        description="redrawn_in_training: anew in each epoch, but the same in each validation; redrawn: anew "
        "in validation, too; per_clip: a clip has one mask, always",
    )


class SkipCaeTransformerSettings(AutoEncoderSettings):
    """Settings of Skip-CAE-Transformer."""

    token_grid: tuple[PositiveInt, PositiveInt] = Field(
        (16, 64), description="largest map (bands / 8, frames / 8) of the transformer; others are pooled"
    )


class CaeSettings(AutoEncoderSettings):
    """Settings of CAE."""

    protocol: Protocol = Field(
        "corrected", description="as_published: starting weights in which every clip is the same"
    )


class DenseAeSettings(AutoEncoderSettings):
    """Settings of Dense AE."""

    protocol: Protocol = Field(
        "corrected", description="as_published: one shared BatchNorm and ReLU output (I-4)"
    )


class OneClassSvmSettings(Parameters):
    """Settings of One-Class SVM."""

    nu: float = Field(0.5, gt=0, le=1, description="upper bound of the fraction of outliers")
    gamma: Literal["auto", "scale"] = Field("auto", description="width rule of the RBF kernel")


class IsolationForestSettings(Parameters):
    """Settings of Isolation Forest."""

    trees: PositiveInt = Field(100, description="number of trees")
    samples: PositiveInt = Field(256, description="clips drawn for each tree at most")
    random_state: NonNegativeInt | None = Field(None, description="fixed seed; None: the run's seed")


class GaussianSettings(Parameters):
    """Settings of Gaussian."""

    covariance: Literal["ledoit_wolf", "oas", "diagonal"] = Field(
        "ledoit_wolf", description="full and shrunk by that rule, or variances alone"
    )
