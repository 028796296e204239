"""Feature recipes by name. To add one: add its values here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.registry import Parameters

MelScaleName = Literal["htk", "slaney"]


class FeatureSettings(Parameters):
    """How sound becomes a time-frequency map."""

    recipe: str = Field("bench", description="named recipe whose values are the defaults of the keys below")
    kind: Literal["log_mel", "stft"] = Field("log_mel", description="mel bands, or linear-frequency bins")
    sample_rate_hz: PositiveInt | None = Field(
        16000,
        description="rate that clips are resampled to; None: the lowest rate among the recordings, and the lengths "
        "below, which are then those at 16 kHz, and `n_mels` are scaled to it",
    )
    n_fft: PositiveInt = Field(1024, description="length of the Fourier transform, samples")
    window_length: PositiveInt = Field(1024, description="length of the Hann window, samples")
    hop_length: PositiveInt = Field(400, description="step between frames, samples")
    n_mels: PositiveInt = Field(64, description="number of mel bands")
    mel_scale: MelScaleName = Field(
        "htk", description="htk: 2595 log10(1 + f / 700), torchaudio's default; slaney: librosa's default"
    )
    mel_norm: Literal["none", "slaney", "sum"] = Field(
        "none",
        description="none: triangles with peak 1; slaney: divided by half their width in Hz (librosa); sum: by the "
        "sum of their weights, so that a band holds the mean power of its bins",
    )
    low_hz: float = Field(0.0, ge=0, description="lower edge of the lowest mel band")
    high_hz: PositiveFloat | None = Field(
        None, description="upper edge of the highest mel band; None: Nyquist"
    )
    power: Literal[1, 2] = Field(2, description="exponent of the magnitude: 2 = power spectrogram")
    scale: Literal["db", "log10", "linear", "compressed"] = Field(
        "db",
        description="db: 10 log10; log10; linear: as it is; compressed: log10(10000 power + 1) / 9.4578, from 0 to "
        "about 1, as aiSFX has it (no `floor`)",
    )
    padding: Literal["reflect", "zero"] = Field(
        "reflect", description="what the first and last window see beyond the clip (librosa: zero)"
    )
    empty_bands: Literal["leave_out", "keep"] = Field(
        "leave_out",
        description="bands above half the lowest sampling rate of the recordings, which hold nothing: leave_out or "
        "keep; where rates differ, 0.45 of the lowest counts, since filters end there",
    )
    floor: PositiveFloat = Field(1e-10, description="added to the power before the logarithm")
    frames_multiple: PositiveInt = Field(
        8, description="trailing frames beyond a multiple of this are cropped (1 keeps all)"
    )
    level: Literal["keep", "normalise", "individual"] = Field(
        "keep",
        description="normalise: every clip gets the same RMS first, so that loudness tells nothing; individual: "
        "one gain per machine individual, by which the median peak of its normal training clips becomes full scale",
    )
    standardise: Literal["none", "band"] = Field(
        "none", description="band: zero mean, unit variance per band over the part's normal training clips"
    )
    mask_fraction: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="a cell belongs to the fault where its power exceeds this part of the clip's",
    )

    @model_validator(mode="after")
    def _check(self) -> FeatureSettings:
        if self.window_length > self.n_fft:
            raise ValueError(f"window_length {self.window_length} exceeds n_fft {self.n_fft}")
        top = math.inf if self.sample_rate_hz is None else self.sample_rate_hz / 2
        if self.high_hz is not None and not self.low_hz < self.high_hz <= top:
            raise ValueError(f"need low_hz < high_hz <= {top:g} Hz, half the sample rate")
        return self

    @property
    def rate_hz(self) -> int:
        """Rate that clips are resampled to.

        Raises:
            ValueError: It is left to the recordings (:func:`soundproof.features.rates.fit_to_rates` settles it).
        """
        if self.sample_rate_hz is None:
            raise ValueError("the sampling rate is that of the recordings, which are not known here")
        return self.sample_rate_hz

    @property
    def frames_per_second(self) -> float:
        """Frame rate, 1/s."""
        return self.rate_hz / self.hop_length


APPLY_TO_READY_MADE = ("recipe", "frames_multiple", "standardise")
"""Keys that shape spectrograms which come ready-made; all others speak of sound."""

RECIPES: Mapping[str, Mapping[str, Any]] = {
    # 40 frames/s as P1's planer tensors, sized for a laptop
    "bench": {"n_mels": 40, "low_hz": 30.0, "standardise": "band"},
    # real machines: about 40 frames/s, from 20 Hz, so that a microphone's offset does not count, up to what the
    # recordings have: leaks and bearings are heard above 8 kHz
    "machine": {"sample_rate_hz": None, "low_hz": 20.0, "standardise": "band"},
    # spectrograms that come ready-made: nothing but cropping
    "as_shipped": {},
    # P1 (80 mel, 40 frames/s at 20 kHz); window and logarithm are not published: ours
    "planer": {"sample_rate_hz": 20000, "hop_length": 500, "n_mels": 80},
    # P1's second data set, as its code has it (64 ms Hann, hop 32 ms, log10)
    "dcase2022": {"hop_length": 512, "n_mels": 128, "scale": "log10"},
    # the DCASE Task 2 baseline's features, as librosa makes them
    "dcase_baseline": {
        "hop_length": 512,
        "n_mels": 128,
        "mel_scale": "slaney",
        "mel_norm": "slaney",
        "padding": "zero",
        "floor": 2.220446049250313e-16,
        "frames_multiple": 1,
    },
    # P2: input of PANNs CNN14 (10-s clips: 1379 frames, cropped to a multiple of 8)
    "cnn14": {"sample_rate_hz": 44100, "hop_length": 320, "low_hz": 50.0, "high_hz": 14000.0},
    # input of PANNs CNN14 as trained on AudioSet (Kong et al. 2020)
    "panns": {
        "sample_rate_hz": 32000,
        "hop_length": 320,
        "low_hz": 50.0,
        "high_hz": 14000.0,
        "mel_scale": "slaney",
        "mel_norm": "slaney",
    },
    # input of CLAP (Wu et al. 2023), as the library transformers makes it of an unfused model
    "clap": {
        "sample_rate_hz": 48000,
        "hop_length": 480,
        "low_hz": 50.0,
        "high_hz": 14000.0,
        "mel_scale": "slaney",
        "mel_norm": "slaney",
    },
    # input of CNN9 (aiSFX, Ma and Lerch 2022), but for the gain: there each file has its peak at full scale
    "cnn9": {
        "sample_rate_hz": 44100,
        "n_fft": 2048,
        "window_length": 2048,
        "hop_length": 1024,
        "n_mels": 96,
        "mel_norm": "sum",
        "scale": "compressed",
        "padding": "zero",
        "level": "individual",
    },
    # linear-frequency input of FeatEx-like detectors (P3): magnitude, no logarithm
    "stft": {"kind": "stft", "hop_length": 512, "power": 1, "scale": "linear"},
}


def resolve(values: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a study's ``features`` keys over the recipe they name.

    Raises:
        ConfigError: The recipe is unknown.
    """
    name = values.get("recipe", "bench")
    if not isinstance(name, str) or name not in RECIPES:
        raise ConfigError(f"feature recipe '{name}'", "no recipe of that name", nearest(str(name), RECIPES))
    return {**RECIPES[name], **values, "recipe": name}
