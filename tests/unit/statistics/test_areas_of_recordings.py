from __future__ import annotations

import numpy as np
import pytest

from soundproof.statistics.areas import auc_placements, joint_interval

RNG = np.random.default_rng(3)
TRUTH = np.repeat([False, True], 20)
SCORES = RNG.normal(TRUTH * 1.0)
ONE = auc_placements(SCORES, TRUTH)


def names(letter: str, repeats: int) -> np.ndarray:
    return np.repeat([f"{letter}{index:02d}" for index in range(20)], repeats)


def test_recordings_of_one_clip_change_nothing() -> None:
    assert joint_interval(ONE.area, [[ONE]], recordings=[(names("n", 1), names("a", 1))]) == pytest.approx(
        joint_interval(ONE.area, [[ONE]])
    )


@pytest.mark.parametrize("repeats", [2, 10])
def test_copies_of_clips_are_no_more_evidence(repeats: int) -> None:
    many = auc_placements(np.repeat(SCORES, repeats), np.repeat(TRUTH, repeats))
    as_recordings = joint_interval(
        many.area, [[many]], recordings=[(names("n", repeats), names("a", repeats))]
    )
    assert as_recordings == pytest.approx(joint_interval(ONE.area, [[ONE]]))
    low, high = joint_interval(many.area, [[many]])
    assert high - low < 0.8 * (as_recordings[1] - as_recordings[0])


def test_the_variance_is_that_of_a_bootstrap_of_recordings() -> None:
    """Recordings of four clips each, some with normal and anomalous ones; those of one share a shift."""
    rng = np.random.default_rng(5)
    recording = np.repeat(np.arange(40), 4)
    truth = np.tile([False, False, False, True], 40) | (recording >= 30)
    scores = rng.normal(size=40)[recording] + 0.5 * rng.normal(size=160) + 0.8 * truth
    areas = []
    for _ in range(1500):
        picked = rng.integers(40, size=40)
        clips = np.concatenate([np.flatnonzero(recording == one) for one in picked])
        areas.append(auc_placements(scores[clips], truth[clips]).area)
    placed = auc_placements(scores, truth)
    of = np.array([f"{one:02d}" for one in recording])
    low, high = joint_interval(placed.area, [[placed]], recordings=[(of[~truth], of[truth])])
    assert (high - low) / (2 * 1.96) == pytest.approx(np.std(areas), rel=0.12)
    plain = joint_interval(placed.area, [[placed]])
    assert plain[1] - plain[0] < 0.75 * (high - low)
