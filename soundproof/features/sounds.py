"""The sound behind maps: clips as their recipe hears them, maps brought back to them, maps of altered ones."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache, cached_property, lru_cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.audio.masking import Stft
from soundproof.audio.resampling import resampled
from soundproof.audio.sound import Stems
from soundproof.clips.selection import draw_clips
from soundproof.core.errors import DataError
from soundproof.features.gains import gains_of_individuals
from soundproof.features.rates import fit_to_rates, occupied_hz
from soundproof.features.recipes import FeatureSettings
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.interfaces.dataset import AudioDataset, Physics
from soundproof.storage.maps import Scaling

KEPT = 64
"""Clips whose sound is held at once."""
TOLERANCE = 1e-3
"""Distance of a map from the one on file above which the sound is another one, as a part of the map's spread."""


class ClipSounds:
    """Sound of the clips of a part, at the rate of the study's recipe.

    Attributes:
        maker: What makes maps of it, before they are scaled.
        stft: Complex spectrogram in which sounds are cut: windows and bins of the recipe, in smaller steps.
    """

    def __init__(
        self,
        dataset: AudioDataset,
        clips: pd.DataFrame,
        settings: FeatureSettings,
        rates_hz: Collection[int],
        scaling: Scaling | None = None,
    ) -> None:
        """Lay out what is needed; nothing is read yet.

        Args:
            dataset: Where the clips come from.
            clips: Rows of the part in the ``clips`` table.
            settings: Recipe that the part's maps were made by.
            rates_hz: Sampling rates of all recordings of the study.
            scaling: How the maps of the part were scaled.

        Raises:
            DataError: The recipe leaves no band.
        """
        self.maker = SpectrogramMaker(fit_to_rates(settings, rates_hz), occupied_hz(settings, rates_hz))
        self.stft = Stft(self.maker.settings.n_fft, self.maker.settings.window_length)
        self._dataset, self._clips, self._scaling = dataset, clips, scaling
        self._kept_samples = lru_cache(maxsize=KEPT)(self._samples)
        self._known_normal_ids = cache(self._normal_ids)
        self._kept_stems = lru_cache(maxsize=KEPT)(self._stems)

    @property
    def rate_hz(self) -> int:
        """Sampling rate of all sounds here."""
        return self.maker.settings.rate_hz

    def samples(self, clip_id: str) -> Tensor:
        """A clip, float32 [n_samples].

        Raises:
            DataError: It cannot be read.
        """
        return self._kept_samples(clip_id)

    def stems(self, clip_id: str) -> Stems | None:
        """A clip's stems; None where the data set has none."""
        return self._kept_stems(clip_id)

    def physics(self, clip_id: str) -> Physics | None:
        """What a clip's fault was drawn to be; None where nobody drew it, or the clip has none."""
        return self._dataset.physics(clip_id)

    def normal_ids(self, clip_id: str, n_clips: int) -> tuple[str, ...]:
        """Normal training clips of a clip's individual, at most ``n_clips``, drawn by their ids.

        Raises:
            DataError: There is none.
        """
        return self._known_normal_ids(clip_id, n_clips)

    def map(self, samples: Tensor, clip_id: str) -> Tensor:
        """Maps of sounds by the recipe, scaled as those of the part.

        Args:
            samples: [..., n_samples].
            clip_id: Clip whose gain they have, where each individual has its own.

        Returns:
            float32 [..., n_freq, n_frames].
        """
        return self._scaled(self.maker.map(samples, self.rate_hz, self._gains.get(clip_id, 1.0)))

    def heard(self, samples: Tensor, clip_id: str) -> Tensor:
        """Sounds [..., n_samples] at the level that the recipe gives them.

        Args:
            samples: Sounds, of any number.
            clip_id: Clip whose gain they have, where each individual has its own.
        """
        return self.maker.heard(samples, self.rate_hz, self._gains.get(clip_id, 1.0))

    def features(self, clip_id: str) -> Tensor:
        """The map of a clip as the features of the study are made: from its sound at the rate it has.

        Raises:
            DataError: It cannot be read, or is shorter than a window.
        """
        audio = self._dataset.read(clip_id)
        samples = torch.from_numpy(audio.samples)
        return self._scaled(self.maker.map(samples, audio.rate_hz, self._gains.get(clip_id, 1.0)))

    def _scaled(self, raw: Tensor) -> Tensor:
        if self._scaling is None:
            return raw
        mean = torch.tensor(self._scaling.mean, dtype=torch.float64)[:, None]
        deviation = torch.tensor(self._scaling.deviation, dtype=torch.float64)[:, None]
        return ((raw.double() - mean) / deviation).float()

    def power(self, samples: Tensor) -> Tensor:
        """Power of each cell of the maps of sounds [..., n_samples], [..., n_freq, n_frames]."""
        return self.maker.power(samples, self.rate_hz)

    def confirmed(self, clip_id: str, features: np.ndarray) -> Tensor:
        """A clip as :meth:`samples`, after its map was found to be the one on file.

        Args:
            clip_id: The clip.
            features: Its map on file [n_freq, n_frames].

        Raises:
            DataError: It cannot be read, or it is not the sound that the map was made of.
        """
        samples = self.samples(clip_id)
        made = self.map(samples, clip_id).numpy()
        spread = float(features.std())
        if made.shape != features.shape or np.sqrt(np.mean((made - features) ** 2)) > TOLERANCE * spread:
            raise DataError(
                f"the sound of clip '{clip_id}', of which its features were made",
                "sound with another map: it was changed since, or another file took its place",
                "put the recording back, or run the study again",
            )
        return samples

    def bins(self, mask: Tensor, n_samples: int) -> Tensor:
        """Bring masks from the grid of the maps to the spectrogram in which sounds are cut.

        Over frequency each bin takes the mean of the rows that reach it, weighted as
        :attr:`~soundproof.features.spectrogram.SpectrogramMaker.share_in_bins` says; over time masks are
        interpolated between the centres of their frames. Where the map says nothing (bins outside its bands, more
        than a frame after the last one) the mask is 0.

        Args:
            mask: [..., n_freq, n_frames].
            n_samples: Length of the sound.

        Returns:
            [..., n_bins, n_frames of the spectrogram].
        """
        n_frames = mask.shape[-1]
        hop = self.maker.settings.hop_length
        centres = torch.arange(self.stft.n_frames(n_samples), dtype=torch.float64)
        place = centres * self.stft.hop_length / hop
        before = place.floor().long().clamp(max=n_frames - 1)
        after = (before + 1).clamp(max=n_frames - 1)
        part = (place - before).clamp(max=1).to(mask.dtype).to(mask.device)
        before, after = before.to(mask.device), after.to(mask.device)
        over_time = mask[..., before] * (1 - part) + mask[..., after] * part
        over_time = torch.where((place <= n_frames).to(mask.device), over_time, 0)
        return self.maker.share_in_bins.to(mask) @ over_time

    def _normal_ids(self, clip_id: str, n_clips: int) -> tuple[str, ...]:
        of_clip = self._clips.loc[self._clips["clip_id"] == clip_id].iloc[0]
        same = self._clips["machine"].eq(of_clip["machine"])
        if pd.notna(of_clip["machine_id"]):
            same &= self._clips["machine_id"].eq(of_clip["machine_id"])
        usual = self._clips["split"].eq("train") & self._clips["label"].eq("normal")
        found = draw_clips(sorted(self._clips.loc[same & usual, "clip_id"]), n_clips)
        if not found:
            raise DataError(
                f"normal training clips of the machine of clip '{clip_id}'",
                "none",
                "add some, or leave out what compares clips with normal ones",
            )
        return tuple(found)

    def _samples(self, clip_id: str) -> Tensor:
        audio = self._dataset.read(clip_id)
        return torch.from_numpy(resampled(audio.samples, audio.rate_hz, self.rate_hz))

    def _stems(self, clip_id: str) -> Stems | None:
        stems = self._dataset.stems(clip_id)
        if stems is None:
            return None
        normal, fault = resampled(np.stack([stems.normal, stems.fault]), stems.rate_hz, self.rate_hz)
        return Stems(normal, fault, self.rate_hz)

    @cached_property
    def _gains(self) -> dict[str, float]:
        wanted = self.maker.settings.level == "individual"
        return gains_of_individuals(self._dataset, self._clips) if wanted else {}
