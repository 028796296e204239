"""VAE: a variational auto-encoder of normal sound (Kingma and Welling 2014, arXiv 1312.6114).

With an attention weight above 0 it is attention expansion after the idea of CAVGA (Venkataramanan et al. 2020,
arXiv 1911.08616): the attention of its latents is pushed to cover normal clips, so that what it leaves out is
unusual. Its degenerate optimum is attention that is the same everywhere and tells nothing.
"""

from __future__ import annotations

import logging
import math

import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.detectors.generative.coders import Decoder, Encoder
from soundproof.detectors.generative.latent_attention import attention, on_map, scaled
from soundproof.detectors.generative.settings import VaeSettings
from soundproof.detectors.generative.standardised import StandardisedDetector
from soundproof.detectors.reading import in_chunks
from soundproof.interfaces.detector import TrainingClips, TrainingRun

logger = logging.getLogger(__name__)

COLLAPSED = 0.01
"""A latent whose mean divergence from the prior is below this, in nats, says nothing of a clip."""
_LEAST_LOG_DEVIATION = -5.0


class BandDeviations(nn.Module):
    """Logarithm of the deviation s of each band's error, learnt with the network."""

    def __init__(self, n_freq: int) -> None:
        super().__init__()
        self.logarithm = nn.Parameter(torch.zeros(n_freq))

    def reset_parameters(self) -> None:
        """Start from the deviation of the band itself, 1."""
        nn.init.zeros_(self.logarithm)

    def forward(self) -> Tensor:
        """Log s, [n_freq, 1]; it cannot run off to minus infinity on a band without noise."""
        return self.logarithm.clamp_min(_LEAST_LOG_DEVIATION)[:, None]


class Vae(StandardisedDetector):
    """Scores a clip by the squared error of its reconstruction, each band in its own deviation s.

    Trained on the negative evidence bound of Gaussian cells, ``(x - y)² / (2 s²) + log s + log(2 pi) / 2`` summed
    over cells plus the divergence of the latents from N(0, 1), over the number of cells. Map, score and
    reconstruction take the latents' means and draw nothing.

    Attributes:
        divergence: Mean divergence of each latent from the prior over the training clips, nats, [n_latents].
    """

    settings: VaeSettings
    divergence: Tensor

    def __init__(self, shape: tuple[int, int], settings: VaeSettings) -> None:
        super().__init__(shape, settings)
        self.encoder = Encoder(shape, settings.width, 2 * settings.latents)
        self.decoder = Decoder(shape, settings.width, settings.latents)
        self.deviations = BandDeviations(shape[0])
        self.register_buffer("divergence", torch.zeros(settings.latents))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Train, then count the latents that collapsed onto the prior.

        Raises:
            DataError: Fewer than three clips.
            TrainingError: The loss is not finite.
        """
        history = super().fit(clips, run)
        with torch.no_grad():
            parts = [
                divergence(*self._latents(self.standardised(maps.to(run.device))))
                for maps in in_chunks(clips)
            ]
        self.divergence.copy_(torch.cat(parts).mean(dim=0))
        logger.info(
            "%d of %d latents collapsed onto the prior (below %g nats)",
            self.collapsed,
            self.settings.latents,
            COLLAPSED,
        )
        return history

    @property
    def collapsed(self) -> int:
        """Number of latents that say nothing of a clip."""
        return int((self.divergence < COLLAPSED).sum())

    def score(self, x: Tensor) -> Tensor:
        """Mean over cells of the squared error in deviations, [B]."""
        return self.errors(x).mean(dim=(1, 2))

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Squared errors, attention of the latents, or what it leaves out (``own_map``), [B, n_freq, n_frames]."""
        if self.settings.own_map == "error":
            return self.errors(x)
        with torch.enable_grad():
            seen = attention(*self.latents(x.detach().requires_grad_()))
        if self.settings.own_map == "attention":
            return on_map(seen, self.shape)
        return 1 - on_map(scaled(seen), self.shape)

    def errors(self, x: Tensor) -> Tensor:
        """Squared error of each cell in the deviation of its band, [B, n_freq, n_frames]."""
        u = self.standardised(x)
        errors: Tensor = ((u - self._decoded(u)) / self.deviations().exp()).square()
        return errors

    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruction from the means of the latents, [B, n_freq, n_frames]."""
        return self.restored(self._decoded(self.standardised(x)))

    def embed(self, x: Tensor) -> Tensor:
        """Means of the latents, [B, n_latents]."""
        return self._latents(self.standardised(x))[0]

    def latents(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Activations of the ``attention_layer`` [B, channels, f, t] and the means that follow from them."""
        activations, both = self.encoder.with_activations(self.standardised(x), self.settings.attention_layer)
        return activations, both.chunk(2, dim=1)[0]

    @property
    def cam_layer(self) -> nn.Module:
        """The stage of the encoder whose maps the attention weighs."""
        return self.encoder.stages[self.settings.attention_layer - 1]

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Negative evidence bound per cell, and the attention's part where it has a weight."""
        u = self.standardised(x)
        mean, log_variance = self._latents(u)
        noise = torch.randn(mean.shape, generator=generator, device=generator.device)
        made = self.decoder(mean + noise * (log_variance / 2).exp())
        loss = self._bound(u - made, self.deviations(), divergence(mean, log_variance))
        weight = self.settings.attention_weight
        return loss if weight == 0 else loss + weight * self.uncovered(x).mean()

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """The bound where every clip is made as the mean of each band, from latents that say nothing."""
        away = (x - band_means[:, None]) / self.band_deviation[:, None]
        nothing = x.new_zeros(len(x), 1)
        # attention that tells nothing is the same everywhere, and leaves nothing out
        return self._bound(away, x.new_zeros(len(self.band_mean), 1), nothing)

    def uncovered(self, x: Tensor) -> Tensor:
        """Part of each clip that its attention leaves out: mean of 1 - A, [B]; differentiable where weights are.

        The encoder norms by its running statistics also in training: through those of a batch, a clip's latents
        follow from all clips of it, and their sum hardly from any.
        """
        training = self.encoder.training
        self.encoder.eval()
        tracked = torch.is_grad_enabled() and any(
            weight.requires_grad for weight in self.encoder.parameters()
        )
        with torch.enable_grad():
            seen = attention(
                *self.latents(x if tracked else x.detach().requires_grad_()), differentiable=tracked
            )
        self.encoder.train(training)
        return (1 - scaled(seen)).mean(dim=(1, 2))

    def _bound(self, away: Tensor, log_deviations: Tensor, divergences: Tensor) -> Tensor:
        cells = (away / log_deviations.exp()).square() / 2 + log_deviations + math.log(2 * math.pi) / 2
        of_latents = self.settings.kl_weight * divergences.sum(dim=1) / away[0].numel()
        return (cells.mean(dim=(1, 2)) + of_latents).mean()

    def _latents(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log variances of the latents, [B, n_latents] each."""
        mean, log_variance = self.encoder(u).chunk(2, dim=1)
        return mean, log_variance

    def _decoded(self, u: Tensor) -> Tensor:
        made: Tensor = self.decoder(self._latents(u)[0])
        return made


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), nats, of the shape of its arguments."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2
