"""Does a map let one say the right thing? Reasons in words against the drawn physics of the fault.

Of every clip a map's cells are put into words (:mod:`soundproof.reasons`) and judged
(:mod:`soundproof.reasons.truth`). Measures: ``reason_kind`` whether the fault is named right;
``reason_attributes`` the share of drawn attributes that were measured within tolerance; ``reason_true`` the
share of statements that are true (none where nothing is stated); ``reason_false`` false statements in the
sentence; ``reason_abstained`` whether it says "cannot tell".

Protocols: ``chance_uniform`` a map of noise, ``chance_circular_shift`` the cells of the map, shifted in time,
``flag_all`` the whole clip, which needs no map, ``oracle`` the true mask; of ``reason_kind`` also
``chance_most_frequent``, which always names the fault that most of the machine's explained clips have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from soundproof.core.errors import DataError
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import Physics
from soundproof.localisation.measured import Measured
from soundproof.localisation.settings import ReasonScoreSettings
from soundproof.randomness.seeding import seed_from
from soundproof.reasons.reason import Reasoner
from soundproof.reasons.truth import Scores, scores
from soundproof.storage.measurements import FLAG_ALL, MOST_FREQUENT, ORACLE, SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth

METRIC = "reasons"
COMPARED: dict[str, Callable[[Scores], float]] = {
    "reason_kind": lambda of: float(of.right),
    "reason_attributes": lambda of: of.within,
    "reason_true": lambda of: of.n_true / (of.n_true + of.n_false) if of.n_true + of.n_false else np.nan,
}
"""Measures that stand beside chance."""
COUNTED: dict[str, Callable[[Scores], float]] = {
    "reason_false": lambda of: float(of.n_false),
    "reason_abstained": lambda of: float(of.abstained),
}
"""Measures of which less is not more: who says nothing says nothing false."""
_AT_WORK: WeakKeyDictionary[ClipSounds, dict[str, _Judge]] = WeakKeyDictionary()
"""What all maps of a clip share is found once: normal clips, and what the controls say."""


def measure(maps: np.ndarray, truth: Truth, settings: ReasonScoreSettings) -> Measured:
    """Judge the reasons of maps [n_clips, n_freq, n_frames].

    Raises:
        DataError: There is no sound, or an individual has no normal training clip.
    """
    if truth.sounds is None:
        raise DataError("the sound of clips", "none", "leave out the metrics that need stems")
    of_settings = _AT_WORK.setdefault(truth.sounds, {})
    judge = of_settings.setdefault(settings.model_dump_json(), _Judge(truth.sounds, settings))
    found: dict[str, list[list[Scores]]] = {}
    for clip_id, relevance, mask in zip(truth.clip_ids, maps, truth.cells(), strict=True):
        of_clip = judge.controls(clip_id, mask) | judge.own(clip_id, relevance)
        for protocol, draws in of_clip.items():
            found.setdefault(protocol, []).append(draws)
    for metric, number in COMPARED.items():
        for protocol, of_clips in found.items():
            yield Block(metric, protocol, None, _means(of_clips, number))
    for metric, number in COUNTED.items():
        for protocol in ("", FLAG_ALL, ORACLE):
            yield Block(metric, protocol, None, _means(found[protocol], number))
    yield Block("reason_kind", MOST_FREQUENT, None, judge.most_frequent(truth.clip_ids))


def _means(of_clips: Sequence[Sequence[Scores]], number: Callable[[Scores], float]) -> np.ndarray:
    """Mean over the draws of each clip, NaN where one has no value."""
    return np.array([np.mean([number(of) for of in draws]) for draws in of_clips], dtype=np.float64)


class _Judge:
    """Puts cells of clips into words and judges them; holds what all maps of a clip share."""

    def __init__(self, sounds: ClipSounds, settings: ReasonScoreSettings) -> None:
        self._sounds, self._settings = sounds, settings
        # what normal clips have in the same cells is said, but nobody knows whether it is true
        self._reasoner = Reasoner(sounds, settings, settings.all_rules, compare=False)
        self._controls: dict[str, dict[str, list[Scores]]] = {}
        self._known: dict[tuple[str, bytes], Scores] = {}

    def own(self, clip_id: str, relevance: np.ndarray) -> dict[str, list[Scores]]:
        """Scores of a map, and of its cells shifted in time."""
        cells = self._reasoner.cells(clip_id, relevance)
        rng = np.random.default_rng(seed_from(METRIC, "shift", clip_id))
        lags = rng.integers(cells.shape[1], size=self._settings.shifts)
        return {
            "": [self._scores(clip_id, cells)],
            SHIFT: [self._scores(clip_id, np.roll(cells, lag, axis=1)) for lag in lags],
        }

    def controls(self, clip_id: str, mask: np.ndarray) -> dict[str, list[Scores]]:
        """Scores of noise, of the whole clip and of the true mask."""
        if clip_id not in self._controls:
            rng = np.random.default_rng(seed_from(METRIC, "noise", clip_id))
            noise = rng.standard_normal((self._settings.draws, *mask.shape))
            at_random = [self._reasoner.cells(clip_id, of) for of in noise]
            self._controls[clip_id] = {
                UNIFORM: [self._scores(clip_id, cells) for cells in at_random],
                FLAG_ALL: [self._scores(clip_id, np.ones_like(mask))],
                ORACLE: [self._scores(clip_id, mask)],
            }
        return self._controls[clip_id]

    def most_frequent(self, clip_ids: Sequence[str]) -> np.ndarray:
        """Whether each clip has the fault that most have (of equals the first by name), float64 [n_clips]."""
        faults = [self._physics(clip_id).fault for clip_id in clip_ids]
        counts = Counter(sorted(faults))
        guess = counts.most_common(1)[0][0]
        return np.array([float(fault == guess) for fault in faults])

    def _scores(self, clip_id: str, cells: np.ndarray) -> Scores:
        # maps that know nothing of a detector mark the same cells for all
        key = clip_id, np.packbits(cells).tobytes()
        if key not in self._known:
            self._known[key] = scores(self._reasoner.of_cells(clip_id, cells), self._physics(clip_id))
        return self._known[key]

    def _physics(self, clip_id: str) -> Physics:
        found = self._sounds.physics(clip_id)
        if found is None:
            raise DataError(
                f"the physics that the fault of clip '{clip_id}' was drawn from",
                "none",
                "leave out the metrics that judge reasons, or take data whose faults are models",
            )
        return found
