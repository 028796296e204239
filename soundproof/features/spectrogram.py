"""From samples to a time-frequency map, through torchaudio."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torchaudio.transforms import MelScale, Spectrogram

from soundproof.audio.resampling import resampled
from soundproof.core.errors import DataError
from soundproof.features.rates import band_centres_hz, band_tops_hz, n_filled_bands
from soundproof.features.recipes import FeatureSettings
from soundproof.storage.maps import Axes

TARGET_RMS = 10 ** (-26 / 20)
"""RMS (full scale = 1) that ``level: normalise`` gives every clip: -26 dBFS leaves headroom for peaks."""

LEAST_POWER = 1e-10
"""Power that stands for silence where a level in dB is asked for."""

COMPRESSION = 10_000.0
LARGEST_COMPRESSED = 9.457798957824707
"""Of the scale ``compressed``: the largest value of log10(10000 power + 1) in aiSFX's training data."""


class SpectrogramMaker:
    """Turns sound of any rate into maps of one recipe.

    The recipe's numbers (transform length, hop, mel bands, scale) are those of
    :class:`soundproof.features.recipes.FeatureSettings`.
    """

    def __init__(self, settings: FeatureSettings, occupied_hz: float = math.inf) -> None:
        """Lay out windows and bands.

        Args:
            settings: The recipe, with its sampling rate settled.
            occupied_hz: Bands that reach above this frequency are left out.

        Raises:
            DataError: That leaves no band.
        """
        self.settings = settings
        padding = {"reflect": "reflect", "zero": "constant"}[settings.padding]
        self._transform = Spectrogram(
            settings.n_fft,
            settings.window_length,
            settings.hop_length,
            power=float(settings.power),
            pad_mode=padding,
        )
        self._mel = (
            MelScale(
                settings.n_mels,
                settings.rate_hz,
                settings.low_hz,
                settings.high_hz,
                settings.n_fft // 2 + 1,
                "slaney" if settings.mel_norm == "slaney" else None,
                settings.mel_scale,
            )
            if settings.kind == "log_mel"
            else None
        )
        if self._mel is not None and settings.mel_norm == "sum":
            self._mel.fb /= self._mel.fb.sum(0)
        centres = band_centres_hz(settings)
        self._n_bands = n_filled_bands(settings, occupied_hz)
        if not self._n_bands:
            lowest_hz = band_tops_hz(settings)[0]
            raise DataError(
                f"bands of recipe '{settings.recipe}' that the recordings fill",
                f"they hold nothing above {occupied_hz:g} Hz, and the lowest reaches to {lowest_hz:g} Hz",
                "choose a recipe with lower bands",
            )
        self.frequencies_hz: np.ndarray = centres[: self._n_bands]
        """Centre frequency of each row [n_freq]."""
        self.n_left_out = len(centres) - self._n_bands
        """Number of bands that the recordings leave empty."""

    def axes(self, n_frames: int, unit: str) -> Axes:
        """The grid of maps with ``n_frames`` columns."""
        frequencies = tuple(float(value) for value in self.frequencies_hz)
        return Axes(frequencies, self.settings.frames_per_second, n_frames, unit)

    @property
    def bank(self) -> Tensor:
        """Weight of each bin of the Fourier transform in each row of a map, [n_fft // 2 + 1, n_freq]."""
        if self._mel is None:
            return torch.eye(self.settings.n_fft // 2 + 1)[:, : self._n_bands]
        weights: Tensor = self._mel.fb[:, : self._n_bands]
        return weights

    @property
    def share_in_bins(self) -> Tensor:
        """Weight of each row of a map in each bin of the Fourier transform, [n_fft // 2 + 1, n_freq].

        The way back from bands to bins: the transposed filter bank, normalised so that the weights of a bin sum to
        1 (0 where no row reaches). Rows of kind ``stft`` are bins.
        """
        total = self.bank.sum(1, keepdim=True)
        return self.bank / torch.where(total > 0, total, 1)

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
        samples = self._at_own_rate(samples, rate_hz)
        if samples.shape[-1] < self.settings.window_length:
            raise DataError(
                f"a clip of at least one window ({self.settings.window_length} samples)",
                f"{samples.shape[-1]} samples at {self.settings.rate_hz} Hz",
                "leave the clip out, or choose a recipe with a shorter window",
            )
        spectrum = self._transform(samples)
        bands: Tensor = spectrum if self._mel is None else self._mel(spectrum)
        kept = bands.shape[-1] - bands.shape[-1] % self.settings.frames_multiple
        return bands[..., : self._n_bands, : kept or bands.shape[-1]]

    def map(self, samples: Tensor, rate_hz: int, gain: float = 1.0) -> Tensor:
        """The recipe's map [..., n_freq, n_frames]: level, transform, bands, scale.

        Args:
            samples: Sound [..., n_samples] of one rate.
            rate_hz: That rate.
            gain: Of the clip's individual (``level: individual``).
        """
        return self.scaled(self.power(self.heard(samples, rate_hz, gain), self.settings.rate_hz))

    def heard(self, samples: Tensor, rate_hz: int, gain: float = 1.0) -> Tensor:
        """Sound as the recipe hears it [..., n_samples]: at its level and rate. Arguments as :meth:`map`."""
        return self._at_own_rate(samples * self.level_factor(samples, gain), rate_hz)

    def _at_own_rate(self, samples: Tensor, rate_hz: int) -> Tensor:
        return torch.from_numpy(resampled(samples.numpy(), rate_hz, self.settings.rate_hz))

    def level_factor(self, samples: Tensor, gain: float = 1.0) -> Tensor:
        """Factor by which the recipe changes the level of sound [..., n_samples], and so of its parts, [..., 1].

        Args:
            samples: Whole sound, not a part of it.
            gain: Of the clip's individual (``level: individual``).
        """
        if self.settings.level == "normalise":
            return normalising_factor(samples)
        return samples.new_full((1,), gain if self.settings.level == "individual" else 1.0)

    def scaled(self, power: Tensor) -> Tensor:
        """Bring powers of bands to the recipe's scale."""
        match self.settings.scale:
            case "db":
                return 10 * torch.log10(power + self.settings.floor)
            case "log10":
                return torch.log10(power + self.settings.floor)
            case "compressed":
                return torch.log10(COMPRESSION * power + 1) / LARGEST_COMPRESSED
            case _:
                return power

    def unscaled(self, values: Tensor) -> Tensor:
        """Powers of bands, at least 0, from values on the recipe's scale; on logarithmic ones with ``floor``."""
        match self.settings.scale:
            case "db":
                return 10 ** (values / 10)
            case "log10":
                return 10**values
            case "compressed":
                return ((10 ** (LARGEST_COMPRESSED * values) - 1) / COMPRESSION).clamp_min(0)
            case _:
                return values.clamp_min(0)

    def decibels(self, power: Tensor) -> Tensor:
        """Powers of bands in dB, whatever the recipe's scale; no lower than -100 dB."""
        return (20 / self.settings.power) * torch.log10(
            power.clamp_min(LEAST_POWER ** (self.settings.power / 2))
        )

    @property
    def unit(self) -> str:
        """Unit of the map's values before standardisation."""
        return {"db": "dB", "log10": "log10 power", "linear": "magnitude", "compressed": "compressed power"}[
            self.settings.scale
        ]


def normalising_factor(samples: Tensor) -> Tensor:
    """Factor [..., 1] that gives each clip [..., n_samples] the RMS :data:`TARGET_RMS`; silence stays silent."""
    rms = samples.pow(2).mean(-1, keepdim=True).sqrt()
    return TARGET_RMS / rms.clamp_min(torch.finfo(samples.dtype).tiny)
