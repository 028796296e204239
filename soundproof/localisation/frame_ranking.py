"""Frames of a whole set, ranked by the map's curve: P2's temporal level, by up to three ground truths.

Source: Barusco et al. 2025, arXiv 2502.18328, after the code of a fork: the score of a frame is the mean of
its five largest cells; frames of all clips are ranked together, those of normal clips among the negatives. Clips
that nobody labelled are left out. The best F1 has its threshold from these very frames, an oracle. A frame is
positive

* where it overlaps a labelled event (no protocol; as published, where the label is the injected event's time);
* ``exact_stems``: where the event dominates the mixture in at least one cell, where masks are known;
* ``energy_rule``: where the five loudest bands of the event alone lie, on average, above half of what they reach in
  the clip, between their extremes in dB (published second variant), where maps of the events alone are known, since
  another metric of the study asks for them.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from soundproof.localisation.frames import frame_curves
from soundproof.localisation.measured import Measured
from soundproof.localisation.pooled import ENERGY, EXACT, Batches, Items, ranking_of_set
from soundproof.localisation.settings import FrameRankingSettings
from soundproof.truth.energy_rule import between_extremes
from soundproof.truth.ground_truth import Truth

LABELLED = ""
LOUD = 0.5
"""Part of the way from an event's quietest to its loudest frame."""


def measure(batches: Batches, settings: FrameRankingSettings) -> Measured:
    """Area under the ROC curve, average precision and best F1 over all frames of the set, by each ground truth."""
    return ranking_of_set("pooled_frame", batches, partial(_frames, settings=settings))


def loud_frames(levels_db: np.ndarray) -> np.ndarray:
    """Mark the frames in which the event alone is loud.

    Args:
        levels_db: Level of the event alone [n_clips, n_freq, n_frames].

    Returns:
        bool [n_clips, n_frames]; nothing is marked where the level is the same everywhere.
    """
    curves = frame_curves(levels_db, "top5_mean")
    return np.asarray(between_extremes(curves[:, np.newaxis])[:, 0] > LOUD)


def _frames(maps: np.ndarray, truth: Truth, settings: FrameRankingSettings) -> Items:
    truths = {LABELLED: truth.frames(maps.shape[2])}
    if truth.masks is not None:
        truths[EXACT] = np.asarray(truth.masks.any(axis=1))
    if truth.event_maps is not None:
        truths[ENERGY] = loud_frames(truth.event_maps)
    known = np.array([events is not None for events in truth.events], dtype=bool)
    return Items(frame_curves(maps, settings.reduction), truths, known)
