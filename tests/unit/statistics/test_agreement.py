from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, kendalltau

from soundproof.statistics import blocked_tau, blocked_w


def test_w_by_hand():
    # rank sums 4, 5, 9 of mean 6: squared deviations 4 + 1 + 9 = 14; W = 12 x 14 / (9 x 24)
    judges = np.array([[1.0, 2, 3], [2, 1, 3], [1, 2, 3]])
    assert blocked_w(judges.T[np.newaxis])[0] == pytest.approx(12 * 14 / (9 * 24))


@given(st.integers(0, 2**32 - 1), st.integers(3, 5), st.integers(3, 7))
def test_w_agrees_with_friedmans_statistic_under_ties(seed, m, n):
    scores = np.random.default_rng(seed).integers(4, size=(2, n, m)).astype(float)
    scores[:, 0] += 10
    w, p = blocked_w(scores, n_permutations=20)
    friedman = [friedmanchisquare(*block).statistic / (m * (n - 1)) for block in scores]
    assert w == pytest.approx(np.mean(friedman))
    assert 0 < p <= 1


def test_permutation_p_of_w_agrees_with_the_enumeration_of_all_orders():
    scores = np.array([[1.0, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]])
    w, p = blocked_w(scores.T[np.newaxis], n_permutations=9999)
    others = [
        12 * (np.sum([scores[0], b, c], axis=0) ** 2).sum() / (9 * 60) - 3 * 5 / 3
        for b in permutations(range(1, 5))
        for c in permutations(range(1, 5))
    ]
    exact = np.mean(np.array(others) >= w - 1e-9)
    assert p == pytest.approx(exact, abs=4.5 * np.sqrt(exact / 9999))


def test_ties_of_all_items_are_undefined():
    assert np.isnan(blocked_w(np.ones((1, 4, 3)))).all()
    scores = np.stack([np.arange(4.0), np.ones(4)], axis=1)[np.newaxis]
    tau, p = blocked_tau(scores)
    assert np.isnan([tau[0, 1], p[0, 1]]).all() and tau[0, 0] == pytest.approx(1)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_tau_is_the_mean_of_scipys(seed, n):
    scores = np.random.default_rng(seed).integers(5, size=(3, n, 2)).astype(float)
    scores[:, 0] += 10
    tau, _ = blocked_tau(scores)
    assert tau[0, 1] == pytest.approx(np.mean([kendalltau(*block.T).statistic for block in scores]))


def test_exact_p_of_one_block_is_scipys():
    scores = np.random.default_rng(3).permuted(np.tile(np.arange(6.0), (2, 1)), axis=1)
    tau, p = blocked_tau(scores.T[np.newaxis])
    exact = kendalltau(*scores, method="exact")
    assert (tau[0, 1], p[0, 1]) == (pytest.approx(exact.statistic), pytest.approx(exact.pvalue))


def test_copies_of_a_detector_are_no_further_witnesses():
    scores = np.array([[1.0, 1], [2, 2], [3, 4], [4, 3], [5, 5]])[np.newaxis]
    one, five = blocked_tau(scores), blocked_tau(np.repeat(scores, 5, axis=0))
    np.testing.assert_allclose(five, one)
    # as independent items five copies would have passed for a tiny p
    assert kendalltau(*np.repeat(scores[0], 5, axis=0).T).pvalue < 1e-3 < 0.05 < five[1][0, 1] + 0.02


def test_a_sampled_p_is_close_to_the_exact_one_and_hangs_on_names():
    scores = np.random.default_rng(0).normal(size=(2, 9, 2))
    _, p = blocked_tau(scores, "a")
    _, again = blocked_tau(scores, "b")
    assert p[0, 1] == pytest.approx(again[0, 1], abs=0.04)
    assert p[0, 1] == blocked_tau(scores, "a")[1][0, 1]
