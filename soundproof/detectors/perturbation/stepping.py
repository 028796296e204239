"""What ODIN and Mahalanobis share: a classifier of normal sound, and a small step of the clip towards normal."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from soundproof.detectors.band_scale import band_scale
from soundproof.detectors.embedding.featex.detector import FeatEx
from soundproof.detectors.perturbation.settings import EPSILONS, PerturbationSettings
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.training.clips import split

PERTURBED = "perturbed_score"
"""Measure: score of a clip after a step of the size that the parameter says."""


class Stepping(FeatEx):
    """Scores a clip after one step that makes it look more normal: ``x - e d sign(grad s(x))``.

    With s the score of the clip as it is and d the deviation of the band, so that a step is as large in all
    bands. The idea of both publications is that a step does more for normal clips than for others; whether it
    does is measured (:meth:`further_scores`).

    Attributes:
        band_deviation: Standard deviation of each band over the training clips, [n_freq].
        epsilon: Size of the step.
    """

    settings: PerturbationSettings
    band_deviation: Tensor
    epsilon: Tensor

    def __init__(self, shape: tuple[int, int], settings: PerturbationSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("band_deviation", torch.ones(shape[0]))
        self.register_buffer("epsilon", torch.zeros((), dtype=torch.float64))

    @abstractmethod
    def plain_score(self, x: Tensor) -> Tensor:
        """Score of clips as they are [B], float64, differentiable."""

    def use_heads(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Measure the bands, then choose the step on the normal clips that were held out of training."""
        self.band_deviation.copy_(band_scale(clips)[1])
        self.learn(clips, run)
        if self.settings.epsilon is not None:
            self.epsilon.fill_(self.settings.epsilon)
            return
        held = self.held_out(clips, run)
        means = [float(self.stepped_score(held, epsilon).detach().mean()) for epsilon in EPSILONS]
        self.epsilon.fill_(EPSILONS[means.index(min(means))])

    @abstractmethod
    def learn(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Take what the plain score needs from trained heads and normal clips."""

    def held_out_rows(self, clips: TrainingClips, run: TrainingRun) -> list[int]:
        """Rows of the clips that validated the training."""
        return split(clips.frame["clip_id"].tolist(), self.settings.validation_fraction, run.seed)[1]

    def held_out(self, clips: TrainingClips, run: TrainingRun) -> Tensor:
        """The clips of :meth:`held_out_rows`."""
        return clips.read(self.held_out_rows(clips, run)).to(run.device)

    def score(self, x: Tensor) -> Tensor:
        """Score after the step, [B], float64, without a gradient: where a slope changes sign, the step jumps."""
        return self.stepped_score(x, float(self.epsilon)).detach()

    def stepped_score(self, x: Tensor, epsilon: float) -> Tensor:
        """Score after a step of this size, [B]; 0: of the clip as it is."""
        return self.plain_score(x if epsilon == 0 else x - epsilon * self._way(x))

    def further_scores(self, x: Tensor) -> dict[tuple[str, float | None], Tensor]:
        """Score after each of the ``probes``."""
        way = self._way(x)
        return {(PERTURBED, probe): self.plain_score(x - probe * way) for probe in self.settings.probes}

    def anomaly_map(self, x: Tensor) -> Tensor:
        """How much the score falls by a small step in each cell: ``d |grad s|``, [B, n_freq, n_frames]."""
        return self._slopes(x).abs()

    def for_individual(self, machine: str, machine_id: str) -> Stepping:
        """Itself: clips are told apart, not compared with their own kind."""
        return self

    @property
    def cam_layer(self) -> None:
        """None: a clip goes through the network twice, as it is and after the step."""
        return None

    def _way(self, x: Tensor) -> Tensor:
        """Sign of the slopes, times the deviation of the band."""
        return self._slopes(x).sign() * self.band_deviation[:, None]

    def _slopes(self, x: Tensor) -> Tensor:
        """Slope of the plain score along each cell, per deviation of the band, detached."""
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            (slopes,) = torch.autograd.grad(self.plain_score(leaf).sum(), leaf)
        return slopes * self.band_deviation[:, None]
