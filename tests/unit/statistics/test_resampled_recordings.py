from __future__ import annotations

import numpy as np
import pytest

from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.recordings import interval_of, mean_over_recordings, recording_weights


def rng():
    return np.random.default_rng(7)


def test_a_recording_comes_with_all_of_its_clips_or_not_at_all():
    recordings = np.array(["b", "a", "b", "c", "b"])
    weights = recording_weights(recordings, rng(), 500)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(5), abs=0.15)


def test_without_shared_recordings_it_is_the_plain_bootstrap():
    plain = rng().multinomial(6, np.full(6, 1 / 6), size=50)
    assert np.array_equal(recording_weights(np.arange(6), rng(), 50), plain)


def test_copies_of_a_recording_add_nothing_to_what_is_known():
    values = np.random.default_rng(1).normal(size=(30, 2))
    alone = mean_over_recordings(values, np.arange(30), rng())
    copied = mean_over_recordings(np.repeat(values, 10, axis=0), np.repeat(np.arange(30), 10), rng())
    assert copied == pytest.approx(alone)
    as_if_independent = mean_over_recordings(np.repeat(values, 10, axis=0), np.arange(300), rng())
    assert np.diff(as_if_independent) < 0.5 * np.diff(copied)


def test_one_recording_has_no_interval():
    assert np.isnan(mean_over_recordings(np.ones((4, 1)), np.zeros(4), rng())).all()
    assert np.isnan(interval_of(np.empty(0))).all()


def test_areas_with_copied_recordings_have_the_interval_of_the_recordings():
    scores = np.random.default_rng(2).normal(size=(1, 1, 40)) + (np.arange(40) >= 20)
    truth = np.arange(40) >= 20
    area, alone = paired_areas(scores, truth, "a")
    copies = np.repeat(scores, 5, axis=2), np.repeat(truth, 5)
    again, copied = paired_areas(*copies, "a", recordings=np.repeat(np.arange(40), 5))
    assert again == pytest.approx(area) and copied == pytest.approx(alone)
    _, independent = paired_areas(*copies, "a")
    assert independent.std() < 0.6 * copied.std()
