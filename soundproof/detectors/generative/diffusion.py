"""Partial diffusion: a clip is made noisy part of the way, and repaired by what is known of normal sound.

After AnoDDPM (Wyatt et al. 2022, CVPR workshops), which starts the way back at a quarter of the steps and uses
noise of several scales, because white noise leaves large anomalies as they are. Other than there: the way back
goes in a few steps without draws (DDIM, Song et al. 2021, arXiv 2010.02502) unless ``eta`` says otherwise,
several repairs are averaged, and every clip meets the same noise, so that its score depends on the clip alone.
Anomalous sound by a diffusion as well: ASD-Diffusion, arXiv 2409.15957.
"""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.detectors.generative.noise import Noise
from soundproof.detectors.generative.schedule import Schedule, stops
from soundproof.detectors.generative.settings import DiffusionSettings
from soundproof.detectors.generative.standardised import StandardisedDetector
from soundproof.detectors.generative.u_net import UNet
from soundproof.randomness.seeding import seed_from


class Diffusion(StandardisedDetector):
    """Scores a clip by the squared difference from its repair, each band in its deviation over normal clips."""

    settings: DiffusionSettings

    def __init__(self, shape: tuple[int, int], settings: DiffusionSettings) -> None:
        super().__init__(shape, settings)
        self.noise = Noise(shape, settings.noise)
        self.schedule = Schedule(settings.steps)
        self.network = UNet(settings.width, settings.stem, settings.steps)
        start = round(settings.partial * settings.steps)
        self._stops = stops(start, settings.steps_back)
        self._drawn: dict[torch.device, Tensor] = {}

    def score(self, x: Tensor) -> Tensor:
        """Mean over cells of the squared difference from the repair, [B]."""
        return self.anomaly_map(x).mean(dim=(1, 2))

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Squared difference from the repair, in deviations of the band, [B, n_freq, n_frames]."""
        u = self.standardised(x)
        errors: Tensor = (u - self._repaired(u)).square()
        return errors

    def reconstruct(self, x: Tensor) -> Tensor:
        """The repaired clip, mean of all repairs, [B, n_freq, n_frames]; without noise the clip itself."""
        if self._stops[0] == 0:
            return x.clone()
        return self.restored(self._repaired(self.standardised(x)))

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean squared error of the noise seen in each clip at a random step (Ho et al. 2020, equation 14)."""
        step = torch.randint(
            1, self.settings.steps + 1, (len(x),), generator=generator, device=generator.device
        )
        noise = self.noise.draw(len(x), generator)
        seen: Tensor = self.network(self.schedule.noisy(self.standardised(x), noise, step), step)
        return (seen - noise).square().mean()

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """The variance of the noise: who sees none."""
        return x.new_ones(())

    def _repaired(self, u: Tensor) -> Tensor:
        """Mean repair of standardised clips."""
        if self._stops[0] == 0:
            return u
        draws = self._draws(u.device)
        total = torch.zeros_like(u)
        for of_repair in draws:
            start = u.new_full((len(u),), self._stops[0], dtype=torch.int64)
            x = self.schedule.noisy(u, of_repair[0], start)
            for number, (step, to) in enumerate(zip(self._stops, self._stops[1:], strict=False), start=1):
                seen = self.network(x, torch.full_like(start, step))
                x = self.schedule.back(x, seen, step, to, self.settings.eta, of_repair[number])
            total = total + x
        return total / len(draws)

    def _draws(self, device: torch.device) -> Tensor:
        """Noise of all repairs and their steps, [repairs, steps, n_freq, n_frames]; the same for every clip."""
        if device not in self._drawn:
            repairs, n = self.settings.repairs, len(self._stops)
            drawn = [
                self.noise.draw(n, torch.Generator().manual_seed(seed_from("repair", number)))
                for number in range(repairs)
            ]
            self._drawn[device] = torch.stack(drawn).to(device)
        return self._drawn[device]
