"""From a clip and a map to a reason in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from soundproof.interfaces.sounds import Sounds
from soundproof.randomness.ties import tie_breakers
from soundproof.reasons.attributes import ATTRIBUTES
from soundproof.reasons.marked import Normal, binarised, marked, repeated
from soundproof.reasons.measure import Measured, measure
from soundproof.reasons.rules import Rule, likely
from soundproof.reasons.sentence import Sentence, sentence, with_fault
from soundproof.reasons.settings import ReasonSettings

KEPT = 8
"""Individuals whose normal clips are held at once."""


@dataclass(frozen=True)
class Reason:
    """Why a clip stands out, as far as a map tells.

    Attributes:
        sentence: In words, the likely fault included where rules were asked.
        stated: Attributes whose numbers the sentence holds.
        attributes: What was measured on the marked sound.
        absent: Why attributes are missing.
        normal: Median of the same over the same cells of normal clips.
        fault: The likely fault; None: one cannot tell, or nobody asked.
    """

    sentence: str
    stated: tuple[str, ...]
    attributes: Mapping[str, float]
    absent: Mapping[str, str]
    normal: Mapping[str, float]
    fault: str | None


class Reasoner:
    """Puts maps of a part's clips into words."""

    def __init__(
        self,
        sounds: Sounds,
        settings: ReasonSettings,
        rules: Sequence[Rule] | None = None,
        *,
        compare: bool = True,
    ) -> None:
        """Lay out what is needed; nothing is read yet.

        Args:
            sounds: Sound of the clips, and the way from maps to it.
            settings: How cells are taken, and how many normal clips they are compared with.
            rules: What names a fault; None: no fault is named, as on recordings of whose machine nothing is known.
            compare: Whether the same cells of normal clips are measured as well, which the sentence then speaks of.
        """
        self._sounds, self._settings, self._rules, self._compare = sounds, settings, rules, compare
        self._normal_of = lru_cache(maxsize=KEPT)(self._normal)
        self._gain_of = cache(self._gain)

    def cells(self, clip_id: str, relevance: np.ndarray) -> np.ndarray:
        """Cells that a map [n_freq, n_frames] is taken by, bool like it.

        Raises:
            DataError: NaN or infinity in the map.
        """
        smooth = gaussian_filter(relevance.astype(np.float64), self._settings.smoothing, mode="nearest")
        ties = tie_breakers([clip_id], relevance.size)[0]
        return np.asarray(binarised(smooth[np.newaxis], self._settings.share, ties)[0])

    def reason(self, clip_id: str, relevance: np.ndarray) -> Reason:
        """Put the map [n_freq, n_frames] of a clip of the part into words.

        Raises:
            DataError: NaN or infinity in the map, or the individual has no normal training clip.
        """
        return self.of_cells(clip_id, self.cells(clip_id, relevance))

    def of_cells(self, clip_id: str, cells: np.ndarray) -> Reason:
        """Put cells [n_freq, n_frames] of a clip of the part into words."""
        samples, normal = self._sounds.samples(clip_id), self.normal(clip_id)
        stft, rate_hz = self._sounds.stft, self._sounds.rate_hz
        mask = self._sounds.bins(torch.from_numpy(cells.astype(np.float32)), len(samples))
        spectrum = stft.forward(samples) / self._gain_of(clip_id)

        def measured(of: Tensor) -> Measured:
            return measure(marked(of, mask, normal, stft, len(samples)), stft, rate_hz)

        own = measured(spectrum)
        compared = normal.spectra if self._compare else ()
        usual = [measured(repeated(of, spectrum.shape[1])).values for of in compared]
        return _in_words(own, _median(usual), self._rules)

    def normal(self, clip_id: str) -> Normal:
        """What is normal for the individual of a clip.

        Raises:
            DataError: It has no normal training clip.
        """
        return self._normal_of(self._sounds.normal_ids(clip_id, self._settings.normals))

    def _gain(self, clip_id: str) -> float:
        """Gain of a clip over its normal ones; all maps of the clip share it."""
        return self.normal(clip_id).gain(self._sounds.stft.forward(self._sounds.samples(clip_id)))

    def _normal(self, clip_ids: tuple[str, ...]) -> Normal:
        return Normal.of_sounds([self._sounds.samples(clip_id) for clip_id in clip_ids], self._sounds.stft)


def _in_words(own: Measured, normal: Mapping[str, float], rules: Sequence[Rule] | None) -> Reason:
    said: Sentence = sentence(own.values, normal)
    rule = None if rules is None else likely(own.values, rules)
    text = said.text if rules is None else with_fault(said.text, rule)
    return Reason(text, said.stated, own.values, own.absent, normal, None if rule is None else rule.fault)


def _median(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median of each attribute over those that have it."""
    return {
        name: float(np.median([row[name] for row in rows if name in row]))
        for name in ATTRIBUTES
        if any(name in row for row in rows)
    }
