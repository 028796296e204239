"""Cut a sound in two by a mask over its own complex spectrogram: what the mask lets through, and what is left.

The phase is the clip's own, as in listenable interpretations (Paissan et al. 2024, arXiv 2403.13086), so that no
phase has to be invented and both parts sum to the clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from soundproof.audio.settings import MaskSettings
from soundproof.core.errors import DataError

OVERLAP = 4
"""Windows over each sample. The square of a Hann window then sums to a constant, so that a mask that changes from
frame to frame leaves no clicks where windows meet; the steps of feature recipes are too wide for that."""


@dataclass(frozen=True)
class Stft:
    """A complex spectrogram that can be turned back into sound.

    Attributes:
        n_fft: Length of the Fourier transform, samples.
        window_length: Length of the Hann window, samples.
    """

    n_fft: int
    window_length: int

    @property
    def hop_length(self) -> int:
        """Step between frames, samples."""
        return max(1, self.window_length // OVERLAP)

    @property
    def n_bins(self) -> int:
        """Number of frequencies, from 0 to half the sampling rate."""
        return self.n_fft // 2 + 1

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of a sound; frame ``t`` is centred on sample ``t * hop_length``."""
        return 1 + n_samples // self.hop_length

    def forward(self, samples: Tensor) -> Tensor:
        """Complex spectrogram [..., n_bins, n_frames] of sounds [..., n_samples], silence beyond their ends."""
        flat = samples.reshape(-1, samples.shape[-1])
        spectrum = torch.stft(
            flat,
            self.n_fft,
            self.hop_length,
            self.window_length,
            self._window(samples),
            pad_mode="constant",
            return_complex=True,
        )
        return spectrum.reshape(*samples.shape[:-1], *spectrum.shape[-2:])

    def inverse(self, spectrum: Tensor, n_samples: int) -> Tensor:
        """Sounds [..., n_samples] of spectrograms [..., n_bins, n_frames], by least squares (Griffin, Lim 1984)."""
        flat = spectrum.reshape(-1, *spectrum.shape[-2:])
        window = self._window(spectrum.real)
        samples = torch.istft(flat, self.n_fft, self.hop_length, self.window_length, window, length=n_samples)
        return samples.reshape(*spectrum.shape[:-2], n_samples)

    def masked(self, samples: Tensor, mask: Tensor) -> Tensor:
        """What masks let through.

        Args:
            samples: Sounds [..., n_samples].
            mask: [..., n_bins, n_frames], 0..1; leading dimensions broadcast with those of ``samples``.

        Returns:
            Sounds [..., n_samples]; what is left is ``samples`` minus these.

        Raises:
            DataError: The mask has other bins or frames, or is not finite.
        """
        asked = (self.n_bins, self.n_frames(samples.shape[-1]))
        if mask.shape[-2:] != asked:
            raise DataError(
                f"a mask of {asked[0]} bins and {asked[1]} frames",
                f"{mask.shape[-2]} bins and {mask.shape[-1]} frames",
                "bring the map to this spectrogram first",
            )
        if not torch.isfinite(mask).all():
            raise DataError("a finite mask", "NaN or infinity", "look at what wrote the map")
        return self.inverse(self.forward(samples) * mask, samples.shape[-1])

    def _window(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.window_length, dtype=like.dtype, device=like.device)


def soft_mask(relevance: np.ndarray, settings: MaskSettings) -> np.ndarray:
    """Turn a map into a mask on its own cells.

    Relevance at or below zero speaks for "as usual" and is let through nowhere. Let ``level`` be the relevance of
    the last cell needed, taking the highest first, to gather ``share`` of all positive relevance: a cell of
    relevance ``r`` gets ``min(1, r / level) ** power``.

    Args:
        relevance: Signed maps [..., n_freq, n_frames].
        settings: Share, power and smoothing.

    Returns:
        float32 like ``relevance``, 0..1; zero everywhere where no relevance is positive.

    Raises:
        DataError: NaN or infinity among the relevance.
    """
    if not np.isfinite(relevance).all():
        raise DataError("finite relevance to make a mask of", "NaN or infinity", "look at the explainer")
    positive = np.maximum(relevance, 0, dtype=np.float64)
    if settings.smoothing:
        sigma = (0,) * (positive.ndim - 2) + (settings.smoothing,) * 2
        positive = gaussian_filter(positive, sigma, mode="nearest")
    flat = positive.reshape(-1, positive.shape[-2] * positive.shape[-1])
    highest_first = -np.sort(-flat, axis=1)
    gathered = np.cumsum(highest_first, axis=1)
    last = np.argmax(gathered >= settings.share * gathered[:, -1:], axis=1)
    level = highest_first[np.arange(len(flat)), last][:, np.newaxis]
    mask = np.minimum(1, flat / np.where(level > 0, level, 1)) ** settings.power
    return np.asarray(mask.reshape(relevance.shape), dtype=np.float32)
