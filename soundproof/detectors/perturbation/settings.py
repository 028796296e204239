"""Settings of the perturbing detectors. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from soundproof.detectors.embedding.featex.settings import FeatExSettings

EPSILONS = (0.0, 0.0005, 0.001, 0.0014, 0.002, 0.0024, 0.005, 0.01, 0.02, 0.05)
"""Steps that are tried: those of Lee et al. 2018, and larger ones."""
TEMPERATURES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Temperatures that are tried: those of Liang et al. 2018."""


class PerturbationSettings(FeatExSettings):
    """Settings of the step, beside those of the classifier."""

    epsilon: NonNegativeFloat | None = Field(
        None,
        description="size of the step in standard deviations of a band; None: that of a list which makes held-out "
        "normal clips look most normal. Published: the one that separates given anomalies best, an oracle",
    )
    probes: tuple[NonNegativeFloat, ...] = Field(
        (0.0, 0.001, 0.005, 0.02, 0.05), description="steps whose effect on each test clip's score is kept"
    )


class OdinSettings(PerturbationSettings):
    """Settings of ODIN."""

    temperature: PositiveFloat | None = Field(
        None,
        description="divides the logits; None: that of a list under which held-out normal clips are told apart "
        "with the least cross entropy (published: 1000)",
    )

    @model_validator(mode="after")
    def _has_the_plain_head(self) -> OdinSettings:
        if self.loss_weights[0] == 0:
            raise ValueError("the first of 'loss_weights' is 0: nothing tells the classes apart")
        return self


class MahalanobisSettings(PerturbationSettings):
    """Settings of Mahalanobis."""
