"""Background + event -> mixture, and the exact time-frequency mask of the event.

The mixing rule is EnvMix's (From Vision to Sound, arXiv 2502.18328; published implementation): with
``n = 1 / (10 ** (snr_db / 20) + 1)`` the background is scaled by ``1 - n`` and the event is brought to
``n`` times the background's RMS. The background is the signal and the event the noise, so a *low* SNR is a
*loud* event. What is ``as_published`` and what ``corrected`` in it: :func:`clean_gain`, :func:`mix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from soundproof.core.errors import DataError

Protocol: TypeAlias = Literal["corrected", "as_published"]
"""Whether a background's level tells if there is an event: see :func:`clean_gain` and :func:`mix`."""

Floats: TypeAlias = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Mixture:
    """A background with an event in it; ``background + event`` is what is heard.

    Attributes:
        background: float32 [n_samples], scaled as in the mixture.
        event: float32 [n_samples], scaled as in the mixture.
    """

    background: np.ndarray
    event: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """What is heard, float32 [n_samples]."""
        return np.asarray(self.background + self.event)


@dataclass(frozen=True)
class PlacedEvent:
    """An event within a clip: float32 [n_samples], zero outside the samples ``[onset, offset)``."""

    samples: np.ndarray
    onset: int
    offset: int


def trimmed(event: np.ndarray, floor_db: float | None = None) -> np.ndarray:
    """Cut what is no event off the ends of ``event`` [n_samples].

    Args:
        event: Sound.
        floor_db: Samples this far below the peak, dB, and further, are no event; None: exact zeros alone.

    Raises:
        DataError: The event is silent.
    """
    floor = 0.0 if floor_db is None else float(np.max(np.abs(event), initial=0)) * 10 ** (-floor_db / 20)
    sounding = np.flatnonzero(np.abs(event) > floor)
    if sounding.size == 0:
        raise DataError("an event to mix in", "all samples are zero", "leave this recording out")
    return event[sounding[0] : sounding[-1] + 1]


def placed(
    event: np.ndarray, n_samples: int, rng: np.random.Generator, floor_db: float | None = None
) -> PlacedEvent:
    """Put ``event`` somewhere in a clip: trimmed, cut to the clip's length, onset uniform over the free room.

    Args:
        event: Sound of the event, [any length].
        n_samples: Length of the clip.
        rng: Chooses the onset.
        floor_db: As for :func:`trimmed`.

    Raises:
        DataError: The event is silent.
    """
    sound = trimmed(event, floor_db)[:n_samples]
    onset = int(rng.integers(0, n_samples - sound.size, endpoint=True))
    samples = np.zeros(n_samples, dtype=np.float32)
    samples[onset : onset + sound.size] = sound
    return PlacedEvent(samples, onset, onset + sound.size)


def event_share(snr_db: float) -> float:
    """Return ``n``: the event's RMS in the mixture over the RMS of the unscaled background."""
    return float(1 / (10 ** (snr_db / 20) + 1))


def clean_gain(snr_db: float, protocol: Protocol = "corrected") -> float:
    """Return the gain of the background in clips without event.

    ``corrected``: the same gain as in mixtures. ``as_published``: the published implementation takes
    ``10 ** (snr_db / 10)`` here but ``/ 20`` in mixtures, so that the background of clean clips is 4.4 dB
    softer at -6 dB and 1.6 dB louder at +6 dB than that of mixtures: loudness leaks the label.
    """
    divisor = 20 if protocol == "corrected" else 10
    return float(1 - 1 / (10 ** (snr_db / divisor) + 1))


