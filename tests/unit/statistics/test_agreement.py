from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, kendalltau

from soundproof.errors import DataError
from soundproof.metrics import Undefined
from soundproof.statistics import kendall_tau, kendall_w


def test_by_hand():
    # rank sums 4, 5, 9 of mean 6: squared deviations 4 + 1 + 9 = 14; W = 12 x 14 / (9 x 24)
    result = kendall_w(np.array([[1, 2, 3], [2, 1, 3], [1, 2, 3]]))
    assert result.w == pytest.approx(12 * 14 / (9 * 24))
    assert result.chi2 == pytest.approx(3 * 2 * result.w)


@given(st.integers(0, 2**32 - 1), st.integers(3, 5), st.integers(3, 7))
def test_agrees_with_friedmans_statistic_under_ties(seed, m, n):
    scores = np.random.default_rng(seed).integers(4, size=(m, n)).astype(float)
    scores[:, 0] += 10
    result = kendall_w(scores, n_permutations=50)
    friedman = friedmanchisquare(*scores.T)
    assert result.w == pytest.approx(friedman.statistic / (m * (n - 1)))
    assert result.p_chi2 == pytest.approx(friedman.pvalue)
    assert 0 <= result.w <= 1 + 1e-12


def test_bounds_agreement_and_perfect_disagreement():
    same = kendall_w(np.array([[1.0, 5, 2, 9]] * 3))
    assert same.w == pytest.approx(1.0)
    assert kendall_w(np.array([[1.0, 2, 3], [3, 2, 1]])).w == pytest.approx(0.0)


def test_ignores_monotone_transforms_and_the_order_of_judges_and_items():
    scores = np.random.default_rng(1).random((4, 6))
    w = kendall_w(scores).w
    assert kendall_w(np.exp(scores)).w == w
    assert kendall_w(scores[::-1, [3, 1, 0, 2, 5, 4]]).w == pytest.approx(w)


def test_permutation_p_agrees_with_the_enumeration_of_all_orders():
    scores = np.array([[1.0, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]])
    observed = kendall_w(scores)
    orders = list(permutations(range(1, 5)))
    others = [
        12 * (np.sum([scores[0], b, c], axis=0) ** 2).sum() / (9 * 60) - 3 * 5 / 3
        for b in orders
        for c in orders
    ]
    exact = np.mean(np.array(others) >= observed.w - 1e-9)
    assert observed.p_permutation == pytest.approx(exact, abs=4.5 * np.sqrt(exact / 9999))
    assert observed == kendall_w(scores)


def test_undefined_and_refused():
    assert isinstance(kendall_w(np.ones((3, 4))), Undefined)
    for bad in (np.ones((1, 4)), np.ones((3, 1)), np.array([[1.0, np.nan], [1, 2]])):
        with pytest.raises(DataError):
            kendall_w(bad)


def test_tau_matrix():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 3, 2, 4], "c": [4.0, 3, 2, 2], "same": [1.0] * 4})
    tau = kendall_tau(table)
    assert tau.loc["a", "b"] == pytest.approx(4 / 6)  # one of six pairs is reversed
    assert tau.loc["a", "c"] == pytest.approx(kendalltau(table["a"], table["c"]).statistic)
    assert tau.loc["a", "a"] == 1 and np.isnan(tau.loc["a", "same"])
