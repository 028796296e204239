"""Settings of FeatEx. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from soundproof.training.settings import TrainingSettings

_Probability = Annotated[float, Field(ge=0, le=1)]


class FeatExSettings(TrainingSettings):
    """How FeatEx is built and trained (defaults: the author's code)."""

    epochs: NonNegativeInt = Field(10, description="epochs at most; 0: the network as it was drawn")
    batch_size: int = Field(64, ge=2, description="clips per optimisation step")
    optimizer: Literal["adamw", "adam"] = Field("adam", description="see other detectors")
    weight_decay: float = Field(0.0, ge=0, description="strength of the weight decay")
    restart_epochs: PositiveInt | None = Field(
        None, description="period of a cosine schedule, epochs; None: constant rate"
    )
    protocol: Literal["as_published", "corrected"] = Field(
        "corrected",
        description="as_published: the plain head sees clips after StatEx with the labels from "
        "before, AdaCos' scale takes the angle for 45 degrees, the batch's mirror image is each "
        "exchange's partner; corrected: before StatEx, AdaCos as in its paper, partners are drawn",
    )
    l2: float = Field(
        1e-5,
        ge=0,
        description="times the sum of the squared weights of convolutions and dense layers "
        "(no squeeze-excitation, norm or class centre) is added to the loss",
    )
    width: float = Field(1.0, gt=0, le=1, description="factor on the published channels")
    branches: Literal["both", "stft", "spectrum"] = Field(
        "both", description="one branch alone trains on the plain head, without exchanges"
    )
    sub_clusters: int = Field(16, ge=1, description="directions of each class in the loss")
    loss_weights: tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat] = Field(
        (1.0, 0.0, 1.0), description="of the heads on plain, StatEx and FeatEx classes"
    )
    mixup: _Probability = Field(0.5, description="chance of a clip to be mixed")
    statex: _Probability = Field(0.5, description="chance of a clip to exchange its statistics")
    featex: _Probability = Field(0.5, description="chance of a clip to exchange its STFT embedding")
    centres: PositiveInt = Field(16, description="k-means centres of each individual's source clips")
