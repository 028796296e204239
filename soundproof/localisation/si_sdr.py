"""Does one hear the fault? SI-SDR of what a map marks of the clip's sound, against the fault's stem."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch

from soundproof.audio.masking import soft_mask
from soundproof.audio.si_sdr import si_sdr
from soundproof.core.errors import DataError
from soundproof.features.sounds import ClipSounds
from soundproof.localisation.measured import Measured
from soundproof.localisation.settings import SiSdrSettings
from soundproof.randomness.seeding import seed_from
from soundproof.storage.measurements import FLAG_ALL, ORACLE, SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth

METRIC = "si_sdr"
HEARD = 0.5
"""Part of a fault's stem that its clip must hold; of a missing stroke, minus the stroke, it holds nothing."""
_OF_TRUTH: WeakKeyDictionary[ClipSounds, dict[tuple[str, bytes], tuple[float, float]]] = WeakKeyDictionary()
"""What the clip and its true mask earn, which are the same for all maps."""


def measure(maps: np.ndarray, truth: Truth, settings: SiSdrSettings) -> Measured:
    """SI-SDR of what each map marks, beside what maps without knowledge and with all knowledge of the fault earn.

    Protocols: ``chance_uniform`` the map's own values at random cells, ``chance_circular_shift`` the map shifted
    in time (both means over draws that derive from the clip), ``flag_all`` the clip itself, which needs no map,
    ``oracle`` the true mask. A map that marks nothing has no value, nor has a clip that holds less than
    :data:`HEARD` of its fault's stem: a sound that is missing cannot be heard.

    Raises:
        DataError: There is no sound.
    """
    if truth.sounds is None:
        raise DataError("the sound of clips", "none", "leave out the metrics that need stems")
    rows = [
        _of_clip(truth.sounds, clip_id, relevance, mask, settings)
        for clip_id, relevance, mask in zip(truth.clip_ids, maps, truth.cells(), strict=True)
    ]
    own, uniform, shifted, whole, oracle = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    yield Block(METRIC, "", None, own)
    yield Block(METRIC, UNIFORM, None, uniform)
    yield Block(METRIC, SHIFT, None, shifted)
    yield Block(METRIC, FLAG_ALL, None, whole)
    yield Block(METRIC, ORACLE, None, oracle)


def _of_clip(
    sounds: ClipSounds, clip_id: str, relevance: np.ndarray, mask: np.ndarray, settings: SiSdrSettings
) -> tuple[float, float, float, float, float]:
    """Values of the map, of maps at random, of the map shifted, of the clip, of the true mask; NaN: undefined."""
    stems = sounds.stems(clip_id)
    if stems is None:
        return (np.nan,) * 5
    clip = torch.from_numpy(stems.normal + stems.fault)
    if not _is_heard(clip.numpy(), stems.fault):
        return (np.nan,) * 5
    rng = np.random.default_rng(seed_from(METRIC, clip_id))
    shuffled = [rng.permutation(relevance.ravel()).reshape(relevance.shape) for _ in range(settings.draws)]
    lags = rng.integers(relevance.shape[1], size=settings.shifts)
    moved = [np.roll(relevance, lag, axis=1) for lag in lags]
    soft = soft_mask(np.stack([relevance, *shuffled, *moved]), settings)
    values = _finite(si_sdr(_let_through(sounds, clip, soft), stems.fault))
    n_uniform = 1 + settings.draws
    of_truth = _OF_TRUTH.setdefault(sounds, {})
    key = clip_id, np.packbits(mask).tobytes()
    if key not in of_truth:
        oracle = _let_through(sounds, clip, mask[np.newaxis].astype(np.float32))
        whole, best = _finite(si_sdr(np.stack([clip.numpy(), oracle[0]]), stems.fault))
        of_truth[key] = float(whole), float(best)
    return values[0], values[1:n_uniform].mean(), values[n_uniform:].mean(), *of_truth[key]


def _let_through(sounds: ClipSounds, clip: torch.Tensor, masks: np.ndarray) -> np.ndarray:
    """Sounds [n, n_samples] that masks [n, n_freq, n_frames] let through of a clip."""
    return sounds.stft.masked(clip, sounds.bins(torch.from_numpy(masks), len(clip))).numpy()


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _is_heard(clip: np.ndarray, fault: np.ndarray) -> bool:
    """Whether a clip holds enough of a stem, going by its projection on it; of a silent one it never does."""
    wanted = fault.astype(np.float64)
    return bool(clip @ wanted > HEARD * (wanted @ wanted))
