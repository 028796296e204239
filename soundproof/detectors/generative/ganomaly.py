"""Adversarial auto-encoder after GANomaly (Akçay et al. 2018, arXiv 1805.06725).

An encoder, a decoder and a second encoder: the clip x becomes z, z becomes y, y becomes z'. A discriminator tells
clips from reconstructions. Generator and encoders learn to match the discriminator's features of both, the cells
(absolute error) and the latents; a clip is scored by how far z' is from z. Other than there: both sides take their
steps at the same time, in one optimiser; the learning rate is constant; and the weights are those of the epoch
whose cells and latents are best on held-out normal clips, since a discriminator's judgement compares with nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from soundproof.detectors.generative.coders import Decoder, Encoder
from soundproof.detectors.generative.settings import STAGES, GanomalySettings
from soundproof.detectors.generative.standardised import StandardisedDetector


class Ganomaly(StandardisedDetector):
    """Scores a clip by the mean absolute difference of its latents from those of its reconstruction."""

    settings: GanomalySettings

    def __init__(self, shape: tuple[int, int], settings: GanomalySettings) -> None:
        super().__init__(shape, settings)
        self.encoder = Encoder(shape, settings.width, settings.latents)
        self.decoder = Decoder(shape, settings.width, settings.latents)
        self.second_encoder = Encoder(shape, settings.width, settings.latents)
        self.discriminator = Discriminator(shape, settings.width)

    def score(self, x: Tensor) -> Tensor:
        """Mean absolute difference of clip and reconstruction in latents or in cells (``clip_score``), [B]."""
        _, z, made, again = self._passed(x)
        if self.settings.clip_score == "latent":
            return (z - again).abs().mean(dim=1)
        return (self.standardised(x) - made).abs().mean(dim=(1, 2))

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Absolute error of the reconstruction, in deviations of the band, [B, n_freq, n_frames]."""
        u, _, made, _ = self._passed(x)
        return (u - made).abs()

    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruction [B, n_freq, n_frames]."""
        return self.restored(self._passed(x)[2])

    def embed(self, x: Tensor) -> Tensor:
        """Latents [B, n_latents]."""
        return self._passed(x)[1]

    @property
    def cam_layer(self) -> nn.Module:
        """The last stage of the first encoder."""
        return self.encoder.stages[STAGES - 1]

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Loss of both sides in training; of cells and latents alone in validation.

        No side's loss reaches the other's weights: the discriminator sees reconstructions that are given, and its
        weights are given to whoever wants to be taken for a clip.
        """
        u, z, made, again = self._passed(x)
        settings = self.settings
        kept = (
            settings.cell_weight * (u - made).abs().mean()
            + settings.latent_weight * (z - again).square().mean()
        )
        if not self.training:
            return kept
        features = self._features_as_given(made)
        with torch.no_grad():
            wanted = self._features_as_given(u)
        deceived = settings.adversarial_weight * (features - wanted).square().mean()
        told = self.discriminator(torch.cat([u, made.detach()]))
        truth = torch.cat([torch.ones(len(u), device=u.device), torch.zeros(len(u), device=u.device)])
        return kept + deceived + functional.binary_cross_entropy_with_logits(told, truth)

    def _features_as_given(self, u: Tensor) -> Tensor:
        """Features of the discriminator, whose weights are constants and whose norms note nothing."""
        network = self.discriminator.features
        given = {name: value.detach().clone() for name, value in network.state_dict().items()}
        features: Tensor = functional_call(network, given, (u,))
        return features

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """That of cells made as the mean of each band, from latents that say nothing."""
        away = (x - band_means[:, None]) / self.band_deviation[:, None]
        return self.settings.cell_weight * away.abs().mean()

    def _passed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Standardised clip, its latents, its reconstruction, and the latents of that."""
        u = self.standardised(x)
        z = self.encoder(u)
        made = self.decoder(z)
        return u, z, made, self.second_encoder(made)


class Discriminator(nn.Module):
    """Tells clips from reconstructions: an encoder without its dense layer, and one value of its mean features.

    Args:
        shape: (n_freq, n_frames).
        width: Channels of the first convolution.
    """

    def __init__(self, shape: tuple[int, int], width: int) -> None:
        super().__init__()
        self.features = Features(shape, width)
        self.told = nn.Linear(self.features.channels, 1)

    def forward(self, u: Tensor) -> Tensor:
        """Logit of being a clip, [B], of maps [B, n_freq, n_frames]."""
        logit: Tensor = self.told(self.features(u).mean(dim=(2, 3)))[:, 0]
        return logit


class Features(nn.Module):
    """The convolutions of :class:`soundproof.detectors.generative.coders.Encoder` alone."""

    def __init__(self, shape: tuple[int, int], width: int) -> None:
        super().__init__()
        self.stages = Encoder(shape, width, 1).stages
        last = self.stages[-1]
        assert isinstance(last, nn.Sequential)
        assert isinstance(last[0], nn.Conv2d)
        self.channels = last[0].out_channels

    def forward(self, u: Tensor) -> Tensor:
        """Maps [B, n_freq, n_frames] to [B, channels, f, t]."""
        h = u[:, None]
        for stage in self.stages:
            h = stage(h)
        return h
