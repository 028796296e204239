"""Settings of the generative detectors. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from soundproof.training.settings import TrainingSettings

STAGES = 4
"""Convolutions of stride 2 in encoders."""


class GenerativeSettings(TrainingSettings):
    """How a generative detector is trained: Adam at a constant rate, few clips a step."""

    epochs: PositiveInt = Field(20, description="epochs at most")
    batch_size: int = Field(16, ge=2, description="clips per optimisation step")
    optimizer: Literal["adamw", "adam"] = Field("adam", description="see other detectors")
    weight_decay: float = Field(0.0, ge=0, description="strength of the weight decay")
    restart_epochs: PositiveInt | None = Field(
        None, description="period of a cosine schedule, epochs; None: constant rate"
    )


class VaeSettings(GenerativeSettings):
    """Settings of VAE."""

    latents: PositiveInt = Field(32, description="dimensions of the latent space")
    width: PositiveInt = Field(
        16, description="channels of the first convolution; the others have 2, 4, 4 times"
    )
    kl_weight: NonNegativeFloat = Field(1.0, description="factor on the divergence from the prior (beta)")
    attention_layer: int = Field(
        3, ge=1, le=STAGES, description="convolution of the encoder whose maps the attention weighs"
    )
    attention_weight: float = Field(
        0.0,
        ge=0,
        description="times the mean of 1 - A over normal clips, with A their attention scaled to 0..1, is added to "
        "the loss (attention expansion); 0: a plain VAE",
    )
    own_map: Literal["error", "attention", "outside_attention"] = Field(
        "error",
        description="the detector's own map: error (squared, in deviations of the band), attention (of the "
        "latents: expVAE), outside_attention (1 - A); scores are the same",
    )


class DiffusionSettings(GenerativeSettings):
    """Settings of the partial diffusion."""

    epochs: PositiveInt = Field(60, description="epochs at most")
    noise: Literal["gaussian", "multi_scale"] = Field(
        "gaussian", description="gaussian: white; multi_scale: of lattices of 64, 32 ... 2 cells"
    )
    steps: int = Field(200, ge=2, description="steps from a clip to noise (AnoDDPM: 1000)")
    partial: float = Field(
        0.25,
        ge=0,
        le=1,
        description="part of the steps that a clip is made noisy for (lambda); 0: not at all",
    )
    steps_back: PositiveInt = Field(5, description="steps of the way back at most")
    eta: float = Field(0.0, ge=0, le=1, description="how much a step back draws; 0: nothing (DDIM), 1: DDPM")
    repairs: PositiveInt = Field(4, description="repairs of a clip, each from other noise, that are averaged")
    width: int = Field(
        24,
        ge=4,
        multiple_of=4,
        description="channels of the U-Net's first level; the others have 2 and 4 times",
    )
    stem: PositiveInt = Field(1, description="cells along each side that the U-Net's first level sees as one")


class GanomalySettings(GenerativeSettings):
    """Settings of the adversarial auto-encoder (weights of the losses: GANomaly's)."""

    learning_rate: PositiveFloat = Field(1e-3, description="the optimiser's learning rate (GANomaly: 2e-4)")
    latents: PositiveInt = Field(32, description="dimensions of the latent space (GANomaly: 100)")
    width: PositiveInt = Field(
        16, description="channels of the first convolution; the others have 2, 4, 4 times"
    )
    cell_weight: NonNegativeFloat = Field(50.0, description="of the absolute error of the cells")
    latent_weight: NonNegativeFloat = Field(1.0, description="of the squared error of the latents")
    adversarial_weight: NonNegativeFloat = Field(
        1.0, description="of the squared error of the discriminator's features; 0: it is not asked"
    )
    clip_score: Literal["latent", "error"] = Field(
        "latent", description="latent: difference of the latents (published); error: of the cells"
    )
