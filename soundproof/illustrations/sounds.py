"""Make explanations audible: what a map marks of a clip, and what is left."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

from soundproof.audio.masking import soft_mask
from soundproof.audio.pair import common_gain, flac, parts, quantised
from soundproof.audio.settings import ListenSettings
from soundproof.clips.selection import draw_clips
from soundproof.core.errors import DataError
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.make import clips_to_illustrate
from soundproof.illustrations.roles import CLIP, FAULT, LEFT, MARKED
from soundproof.storage.schemas import LISTENING

_log = logging.getLogger(__name__)

NO_SOUND = "the data set ships spectrograms, from which no sound can be made"
MARKS_NOTHING = "no cell of the map has positive relevance: there is nothing to hear"


@dataclass(frozen=True)
class Sound:
    """One row of the table of sounds; columns as in :data:`soundproof.storage.schemas.LISTENING`."""

    clip_id: str
    machine: str
    role: str
    detector: str | None = None
    explainer: str | None = None
    rate_hz: int | None = None
    gain: float | None = None
    flac: bytes | None = None
    why: str | None = None


def clips_to_hear(
    scores: pd.DataFrame, clips: pd.DataFrame, explained: Sequence[str], n_clips: int
) -> list[str]:
    """Choose at most ``n_clips``: those that pictures show, then others drawn by their ids.

    Args:
        scores: Columns clip_id, value.
        clips: The ``clips`` table.
        explained: Candidates.
        n_clips: How many.
    """
    shown = clips_to_illustrate(scores, clips, list(explained))[:n_clips]
    others = [clip_id for clip_id in explained if clip_id not in shown]
    return [*shown, *draw_clips(others, n_clips - len(shown))]


def sounds_of_clips(
    sounds: ClipSounds | None,
    machines: Mapping[str, str],
    features: Mapping[str, np.ndarray],
    maps: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]],
    settings: ListenSettings,
) -> pd.DataFrame:
    """Make the sounds of clips, as many as there is room for.

    Where a sound cannot be had, a row says why: the data set has none, the recording is gone or another one than
    the features were made of, or a map marks nothing.

    Args:
        sounds: Where the clips' sound comes from; None: the data set has none.
        machines: Machine of each clip, in the order in which clips take the room.
        features: Map on file of each clip [n_freq, n_frames].
        maps: Relevance [n_freq, n_frames] by detector, explainer and clip.
        settings: Mask, and room.

    Returns:
        Frame of :data:`soundproof.storage.schemas.LISTENING`.

    Raises:
        DataError: NaN or infinity in a map.
    """
    room = round(settings.megabytes * 1e6)
    rows: list[Sound] = []
    for done, (clip_id, machine) in enumerate(machines.items()):
        of_clip = {
            (detector, explainer): by_clip[clip_id]
            for detector, of_explainers in maps.items()
            for explainer, by_clip in of_explainers.items()
        }
        made = list(_of_clip(sounds, clip_id, machine, features[clip_id], of_clip, settings))
        room -= sum(len(row.flac or b"") for row in made)
        if room < 0:
            _log.warning(
                "%d of %d clips are not made audible: their sounds exceed the %g MB of 'listen.megabytes'",
                *(len(machines) - done, len(machines), settings.megabytes),
            )
            break
        rows += made
    for why in sorted({row.why for row in rows if row.why}):
        _log.warning("%d sounds cannot be had: %s", sum(row.why == why for row in rows), why)
    return pd.DataFrame([asdict(row) for row in rows], columns=LISTENING.names)


def _of_clip(
    sounds: ClipSounds | None,
    clip_id: str,
    machine: str,
    features: np.ndarray,
    maps: Mapping[tuple[str, str], np.ndarray],
    settings: ListenSettings,
) -> Iterator[Sound]:
    if sounds is None:
        yield Sound(clip_id, machine, CLIP, why=NO_SOUND)
        return
    try:
        samples = sounds.confirmed(clip_id, features)
    except DataError as error:
        yield Sound(clip_id, machine, CLIP, why=f"{error.asked}: {error.found}")
        return
    # one at a time: all spectrograms of a clip together may exceed what a job is given
    marked = {
        label: sounds.stft.masked(
            samples, sounds.bins(torch.from_numpy(soft_mask(relevance, settings)), len(samples))
        ).numpy()
        for label, relevance in maps.items()
    }
    clip, stems = samples.numpy(), sounds.stems(clip_id)
    fault = [] if stems is None or not stems.fault.any() else [stems.fault]
    gain = common_gain(clip, *fault, *marked.values(), *(clip - through for through in marked.values()))
    heard = partial(Sound, clip_id, machine, rate_hz=sounds.rate_hz, gain=gain)

    def encoded(of: np.ndarray) -> bytes:
        return flac(of, sounds.rate_hz)

    yield heard(CLIP, flac=encoded(quantised(clip, gain)))
    for stem in fault:
        yield heard(FAULT, flac=encoded(quantised(stem, gain)))
    for (detector, explainer), through in marked.items():
        pair = parts(clip, through, gain)
        if not pair.marked.any():
            yield Sound(clip_id, machine, MARKED, detector, explainer, why=MARKS_NOTHING)
            continue
        for role, part in ((MARKED, pair.marked), (LEFT, pair.left)):
            yield heard(role, detector, explainer, flac=encoded(part))
