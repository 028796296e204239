"""Is the reason the detector's own? Take what the sentence names out of the sound and score what is left.

Each map is put into words (:mod:`soundproof.reasons`). The cells that the sentence names, its band or the
lines of its tone from its beginning to its end, are replaced in the sound by what stands around them, at the
clip's own phase.
``reason_left`` is the score of that over the intact clip's; under ``elsewhere`` of as many cells of the same
bands at another time. ``reason_removal`` is how much less the first leaves than the second, over the share of
all cells that is removed (higher = better): who names half of the clip removes much, and has said little.

Chance is a map of noise, put into words in the same way; it may exceed 0, since what is measured on its cells
may still lead to whatever is loud. A clip whose score is not positive has no value, nor has a map of which
nothing can be removed, since it marks nothing or says that sound is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.audio.surroundings import surroundings
from soundproof.core.errors import DataError
from soundproof.detectors.batching import in_passes
from soundproof.detectors.hearing import hearing_sound
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import ReasonRemovalSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.sounds import Sounds
from soundproof.reasons.named import named_cells
from soundproof.reasons.reason import Reasoner
from soundproof.storage.measurements import UNIFORM, Block, rows_of

METRIC, LEFT = "reason_removal", "reason_left"
ELSEWHERE = "elsewhere"
"""Protocol of what removing as many cells of the same bands at another time leaves."""


def reason_removal(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[ReasonRemovalSettings],
) -> pd.DataFrame:
    """Remove what the sentence of each map names.

    Args:
        detector: Frozen detector.
        x: Maps on file [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Sounds of the clips; settings of the reasons, and ``shifts``; pass size.

    Returns:
        Metrics ``reason_removal`` with its chance rows, and ``reason_left``.

    Raises:
        DataError: There is no sound, it cannot be read, or it is not the one that ``x`` was made of; or an
            individual has no normal training clip.
    """
    if context.sounds is None:
        raise DataError(f"the sound of clips for '{METRIC}'", "none", "leave it out, or take data with sound")
    reasoner = Reasoner(context.sounds, context.settings, compare=False)
    with torch.no_grad():
        intact = detector.score(x).double().cpu().numpy()
    at_random = context.uniform(f"{METRIC} noise", 0, *x.shape[1:])
    used: list[int] = np.flatnonzero(intact > 0).tolist()
    say_left_out(METRIC, len(intact) - len(used))
    values = np.full((3, len(maps) + 1, len(used)), np.nan)
    for column, row in enumerate(used):
        clip_id = context.clip_ids[row]
        samples = context.sounds.confirmed(clip_id, x[row].cpu().numpy())
        spectrum = context.sounds.stft.forward(samples)
        lags = context.uniform(METRIC, 0, context.settings.shifts)[row].numpy() * spectrum.shape[1]
        for place, relevance in enumerate([*(of[row] for of in maps.values()), at_random[row]]):
            reason = reasoner.reason(clip_id, relevance.double().cpu().numpy())
            cells = named_cells(reason, context.sounds.stft, spectrum.shape[1], context.sounds.rate_hz)
            if cells is None:
                continue
            removed = np.stack([cells, *(np.roll(cells, int(lag), axis=1) for lag in lags)])
            scores = _scores(detector, context.sounds, clip_id, spectrum, removed, len(samples))
            here, there = np.array([scores[0], scores[1:].mean()]) / intact[row]
            values[:, place, column] = (there - here) / cells.mean(), here, there
    ids = [context.clip_ids[row] for row in used]
    return rows_of(_blocks(list(maps), values), ids).dropna(subset=["value"], ignore_index=True)


def _blocks(explainers: list[str], values: np.ndarray) -> Iterator[Block]:
    """Blocks of values [gain, left and left elsewhere; n_maps and the one of noise; n_clips]."""
    for explainer, gain, here, there in zip(explainers, *values[:, :-1], strict=True):
        yield Block(METRIC, None, None, gain, explainer)
        yield Block(LEFT, None, None, here, explainer)
        yield Block(LEFT, ELSEWHERE, None, there, explainer)
    yield Block(METRIC, UNIFORM, None, values[0, -1], RANDOM_CELLS)


def _scores(
    detector: Detector, sounds: Sounds, clip_id: str, spectrum: Tensor, removed: np.ndarray, n_samples: int
) -> np.ndarray:
    """Scores of a clip without cells [n_variants, n_bins, n_frames] of its spectrogram, float64 [n_variants]."""
    device = next(detector.parameters(), next(detector.buffers(), torch.zeros(()))).device
    phase = torch.polar(torch.ones_like(spectrum.real), spectrum.angle())

    def score(part: Tensor) -> Tensor:
        rest = spectrum * ~part + surroundings(spectrum.abs(), part.float()) * part * phase
        sound = sounds.stft.inverse(rest, n_samples)
        made = sounds.map(sound, clip_id)
        return hearing_sound(detector, sounds, clip_id, sound, made).score(made.to(device)).cpu()

    with torch.no_grad():
        # one at a time: spectrograms are larger than any map
        return in_passes(score, torch.from_numpy(removed), 1).double().numpy()
