"""Intervals of shares: exact ones against published values, clustered ones by hand and by what they cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from soundproof.statistics.proportions import clustered_interval, exact_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 6), (3, 10), (17, 20), (20, 20), (1, 1)])
def test_the_exact_interval_is_that_of_another_implementation(successes, trials):
    found = exact_interval(successes, trials)
    reference = binomtest(successes, trials).proportion_ci(0.95, "exact")
    assert found == pytest.approx((successes / trials, reference.low, reference.high), abs=1e-12)


def test_no_trial_says_nothing():
    assert np.isnan(exact_interval(0, 0)).all()
    assert np.isnan(clustered_interval(np.array([]), np.array([])).value)


def test_clusters_of_one_trial_are_trials_but_for_student():
    # 6 of 10, each a cluster: variance n / (n - 1) p q / n, so that 9 trials are told
    outcomes = np.array([1.0] * 6 + [0.0] * 4)
    found = clustered_interval(outcomes, np.arange(10))
    assert found == pytest.approx(exact_interval(5.4, 9), abs=1e-12)


def test_clusters_that_answer_alike_count_once():
    # four raters, ten answers each, all alike within a rater: p = 1/2, variance 4/3 (4 * 5^2) / 40^2 = 1/12
    outcomes, raters = np.repeat([1.0, 0.0, 1.0, 0.0], 10), np.repeat(np.arange(4), 10)
    found = clustered_interval(outcomes, raters)
    # worth 3 trials, times the squared ratio of Student's quantiles of 39 and 3 degrees: 2.0227 and 3.1824
    assert found == pytest.approx(exact_interval(0.5 * 1.2119, 1.2119), abs=1e-3)
    assert found.low < 0.02 and found.high > 0.98


def test_two_kinds_of_clusters_add_up():
    # a grid of 3 raters and 4 items in which items alone decide: the variance is that over items
    by_item = np.tile([1.0, 1.0, 1.0, 0.0], 3)
    raters, items = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3)
    both, of_items = clustered_interval(by_item, raters, items), clustered_interval(by_item, items)
    assert both.value == of_items.value == 0.75
    # but the fewest clusters are the three raters
    assert both.low < of_items.low and both.high > of_items.high
    independent = exact_interval(9, 12)
    assert of_items.low < independent.low and of_items.high > independent.high


def test_labels_may_be_of_any_kind_and_order():
    rng = np.random.default_rng(0)
    outcomes, raters = rng.integers(0, 2, 60).astype(float), np.repeat(["z", "a", "m", "b"], 15)
    order = rng.permutation(60)
    assert clustered_interval(outcomes, raters) == pytest.approx(
        clustered_interval(outcomes[order], raters[order])
    )


def test_all_alike_is_as_sure_as_the_fewest_clusters():
    raters, items = np.repeat(np.arange(20), 6), np.tile(np.arange(6), 20)
    assert clustered_interval(np.ones(120), raters, items) == exact_interval(6, 6)
    assert clustered_interval(np.zeros(120), raters) == exact_interval(0, 20)


def test_one_cluster_says_nothing_of_others():
    found = clustered_interval(np.array([1.0, 0.0, 1.0]), np.zeros(3))
    assert found.value == pytest.approx(2 / 3) and np.isnan(found.low) and np.isnan(found.high)


def grid(
    rng: np.random.Generator, n_raters: int, n_items: int, of_raters: float, of_items: float
) -> np.ndarray:
    """Answers [n_raters, n_items], right with a probability of 0.7, give or take what both differ by."""
    chance = 0.7 + of_raters * rng.uniform(-1, 1, n_raters)[:, None] + of_items * rng.uniform(-1, 1, n_items)
    return (rng.random((n_raters, n_items)) < chance).astype(float)


@pytest.mark.parametrize(
    ("n_raters", "n_items", "of_raters", "of_items"),
    [(20, 12, 0.15, 0.15), (6, 30, 0.3, 0.0), (30, 6, 0.0, 0.3), (8, 8, 0.15, 0.15), (15, 4, 0.1, 0.2)],
)
def test_intervals_cover_what_they_say_where_independence_does_not(n_raters, n_items, of_raters, of_items):
    rng = np.random.default_rng(14)
    raters, items = np.repeat(np.arange(n_raters), n_items), np.tile(np.arange(n_items), n_raters)
    n_runs, hits, naive = 400, 0, 0
    for _ in range(n_runs):
        outcomes = grid(rng, n_raters, n_items, of_raters, of_items).ravel()
        low, high = clustered_interval(outcomes, raters, items)[1:]
        hits += low <= 0.7 <= high
        low, high = exact_interval(outcomes.sum(), outcomes.size)[1:]
        naive += low <= 0.7 <= high
    # a binomial count of 400 at 95 % stays above 367 but once in a thousand
    assert hits >= 367
    if max(of_raters, of_items) >= 0.3:
        assert naive < 350
