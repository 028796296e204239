"""Settings of the shared training loop. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from soundproof.core.registry import Parameters

Optimizer = Literal["adamw", "adam", "adamw_amsgrad", "sgd"]
OPTIMIZERS = (
    "adamw, adamw_amsgrad: weights decay by themselves; adam, sgd (momentum 0.9): their squares join the loss"
)


class TrainingSettings(Parameters):
    """How a detector is trained by gradient descent (defaults: P1's code)."""

    epochs: PositiveInt = Field(500, description="epochs at most")
    patience: PositiveInt = Field(30, description="epochs without a better validation loss before stopping")
    min_delta: float = Field(1e-5, ge=0, description="smallest decrease of the loss that counts as better")
    batch_size: int = Field(32, ge=2, description="clips per optimisation step")
    optimizer: Optimizer = Field("adamw", description=OPTIMIZERS)
    weight_decay: float = Field(0.01, ge=0, description="strength of the optimiser's weight decay")
    learning_rate: PositiveFloat = Field(1e-3, description="the optimiser's initial learning rate")
    restart_epochs: PositiveInt | None = Field(
        5, description="period T0 of the cosine schedule's restarts, epochs; None: a constant learning rate"
    )
    min_learning_rate: float = Field(1e-5, ge=0, description="lowest learning rate of the cosine schedule")
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="part of the clips kept for validation, rounded down"
    )
    last_batch: Literal["drop", "keep", "drop_everywhere"] = Field(
        "drop",
        description="clips that do not fill a batch: drop (in training), keep, drop_everywhere (in "
        "validation, too)",
    )
