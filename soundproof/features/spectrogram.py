"""From samples to a time-frequency map, through torchaudio."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchaudio.transforms import MelScale, Resample, Spectrogram

from soundproof.errors import DataError
from soundproof.features.recipes import FeatureSettings
from soundproof.maps import Axes

TARGET_RMS = 10 ** (-26 / 20)
"""RMS (full scale = 1) that ``level: normalise`` gives every clip: -26 dBFS leaves headroom for peaks."""


class SpectrogramMaker:
    """Turns sound of any rate into maps of one recipe.

    The recipe's numbers (transform length, hop, mel bands, scale) are those of
    :class:`soundproof.features.recipes.FeatureSettings`.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings
        self._transform = Spectrogram(
            settings.n_fft, settings.window_length, settings.hop_length, power=float(settings.power)
        )
        self._mel = (
            MelScale(
                settings.n_mels,
                settings.sample_rate_hz,
                settings.low_hz,
                settings.high_hz,
                settings.n_fft // 2 + 1,
            )
            if settings.kind == "log_mel"
            else None
        )
        self._resamplers: dict[int, Resample] = {}

    @property
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequency of each row [n_freq]."""
        settings = self.settings
        nyquist = settings.sample_rate_hz / 2
        if self._mel is None:
            return np.linspace(0, nyquist, settings.n_fft // 2 + 1)
        edges = _mel_points(settings.low_hz, settings.high_hz or nyquist, settings.n_mels)
        return edges[1:-1]

    def axes(self, n_frames: int, unit: str) -> Axes:
        """The grid of maps with ``n_frames`` columns."""
        frequencies = tuple(float(value) for value in self.frequencies_hz)
        return Axes(frequencies, self.settings.frames_per_second, n_frames, unit)

    def power(self, samples: Tensor, rate_hz: int) -> Tensor:
        """Band powers before any logarithm.

        Args:
            samples: Sound [..., n_samples] of one rate.
            rate_hz: That rate.

        Returns:
            Maps [..., n_freq, n_frames], non-negative, cropped to a multiple of ``frames_multiple``.

        Raises:
            DataError: The sound is shorter than one window.
        """
        samples = self._resampled(samples, rate_hz)
        if samples.shape[-1] < self.settings.window_length:
            raise DataError(
                f"a clip of at least one window ({self.settings.window_length} samples)",
                f"{samples.shape[-1]} samples at {self.settings.sample_rate_hz} Hz",
                "leave the clip out, or choose a recipe with a shorter window",
            )
        spectrum = self._transform(samples)
        bands: Tensor = spectrum if self._mel is None else self._mel(spectrum)
        kept = bands.shape[-1] - bands.shape[-1] % self.settings.frames_multiple
        return bands[..., : kept or bands.shape[-1]]

    def map(self, samples: Tensor, rate_hz: int) -> Tensor:
        """The recipe's map [..., n_freq, n_frames]: level, transform, bands, scale."""
        if self.settings.level == "normalise":
            samples = normalise_level(samples)
        power = self.power(samples, rate_hz)
        match self.settings.scale:
            case "db":
                return 10 * torch.log10(power + self.settings.floor)
            case "log10":
                return torch.log10(power + self.settings.floor)
            case _:
                return power

    @property
    def unit(self) -> str:
        """Unit of the map's values before standardisation."""
        return {"db": "dB", "log10": "log10 power", "linear": "magnitude"}[self.settings.scale]

    def _resampled(self, samples: Tensor, rate_hz: int) -> Tensor:
        if rate_hz == self.settings.sample_rate_hz:
            return samples
        if rate_hz not in self._resamplers:
            self._resamplers[rate_hz] = Resample(rate_hz, self.settings.sample_rate_hz)
        resampled: Tensor = self._resamplers[rate_hz](samples)
        return resampled


def normalise_level(samples: Tensor) -> Tensor:
    """Scale each clip [..., n_samples] to the RMS :data:`TARGET_RMS`; silence stays silent."""
    rms = samples.pow(2).mean(-1, keepdim=True).sqrt()
    return samples * (TARGET_RMS / rms.clamp_min(torch.finfo(samples.dtype).tiny))


def _mel_points(low_hz: float, high_hz: float, n_mels: int) -> np.ndarray:
    """Edges and centres of HTK mel triangles [n_mels + 2] (the formula torchaudio uses)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (low_hz, high_hz))
    points: np.ndarray = 700 * (10 ** (np.linspace(low, high, n_mels + 2) / 2595) - 1)
    return points