def mix(
    background: np.ndarray, event: np.ndarray, snr_db: float, protocol: Protocol = "corrected"
) -> Mixture:
    """Mix an event into a background.

    ``as_published``: a mixture whose peak exceeds full scale is divided by it, so that its background is softer
    than that of a clip without event. ``corrected``: it is not; the caller keeps all clips alike within full scale.

    Args:
        background: [n_samples].
        event: [n_samples], zero where the event is not; its RMS is taken over the whole clip.
        snr_db: Level of the background over that of the event, in dB.
        protocol: As above.

    Returns:
        Both stems.

    Raises:
        DataError: Different lengths, or silence.
    """
    if background.shape != event.shape:
        found = f"{background.shape[-1]} and {event.shape[-1]} samples"
        raise DataError("a background and an event to mix", found, "bring both to one length and rate")
    levels = [float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) for part in (background, event)]
    if min(levels) == 0:
        silent = "background" if levels[0] == 0 else "event"
        raise DataError("a background and an event to mix", f"a silent {silent}", "leave this recording out")
    share = event_share(snr_db)
    scaled_background = (1 - share) * background.astype(np.float64)
    scaled_event = (share * levels[0] / levels[1]) * event.astype(np.float64)
    peak = 1.0
    if protocol == "as_published":
        peak = max(peak, float(np.max(np.abs(scaled_background + scaled_event))))
    return Mixture(
        background=(scaled_background / peak).astype(np.float32),
        event=(scaled_event / peak).astype(np.float32),
    )


def mix_at_ebr(background: np.ndarray, event: PlacedEvent, ebr_db: float, gain: float) -> Mixture:
    """Mix an event at a level over the background *while it lasts* (TUT Rare Sound Events 2017's rule).

    Args:
        background: [n_samples].
        event: The event, placed in as many samples.
        ebr_db: RMS of the event over that of the background during the event, in dB.
        gain: Factor of the mixture, the same for all clips, so that none exceeds full scale.

    Returns:
        Both stems, times ``gain``.

    Raises:
        DataError: Silence, or a mixture that exceeds full scale all the same.
    """
    inside = slice(event.onset, event.offset)
    levels = [
        float(np.sqrt(np.mean(np.square(part[inside], dtype=np.float64))))
        for part in (background, event.samples)
    ]
    if min(levels) == 0:
        silent = "background" if levels[0] == 0 else "event"
        raise DataError("a background and an event to mix", f"a silent {silent}", "leave this recording out")
    scale = gain * 10 ** (ebr_db / 20) * levels[0] / levels[1]
    mixture = Mixture(
        background=(gain * background.astype(np.float64)).astype(np.float32),
        event=(scale * event.samples.astype(np.float64)).astype(np.float32),
    )
    peak = float(np.max(np.abs(mixture.samples)))
    if peak > 1:
        raise DataError("a mixture within full scale", f"a peak of {peak:.2f}", "take a lower EBR")
    return mixture


def clean(background: np.ndarray, snr_db: float, protocol: Protocol = "corrected") -> np.ndarray:
    """Scale a background as a clip without event, float32 [n_samples]; divided by its peak if above 1."""
    scaled = clean_gain(snr_db, protocol) * background.astype(np.float64)
    return (scaled / max(1.0, float(np.max(np.abs(scaled))))).astype(np.float32)


def fault_mask(
    normal_power: Floats, fault_power: Floats, mixture_power: Floats, fraction: float
) -> npt.NDArray[np.bool_]:
    """Return the cells in which a fault (or event) is heard.

    A cell belongs to the fault where the fault stem's power exceeds ``fraction`` of the reference, which is
    the mixture's power or the normal stem's, whichever is larger. The normal stem matters where both stems
    cancel: a missing stroke is minus the stroke, so that the mixture has hardly any power just where the
    stroke is missed (and chance cancellation in any cell would otherwise inflate the mask).

    Args:
        normal_power: Power spectrogram of the normal stem, [..., n_freq, n_frames].
        fault_power: Power spectrogram of the fault stem, same shape.
        mixture_power: Power spectrogram of their sum, same shape.
        fraction: Share of the reference above which the fault counts, greater than 0.

    Returns:
        Boolean mask, same shape.

    Raises:
        DataError: Different shapes or a fraction that is not positive.
    """
    if not normal_power.shape == fault_power.shape == mixture_power.shape:
        found = f"{normal_power.shape}, {fault_power.shape} and {mixture_power.shape}"
        raise DataError("a mask from three power spectrograms", found, "compute all three with one recipe")
    if not fraction > 0:
        raise DataError("a mask", f"fraction {fraction}", "take a fraction greater than 0, such as 0.5")
    return np.asarray(fault_power > fraction * np.maximum(mixture_power, normal_power))
