"""From maps back to the sound that they are of: what stands in front of a model that takes sound.

A map says how much sound is in each cell, and not its phase. So the clip's own sound is kept beside its map, and a
changed map says by how much the cells of the clip's own complex spectrogram grow or shrink. What that changes is
turned into sound and added to the clip:

    sound(map) = clip + ISTFT(STFT(clip) * (gain - 1)),    gain = (power(map) / power(clip's map)) ^ (1 / exponent)

with the windows, bins and frames of the recipe itself. The unchanged map has gain 1 and is the clip to the last
bit, whatever the window; a cell that is made silent is taken out of the sound, at the clip's own phase; what a map
says nothing of (bins outside its bands, frames that were cropped) stays. All of it is differentiable, so that a
score of the sound has a slope along each cell: for values in dB, ln(10) / 20 of the slope along the logarithm of
the cell's magnitude.

Asking for phase and magnitude apart would do the same, except that a logarithm's rounding would move the clip, and
that the slope of a magnitude that is 0 is infinite. A cell without any sound stays silent: it has no phase. After
virtual inspection layers (Vielhaben et al. 2024, Pattern Recognition, arXiv 2303.06365), which put a Fourier
transform in front of a model of time series; theirs is explained by coefficients, this by what detectors see.

Mel bands: each bin grows with the bands that reach it, in the mean of their gains
(:attr:`~soundproof.features.spectrogram.SpectrogramMaker.share_in_bins`). That is the way back that metrics on the
sound go as well; the map of the changed sound is then not quite the changed map. Linear bins are their own bands.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.features.recipes import FeatureSettings
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.storage.maps import Scaling
from soundproof.storage.provenance import canonical_json


@dataclass(frozen=True)
class SoundForm:
    """What all clips of a file of maps have in common, and how their maps follow from their sounds.

    Attributes:
        recipe: Of the maps, its sampling rate settled.
        occupied_hz: Frequency above which bands are left out; infinite: none is.
        scaling: How the maps were scaled after the recipe; None: they were not.
        n_samples: Length of each clip at the recipe's rate.
    """

    recipe: FeatureSettings
    occupied_hz: float
    scaling: Scaling | None
    n_samples: int

    def encode(self) -> str:
        """Return it as canonical JSON."""
        return canonical_json(
            {
                "recipe": self.recipe.model_dump(mode="json"),
                "occupied_hz": self.occupied_hz if math.isfinite(self.occupied_hz) else None,
                "scaling": None if self.scaling is None else self.scaling.__dict__,
                "n_samples": self.n_samples,
            }
        )

    @classmethod
    def decode(cls, text: str) -> SoundForm:
        """Read what :meth:`encode` wrote."""
        fields = json.loads(text)
        scaling = fields["scaling"]
        return cls(
            FeatureSettings(**fields["recipe"]),
            math.inf if fields["occupied_hz"] is None else fields["occupied_hz"],
            None if scaling is None else Scaling(**{name: tuple(of) for name, of in scaling.items()}),
            fields["n_samples"],
        )


class SoundLayer(nn.Module):
    """Maps of known clips as sounds, and sounds as maps, on any device.

    Nothing of it is learnt, and nothing is stored with a model.

    Args:
        form: What the maps are.
    """

    window: Tensor
    bank: Tensor
    share: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, form: SoundForm) -> None:
        super().__init__()
        self.form = form
        maker = SpectrogramMaker(form.recipe, form.occupied_hz)
        self._maker = maker
        scaling = form.scaling or Scaling(mean=(0.0,), deviation=(1.0,))
        for name, values in (
            ("window", torch.hann_window(form.recipe.window_length)),
            ("bank", maker.bank),
            ("share", maker.share_in_bins),
            ("mean", torch.tensor(scaling.mean, dtype=torch.float64)[:, None]),
            ("deviation", torch.tensor(scaling.deviation, dtype=torch.float64)[:, None]),
        ):
            self.register_buffer(name, values, persistent=False)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Complex spectrogram [B, n_bins, n_frames + 1] of sounds [B, n_samples], in all frames and one beyond.

        After the last frame a window would stand alone, and what is changed there would be divided by its end.
        """
        recipe = self.form.recipe
        mode, side = {"reflect": "reflect", "zero": "constant"}[recipe.padding], recipe.n_fft // 2
        padded = functional.pad(functional.pad(samples, (side, side), mode), (0, recipe.hop_length))
        return torch.stft(
            padded,
            recipe.n_fft,
            recipe.hop_length,
            recipe.window_length,
            self.window,
            center=False,
            return_complex=True,
        )

    def power(self, samples: Tensor) -> Tensor:
        """Power of each cell of sounds [B, n_samples], as :meth:`SpectrogramMaker.power`, [B, n_freq, n_frames]."""
        magnitude = self.spectrum(samples)[..., :-1].abs()
        bands = self.bank.T @ (magnitude if self.form.recipe.power == 1 else magnitude.square())
        kept = bands.shape[-1] - bands.shape[-1] % self.form.recipe.frames_multiple
        return bands[..., : kept or bands.shape[-1]]

    def maps(self, samples: Tensor) -> Tensor:
        """Maps [B, n_freq, n_frames] of sounds [B, n_samples], scaled as those of the clips."""
        raw = self._maker.scaled(self.power(samples))
        if self.form.scaling is None:
            return raw
        return ((raw.double() - self.mean) / self.deviation).float()

    def sounds(self, x: Tensor, samples: Tensor, maps: Tensor) -> Tensor:
        """Sounds of maps.

        Args:
            x: Maps, changed or not [B, n_freq, n_frames].
            samples: Sounds of the clips that they are of [B, n_samples]; or of the one clip [1, n_samples].
            maps: The unchanged maps of these clips, like ``samples``.

        Returns:
            [B, n_samples].
        """
        recipe = self.form.recipe
        with torch.no_grad():
            spectrum = self.spectrum(samples)
            own = self._power(maps)
        change = (self._power(x) / own) ** (1 / recipe.power) - 1
        if recipe.kind == "stft":
            in_bins = functional.pad(change, (0, 0, 0, spectrum.shape[1] - change.shape[1]))
        else:
            in_bins = self.share @ change
        beyond = spectrum.shape[-1] - change.shape[-1]
        # cropped frames stay as they are; where none is cropped, what is beyond the last one goes with it
        last = in_bins[..., -1:] if beyond == 1 else in_bins.new_zeros(*in_bins.shape[:-1], beyond)
        added = torch.istft(
            spectrum * torch.cat([in_bins, last], dim=-1),
            recipe.n_fft,
            recipe.hop_length,
            recipe.window_length,
            self.window,
            length=self.form.n_samples,
        )
        return samples + added

    def _power(self, x: Tensor) -> Tensor:
        """Power of cells, never 0; of a map and of itself exactly the same."""
        raw = x if self.form.scaling is None else (x.double() * self.deviation + self.mean).float()
        recipe = self.form.recipe
        # on a scale in dB the floor is in the values
        floor = 0.0 if recipe.scale in ("db", "log10") else recipe.floor
        return self._maker.unscaled(raw) + floor
