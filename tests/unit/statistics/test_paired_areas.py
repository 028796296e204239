import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from soundproof.statistics.paired_areas import paired_areas


def test_areas_are_those_of_scikit_learn_ties_included():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, size=(3, 2, 20)).astype(float)
    anomalous = np.arange(20) >= 12
    areas, _ = paired_areas(scores, anomalous)
    expected = [np.mean([roc_auc_score(anomalous, seed) for seed in variant]) for variant in scores]
    np.testing.assert_allclose(areas, expected)


def test_replicates_resample_clips_within_their_class():
    scores = np.array([[[1.0, 2.0, 3.0, 1.5, 4.0]]])
    anomalous = np.array([False, False, False, True, True])
    _, replicates = paired_areas(scores, anomalous, "x", n_resamples=4000)
    # of the anomalous 1.5 and 4, 1.5 beats one normal clip of three
    possible = {(h * low + (2 - h) * 3) / 6 for h in range(3) for low in range(4)}
    assert {round(value, 9) for value in replicates[0]} <= {round(value, 9) for value in possible}
    assert replicates.mean() == pytest.approx(4 / 6, abs=0.01)


def test_variants_share_their_resamples():
    scores = np.random.default_rng(1).normal(size=(1, 2, 30))
    twice = np.concatenate([scores, scores + 5])
    areas, replicates = paired_areas(twice, np.arange(30) % 2 == 0, "x")
    assert areas[0] == areas[1]
    np.testing.assert_array_equal(replicates[0], replicates[1])
