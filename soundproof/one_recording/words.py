"""What a map marks of a recording, in words: attributes alone, unless somebody knows the machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundproof.core.errors import DataError
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.reasons import in_words
from soundproof.one_recording.study import Individual
from soundproof.reasons.diagnosis import Machine
from soundproof.reasons.reason import Reason, Reasoner
from soundproof.reasons.settings import SentenceSettings


@dataclass(frozen=True)
class Words:
    """What is said of a recording.

    Attributes:
        sentence: What the map marks, and what the speed of the shaft says of it; empty: nothing can be said.
        reason: The attributes behind it; None likewise.
        why: Why nothing can be said; empty: something is.
    """

    sentence: str = ""
    reason: Reason | None = None
    why: str = ""


def words_of(
    sounds: ClipSounds,
    clip_id: str,
    relevance: np.ndarray,
    individual: Individual,
    settings: SentenceSettings,
    machine: Machine | None,
) -> Words:
    """Say what a map [n_freq, n_frames] marks, beside the same cells of the individual's normal training clips.

    The shipped rules are not asked: their closed set of faults is that of the bench. Rules of the study's own are.

    Args:
        sounds: The recording, and the training clips of its individual.
        clip_id: The recording.
        relevance: The map.
        individual: Whose sound it is.
        settings: How the study puts maps into words.
        machine: What is known of the machine; None: what the study says of it.
    """
    if not individual.unit:
        return Words(why="nobody said whose sound it is: name it with --machine and --unit")
    reasoner = Reasoner(sounds, settings, settings.rules or None)
    try:
        reason = reasoner.reason(clip_id, relevance)
    except DataError as error:
        return Words(why=f"{error.asked}: {error.found}")
    return Words(in_words(reason, machine or settings.machine), reason)
