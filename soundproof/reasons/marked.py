"""What a map marks of a clip's sound: cells, their sound, and the same cells of normal clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from soundproof.audio.masking import Stft
from soundproof.core.errors import DataError
from soundproof.randomness.ties import ranks

LEAST_POWER = 1e-6
"""Least power of a bin of a normal spectrum, as a part of the mean of all: what is silent has no spectrum."""
LONGEST = 2000
"""Frames of a normal clip at most, half a minute at 16 kHz: what is held does not grow with recordings."""


def binarised(relevance: np.ndarray, share: float, ties: np.ndarray) -> np.ndarray:
    """Mark the most relevant cells, as many in every map, so that no map says more by marking more.

    Args:
        relevance: Signed maps [n_maps, n_freq, n_frames].
        share: Part of all cells that is marked, 0..1.
        ties: Random numbers that split ties, [n_cells].

    Returns:
        bool like ``relevance``. Cells without positive relevance are never marked, so that a map that finds nothing
        marks nothing.

    Raises:
        DataError: NaN or infinity in a map.
    """
    if not np.isfinite(relevance).all():
        raise DataError("finite relevance to take cells from", "NaN or infinity", "look at the explainer")
    flat = relevance.reshape(len(relevance), -1)
    order = ranks(flat, np.broadcast_to(ties, flat.shape))
    return np.asarray(((order < round(share * flat.shape[1])) & (flat > 0)).reshape(relevance.shape))


@dataclass(frozen=True)
class Normal:
    """What an individual sounds like when nothing is wrong.

    Attributes:
        spectra: Complex spectrogram of each normal clip, [n_bins, n_frames] at the gain of all.
        power: Mean power of each bin over clips and frames [n_bins], nowhere zero.
        typical: Median power of each bin over clips and frames [n_bins], nowhere zero.
        heard: Bins that hold more than that least, bool [n_bins]; all where none does. A sound that was brought to
            a higher rate has nothing in the upper ones.
    """

    spectra: tuple[Tensor, ...]
    power: Tensor
    typical: Tensor
    heard: Tensor

    @classmethod
    def of_sounds(cls, sounds: Sequence[Tensor], stft: Stft) -> Normal:
        """From normal clips, each [n_samples], of which no more than :data:`LONGEST` frames are taken.

        Raises:
            DataError: No clip, or nothing but silence.
        """
        if not any(bool(sound.any()) for sound in sounds):
            raise DataError(
                "normal clips to compare with",
                "none, or nothing but silence",
                "give normal training clips of this machine",
            )
        spectra = tuple(stft.forward(sound[: LONGEST * stft.hop_length]) for sound in sounds)
        power = torch.cat(spectra, dim=1).abs().square()
        mean = power.mean(dim=1)
        least = LEAST_POWER * mean.mean()
        typical = power.median(dim=1)[0]
        heard = typical > least
        heard = heard if heard.any() else torch.ones_like(heard)
        return cls(spectra, mean.clamp_min(least), typical.clamp_min(least), heard)

    def gain(self, spectrum: Tensor) -> float:
        """Amplitude of a spectrogram [n_bins, n_frames] over that of the normal clips; 1 of silence.

        It is the median over bins that are heard of the median over frames, which a fault in a part of either
        hardly moves: how near the microphone stood is no attribute of a fault.
        """
        ratio = spectrum.abs().square().median(dim=1)[0] / self.typical
        found = float(ratio[self.heard].median().sqrt())
        return found if found > 0 else 1.0


@dataclass(frozen=True)
class Marked:
    """Sound of the cells that a map marks, every bin divided by its normal level.

    Measured on levels as they are, the loudest bins of a healthy machine would speak for all others; divided
    by what is usual (prewhitened, as Randall and Antoni 2011, section 4.2 do before they look for impacts),
    each speaks by how unusual it is.

    Attributes:
        sound: float64 [n_samples].
        cells: Mask over the spectrogram [n_bins, n_frames], 0..1.
        relative: Power over normal power in marked cells [n_bins, n_frames], zero elsewhere.
    """

    sound: np.ndarray
    cells: np.ndarray
    relative: np.ndarray


def marked(spectrum: Tensor, cells: Tensor, normal: Normal, stft: Stft, n_samples: int) -> Marked:
    """Cut marked cells out of a clip, with its own phase.

    Args:
        spectrum: Complex spectrogram of the clip [n_bins, n_frames].
        cells: Mask [n_bins, n_frames], 0..1.
        normal: What is normal.
        stft: Spectrogram of both.
        n_samples: Length of the clip.
    """
    whitened = spectrum / normal.power.sqrt()[:, None] * cells
    sound = stft.inverse(whitened, n_samples)
    return Marked(sound.double().numpy(), cells.double().numpy(), whitened.abs().square().double().numpy())


def repeated(spectrum: Tensor, n_frames: int) -> Tensor:
    """A spectrogram [n_bins, any], repeated or cut to [n_bins, n_frames]."""
    times = -(-n_frames // spectrum.shape[1])
    return spectrum.repeat(1, times)[:, :n_frames]
