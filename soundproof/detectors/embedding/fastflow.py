"""Normalising flow on patches: how probable are they among normal ones?

After FastFlow (Yu et al. 2021, arXiv 2111.07677): two-dimensional couplings with convolutions 3x3 and 1x1 in turn
on the maps of a frozen network, trained on their likelihood alone. Other than there, layers are joined as all
detectors on patches join them, and their channels are mapped to fewer by random orthogonal directions and
whitened on normal patches (a flow of 896 channels would have to learn what one matrix does). An untrained flow is
thus a Gaussian over all patches.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.directions import orthogonal
from soundproof.detectors.embedding.flow_steps import Coupling, Flow, log_density
from soundproof.detectors.embedding.settings import FastFlowSettings
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun, reset_parameters
from soundproof.training.loop import GradientTrained

_LEAST_VARIANCE = 1e-6
"""Of a direction over the largest one's, before it is whitened."""


class FastFlow(EmbeddingDetector, GradientTrained):
    """Surprise of each cell of the patch grid, -log p, in nats above that of the most usual normal cell.

    What lies below that (more usual than any cell of the training clips) counts as 0.

    Attributes:
        directions: From channels to the flow's dimensions, whitened, [n_channels, n_dims].
        centre: Mean patch in the flow's dimensions, [n_dims].
        usual: -log p of the most usual cell of the training clips.
    """

    settings: FastFlowSettings
    directions: Tensor
    centre: Tensor
    usual: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: FastFlowSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        n_channels = len(self.channel_scale)
        n_dims = min(settings.dimensions, n_channels)
        if n_dims < 2:
            raise ConfigError(
                "at least two channels for a flow, one to change by the other",
                f"a backbone with {n_channels}",
                "choose another backbone",
            )
        self.flow = Flow(n_dims, settings.steps)
        self.register_buffer("directions", torch.zeros(n_channels, n_dims))
        self.register_buffer("centre", torch.zeros(n_dims))
        self.register_buffer("usual", torch.zeros(()))
        self._features: Tensor | None = None

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Whiten the patches, then train the flow on them; each clip goes through the backbone once.

        Raises:
            DataError: Fewer than three clips, or maps too small for the neighbourhood.
            TrainingError: The loss is not finite.
        """
        self.prepare(clips, run)
        n_channels, n_dims = self.directions.shape
        onto = orthogonal(n_channels, n_dims, run.seed).to(run.device)
        reduced = torch.stack([patches @ onto.to(patches) for patches in self.training_patches(clips, run)])
        white, mean = whitening(reduced)
        self.directions.copy_(onto @ white)
        self.centre.copy_(mean @ white)
        self._features = ((reduced.double() - mean) @ white).float().movedim(-1, 1)
        history = super().fit(clips, run)
        with torch.no_grad():
            parts = torch.split(self._features, self.settings.batch_size)
            self.usual.copy_(torch.stack([self._surprise(part).min() for part in parts]).min())
        self._features = None
        return history

    def initialise(self, seed: int) -> None:
        """Draw the flow; the backbone and the whitening stay."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reset_parameters(self.flow)
        for step in self.flow.steps:
            assert isinstance(step, Coupling)
            step.start_at_nothing()

    def training_targets(self, frame: pd.DataFrame) -> Tensor | None:
        """Whitened patches of each clip, [n_clips, n_dims, rows, columns]."""
        return self._features

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean of -log p over clips and cells, nats per dimension."""
        if targets is None:
            raise ValueError("a flow learns from patches that were made before")
        return self._surprise(targets).mean() / targets.shape[1]

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """The same of a Gaussian over all patches: of a flow that changes nothing."""
        if targets is None:
            raise ValueError("a flow learns from patches that were made before")
        return -log_density(targets, targets.new_zeros(())).mean() / targets.shape[1]

    def cell_scores(self, x: Tensor) -> Tensor:
        """Surprise of each cell of the patch grid, nats, [B, rows, columns]."""
        reduced = (self.patches(x) @ self.directions).movedim(-1, 1)
        return (self._surprise(reduced - self.centre[:, None, None]) - self.usual).clamp_min(0)

    def _surprise(self, features: Tensor) -> Tensor:
        surprise: Tensor = -log_density(*self.flow(features))
        return surprise


def whitening(values: Tensor) -> tuple[Tensor, Tensor]:
    """Matrix [n_dims, n_dims] that gives values [..., n_dims] unit covariance, and their mean [n_dims].

    A direction in which they do not vary keeps almost no variance, instead of being divided by 0.
    """
    flat = values.flatten(0, -2).double()
    mean = flat.mean(dim=0)
    variances, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    least = max(_LEAST_VARIANCE * float(variances[-1]), torch.finfo(torch.float32).tiny)
    return vectors / variances.clamp_min(least).sqrt(), mean
