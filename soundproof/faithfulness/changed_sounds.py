"""Changes of a sound by which recordings of one machine differ, and which change no fault.

* ``louder``, ``softer``: the gain is larger or smaller by ``gain_db``;
* ``later``: the sound starts a frame later (what leaves at the end comes in at the beginning);
* ``noise``: white noise, ``noise_db`` below the clip;
* ``room``: noise of a room at the same level, flat up to 250 Hz and falling by 5 dB per octave above, about as the
  room noise of ITU-T P.800 does (Hoth 1941, doi:10.1121/1.1916129);
* ``microphone``: another microphone, of another frequency response: gains at octaves, drawn uniformly within
  ``microphone_db`` once for a study, straight lines between them in dB over log frequency, no delay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from soundproof.faithfulness.settings import Change, RobustnessSettings
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.sounds import Sounds
from soundproof.randomness.seeding import seed_from
from soundproof.synthesis.signals import sloping_noise

CORNER_HZ, SLOPE_DB = 250.0, 5.0
_LOWEST_HZ = 31.25
"""First octave at which a microphone has a gain of its own."""


def changed_maps(
    x: Tensor, sounds: Sounds, context: FaithfulnessContext[RobustnessSettings]
) -> Iterator[tuple[Change, list[Tensor], Tensor]]:
    """Each change that the settings name, and the changed sounds with their maps.

    Args:
        x: Maps on file [B, n_freq, n_frames].
        sounds: Sounds of the clips.
        context: Clip ids, rate of the frames, seed, and settings: which changes, and how large.

    Yields:
        The change, a sound [n_samples] for each clip, and maps like ``x``.

    Raises:
        DataError: A sound cannot be read, or is not the one that ``x`` was made of.
    """
    settings, seed, rate_hz = context.settings, context.seed, sounds.rate_hz
    factor = 10 ** (settings.gain_db / 20)
    hop = round(rate_hz / context.frames_per_second)
    changes: Mapping[Change, Callable[[Tensor, str], Tensor]] = {
        "louder": lambda samples, _: samples * factor,
        "softer": lambda samples, _: samples / factor,
        "later": lambda samples, _: samples.roll(hop),
        "noise": lambda samples, clip_id: samples + _white(samples, clip_id, settings.noise_db, seed),
        "room": lambda samples, clip_id: samples + _room(samples, clip_id, settings.noise_db, rate_hz, seed),
        "microphone": lambda samples, _: other_microphone(samples, settings.microphone_db, rate_hz, seed),
    }
    clips = {
        clip_id: sounds.confirmed(clip_id, values.cpu().numpy())
        for clip_id, values in zip(context.clip_ids, x, strict=True)
    }
    for name in settings.changes:
        changed = {clip_id: changes[name](samples, clip_id) for clip_id, samples in clips.items()}
        made = [sounds.map(samples, clip_id) for clip_id, samples in changed.items()]
        yield name, list(changed.values()), torch.stack(made).to(x)


def other_microphone(samples: Tensor, largest_db: float, rate_hz: int, seed: int) -> Tensor:
    """A sound [n_samples] as the other microphone of a study hears it.

    Args:
        samples: The sound.
        largest_db: How far its response departs from the first one's at most.
        rate_hz: Sampling rate.
        seed: Run seed, by which the response is drawn.
    """
    n_octaves = 2 + int(np.log2(max(rate_hz / 2, _LOWEST_HZ) / _LOWEST_HZ))
    drawn = np.random.default_rng(seed_from("microphone", seed)).uniform(-1, 1, n_octaves)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    octaves = np.log2(np.maximum(frequencies, _LOWEST_HZ) / _LOWEST_HZ)
    gains = 10 ** (largest_db * np.interp(octaves, np.arange(n_octaves), drawn) / 20)
    spectrum = torch.fft.rfft(samples) * torch.from_numpy(gains).to(samples)
    heard: Tensor = torch.fft.irfft(spectrum, n=len(samples))
    return heard


def _white(samples: Tensor, clip_id: str, below_db: float, seed: int) -> Tensor:
    """White noise so far below the clip, [n_samples], drawn by its id."""
    generator = torch.Generator().manual_seed(seed_from("robustness", seed, clip_id))
    return torch.randn(samples.shape, generator=generator) * _level(samples, below_db)


def _room(samples: Tensor, clip_id: str, below_db: float, rate_hz: int, seed: int) -> Tensor:
    """Noise of a room so far below the clip, [n_samples], drawn by its id."""
    rng = np.random.default_rng(seed_from("room noise", seed, clip_id))
    drawn = sloping_noise(rng, len(samples), rate_hz, CORNER_HZ, SLOPE_DB)
    return torch.from_numpy(drawn).to(samples) * _level(samples, below_db)


def _level(samples: Tensor, below_db: float) -> Tensor:
    return samples.square().mean().sqrt() * 10 ** (-below_db / 20)
