import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from soundproof.core.errors import DataError
from soundproof.detection.areas import average_precision, harmonic_mean, partial_auc, roc_auc
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.roc import area_up_to, weighted_curve


def toy(seed, n=40, levels=12):
    rng = np.random.default_rng(seed)
    anomalous = rng.random(n) < 0.3
    anomalous[0], anomalous[1] = True, False
    return rng.integers(levels, size=n) + 3.0 * anomalous, anomalous


def test_by_hand():
    scores, anomalous = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])
    assert roc_auc(scores, anomalous) == 0.75
    assert average_precision(scores, anomalous) == pytest.approx((1 + 2 / 3) / 2)
    # up to a rate of 0.5 the curve stays at 1/2: area 1/4, chance 1/8, best 1/2
    assert partial_auc(scores, anomalous, 0.5) == pytest.approx(0.5 * (1 + (0.25 - 0.125) / (0.5 - 0.125)))


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.1, 0.5, 1.0]))
def test_own_areas_agree_with_scikit_learn_for_weights_and_limits(seed, limit):
    scores, anomalous = toy(seed)
    weights = np.random.default_rng(seed).integers(1, 4, size=len(scores)).astype(float)
    fpr, tpr = weighted_curve(scores, weights * ~anomalous, weights * anomalous)
    area = float(area_up_to(fpr, tpr, limit))
    if limit < 1:
        area = 0.5 * (1 + (area - limit**2 / 2) / (limit - limit**2 / 2))
    assert area == pytest.approx(roc_auc_score(anomalous, scores, sample_weight=weights, max_fpr=limit))


@given(st.integers(0, 2**32 - 1))
def test_metrics_ignore_monotone_transforms_and_order_and_mirror_with_the_sign(seed):
    scores, anomalous = toy(seed)
    order = np.random.default_rng(seed).permutation(len(scores))
    for metric in (roc_auc, partial_auc, average_precision):
        assert 0 <= metric(scores, anomalous) <= 1
        assert metric(scores, anomalous) == pytest.approx(metric(np.exp(scores), anomalous))
        assert metric(scores, anomalous) == pytest.approx(metric(scores[order], anomalous[order]))
    assert roc_auc(-scores, anomalous) == pytest.approx(1 - roc_auc(scores, anomalous))


@pytest.mark.parametrize("metric", [roc_auc, partial_auc, average_precision])
def test_one_class_is_undefined_and_says_which_is_missing(metric):
    scores = np.arange(3.0)
    assert metric(scores, np.zeros(3, bool)) == Undefined("no anomalous clip in the set")
    assert metric(scores, np.ones(3, bool)) == Undefined("no normal clip in the set")


@pytest.mark.parametrize("scores", [np.array([0.0, np.nan]), np.arange(3.0)])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(DataError, match="score"):
        roc_auc(scores, np.array([True, False]))


def test_harmonic_mean():
    assert harmonic_mean([0.5, 1.0]) == pytest.approx(2 / 3)
    assert harmonic_mean([0.0, 1.0]) == 0.0
    for bad in ([], [np.nan], [-0.1, 0.5]):
        with pytest.raises(DataError):
            harmonic_mean(bad)
