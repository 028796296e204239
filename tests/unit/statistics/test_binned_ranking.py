import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from soundproof.core.errors import DataError
from soundproof.localisation.average_precision import average_precision
from soundproof.statistics.binned_ranking import BinnedRanking, Bounded, RankingHistogram
from soundproof.statistics.precision_recall import best_f1_of
from soundproof.statistics.roc import weighted_curve

seeds = st.integers(0, 2**32 - 1)


def ranking(scores, positive, parts=1):
    histogram = RankingHistogram()
    for some, truth in zip(np.array_split(scores, parts), np.array_split(positive, parts), strict=True):
        histogram.add(some, truth)
    return histogram.ranking()


def exact_f1(scores, positive):
    curve = weighted_curve(scores, (~positive).astype(float), positive.astype(float))
    return float(best_f1_of(*curve, positive.mean()))


def test_by_hand():
    # two bins: first 2 positives and 1 negative, then 1 and 2
    found = BinnedRanking(np.array([2.0, 1.0]), np.array([1.0, 2.0]), np.array([False, True]))
    # pairs 9: 2 x 2 wins across bins, 2 + 2 pairs within, half of them won; only the first bin is uncertain
    assert found.auroc() == pytest.approx((6 / 9, 1 / 9))
    # F1 after the first bin: 4 / (2 + 1 + 3); after both 6 / 9; within the first bin at best 4 / 5
    assert found.best_f1() == pytest.approx((2 / 3, 4 / 5 - 2 / 3))
    # the first bin's positives first: 1, 1; last: 1/2, 2/3; expected: 2/3 (1 + 3/4 + 2/3); the tie adds the same
    tie = (3 / 4 + 3 / 5 + 3 / 6) / 3
    value = ((2 / 3) * (1 + 1.5 / 2 + 2 / 3) + tie) / 3
    low, high = (1 / 2 + 2 / 3 + tie) / 3, (2 + tie) / 3
    assert found.average_precision() == pytest.approx((value, max(high - value, value - low)))


@settings(max_examples=20)
@given(seeds, st.integers(2, 3))
def test_numbers_in_bins_of_their_own_are_those_of_scikit_learn(seed, parts):
    rng = np.random.default_rng(seed)
    positive = np.concatenate([[True, False], rng.random(60) < 0.3])
    # distinct whole numbers, some below 0
    scores = rng.permutation(62).astype(np.float32) - 20
    found = ranking(scores, positive, parts)
    assert found.auroc() == pytest.approx((roc_auc_score(positive, scores), 0.0))
    assert found.average_precision() == pytest.approx((average_precision_score(positive, scores), 0.0))
    best = max(f1_score(positive, scores >= threshold) for threshold in scores)
    assert found.best_f1() == pytest.approx((best, 0.0))


@settings(max_examples=20)
@given(seeds)
def test_ties_are_exact(seed):
    rng = np.random.default_rng(seed)
    positive = np.concatenate([[True, False], rng.random(60) < 0.3])
    scores = rng.integers(-2, 3, size=62) * np.float32(0.1)
    found = ranking(scores, positive)
    assert found.auroc() == pytest.approx((roc_auc_score(positive, scores), 0.0))
    assert found.average_precision() == pytest.approx((average_precision(scores, positive), 0.0))
    assert found.best_f1() == pytest.approx((exact_f1(scores, positive), 0.0))


@settings(max_examples=20)
@given(seeds, st.sampled_from([1e-6, 1e-4, 0.1, 10.0]))
def test_the_exact_number_lies_within_the_bound(seed, spread):
    rng = np.random.default_rng(seed)
    positive = rng.random(3000) < 0.1
    positive[:2] = True, False
    # close to 1: the smaller the spread, the fewer bins are filled
    scores = (1 + spread * (rng.normal(size=3000) + positive)).astype(np.float32)
    found = ranking(scores, positive, 3)
    exact = {
        "auroc": roc_auc_score(positive, scores),
        "average_precision": average_precision(scores, positive),
        "best_f1": exact_f1(scores, positive),
    }
    for name, value in exact.items():
        bounded: Bounded = getattr(found, name)()
        assert abs(bounded.value - value) <= bounded.error + 1e-9, name
    if spread == 10:
        assert found.auroc().error < 1e-3 and found.best_f1().error < 0.02
    if spread == 1e-6:
        assert found.auroc().error > 0.1


def test_minus_nothing_is_nothing_and_a_constant_knows_nothing():
    positive = np.array([True, False, False, True])
    found = ranking(np.array([0.0, -0.0, 0.0, -0.0]), positive)
    assert found.auroc() == (0.5, 0.0)
    assert found.best_f1() == pytest.approx((2 * 2 / (2 + 4), 0.0))


def test_the_same_items_are_judged_by_two_ground_truths():
    histogram = RankingHistogram(2)
    scores = np.array([[3.0, 2.0], [1.0, 0.0]])
    histogram.add(scores, scores > 1.5, scores < 0.5)
    assert [histogram.ranking(truth).auroc().value for truth in (0, 1)] == [1.0, 0.0]
    assert [histogram.ranking(truth).n_positive for truth in (0, 1)] == [2, 1]
    with pytest.raises(DataError, match="1 ground truths"):
        histogram.add(scores, scores > 1)
    with pytest.raises(DataError, match="2 scores not finite"):
        histogram.add(np.array([np.nan, np.inf]), np.array([True, False]), np.array([True, False]))
