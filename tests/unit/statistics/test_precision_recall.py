from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from soundproof.statistics.precision_recall import (
    average_precision_chance,
    average_precision_of,
    best_f1_chance,
    best_f1_of,
    flag_all_f1,
)
from soundproof.statistics.roc import weighted_curve


def curve(scores, positive):
    return *weighted_curve(scores, (~positive).astype(float), positive.astype(float)), positive.mean()


def toy(seed, n=30, levels=7):
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    positive[:2] = True, False
    return rng.integers(levels, size=n) + 1.0 * positive, positive


def test_by_hand():
    # from the highest: hit, miss, hit, miss. Precision at the hits: 1 and 2/3; F1: 2/3, 1/2, 4/5, 4/6
    scores, positive = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert average_precision_of(*curve(scores, positive)) == pytest.approx((1 + 2 / 3) / 2)
    assert best_f1_of(*curve(scores, positive)) == pytest.approx(4 / 5)
    assert flag_all_f1(2, 4) == pytest.approx(4 / 6)


@given(st.integers(0, 2**32 - 1))
def test_under_ties_both_are_what_scikit_learn_has(seed):
    scores, positive = toy(seed)
    assert average_precision_of(*curve(scores, positive)) == pytest.approx(
        average_precision_score(positive, scores)
    )
    thresholds = [f1_score(positive, scores >= threshold) for threshold in np.unique(scores)]
    assert best_f1_of(*curve(scores, positive)) == pytest.approx(max(thresholds))
    # the lowest threshold flags all
    assert best_f1_of(*curve(scores, positive)) >= flag_all_f1(positive.sum(), len(positive)) - 1e-12


@given(st.integers(0, 2**32 - 1))
def test_another_share_of_positives_is_that_of_weighted_items(seed):
    scores, positive = toy(seed)
    weights = np.where(positive, 3.0, 1.0)
    fpr, tpr, _ = curve(scores, positive)
    share = weights[positive].sum() / weights.sum()
    assert average_precision_of(fpr, tpr, share) == pytest.approx(
        average_precision_score(positive, scores, sample_weight=weights)
    )
    thresholds = [
        f1_score(positive, scores >= threshold, sample_weight=weights) for threshold in np.unique(scores)
    ]
    assert best_f1_of(fpr, tpr, share) == pytest.approx(max(thresholds))


def test_average_precision_chance_by_hand():
    # two items, one positive: first (AP 1) or second (AP 1/2)
    assert average_precision_chance(1, 2) == pytest.approx(0.75)
    assert average_precision_chance(3, 3) == pytest.approx(1.0)
    assert average_precision_chance(1, 1) == 1.0


@pytest.mark.parametrize(("n_positive", "n_items"), [(1, 2), (1, 6), (3, 8), (5, 6)])
def test_the_best_f1_of_random_rankings_against_all_rankings(n_positive, n_items):
    values = []
    for places in combinations(range(n_items), n_positive):
        positive = np.isin(np.arange(n_items), places)
        values.append(best_f1_of(*curve(-np.arange(float(n_items)), positive)))
    error = np.std(values) / np.sqrt(4000)
    assert abs(best_f1_chance(n_positive, n_items) - np.mean(values)) <= 4 * error + 1e-12
    assert best_f1_chance(n_positive, n_items) >= flag_all_f1(n_positive, n_items) - 1e-12


def test_of_very_many_items_random_rankings_do_as_well_as_flagging_all():
    drawn, all_flagged = best_f1_chance(5_000, 50_000), flag_all_f1(5_000, 50_000)
    assert drawn == pytest.approx(all_flagged, abs=3e-4)
    assert best_f1_chance(50_000, 500_000) == flag_all_f1(50_000, 500_000)
