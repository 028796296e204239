from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import spearmanr

from soundproof.core.errors import DataError
from soundproof.statistics import rank_null
from soundproof.statistics.rank_null import spearman_null


def brute_force(n_items: int) -> np.ndarray:
    orders = np.array(list(permutations(range(n_items))))
    distances = ((orders - np.arange(n_items)) ** 2).sum(axis=1)
    return 1 - 6 * distances / (n_items**3 - n_items)


@pytest.mark.parametrize("n_items", [2, 3, 4, 5, 6, 7, 8])
def test_counts_are_those_of_all_orders(n_items):
    rho, null = brute_force(n_items), spearman_null(n_items)
    assert null.exact
    counted = [np.isclose(rho, value).mean() for value in null.rho]
    np.testing.assert_allclose(null.probabilities, counted, atol=1e-15)


def test_three_items_by_hand():
    # orders 123, 132, 213, 231, 312, 321: rho 1, 1/2, 1/2, -1/2, -1/2, -1
    null = spearman_null(3)
    held = null.probabilities > 0
    np.testing.assert_allclose(null.rho[held], [-1, -0.5, 0.5, 1])
    np.testing.assert_allclose(null.probabilities[held], [1 / 6, 1 / 3, 1 / 3, 1 / 6])
    assert null.p_value(0.5) == pytest.approx(1 / 2)
    assert null.p_value(1.0) == pytest.approx(1 / 6)
    assert null.p_value(-1.0) == pytest.approx(1)
    assert (null.quantile(0.5), null.quantile(0.51), null.quantile(0.9)) == (-0.5, 0.5, 1.0)


def test_the_mean_of_clips_is_that_of_all_pairs_and_triples_of_orders():
    rho, null = brute_force(4), spearman_null(4)
    for n_clips in (2, 3):
        means = np.array([np.mean(chosen) for chosen in product(rho, repeat=n_clips)])
        for observed in np.unique(means.round(9))[::3]:
            expected = (means >= observed - 1e-9).mean()
            assert null.p_value_of_mean(observed, n_clips) == pytest.approx(expected)
        assert null.quantile_of_mean(0.5, n_clips) == pytest.approx(np.sort(means)[means.size // 2 - 1])


def test_p_agrees_with_scipys_permutation_test():
    from scipy.stats import permutation_test

    x, y = np.array([3.0, 1, 4, 2, 5, 6]), np.array([2.0, 1, 5, 3, 4, 6])
    exact = permutation_test(
        (x,),
        lambda values: spearmanr(values, y).statistic,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=np.inf,
    )
    assert spearman_null(6).p_value(exact.statistic) == pytest.approx(exact.pvalue)


def test_more_items_are_sampled_and_close_to_the_exact_answer(monkeypatch):
    exact = spearman_null(9)
    monkeypatch.setattr(rank_null, "EXACT_UP_TO", 8)
    sampled = spearman_null.__wrapped__(9)
    assert (exact.exact, sampled.exact) == (True, False)
    np.testing.assert_allclose(sampled.probabilities.cumsum(), exact.probabilities.cumsum(), atol=5e-3)
    again = spearman_null.__wrapped__(9)
    np.testing.assert_array_equal(sampled.probabilities, again.probabilities)


def test_many_clips_are_normal(monkeypatch):
    null = spearman_null(10)
    exact = null.p_value_of_mean(0.08, 100), null.quantile_of_mean(0.975, 100)
    monkeypatch.setattr(rank_null, "_EXACT_SUM", 0)
    normal = null.p_value_of_mean(0.08, 100), null.quantile_of_mean(0.975, 100)
    np.testing.assert_allclose(normal, exact, rtol=0.02)


def test_one_item_has_no_order():
    with pytest.raises(DataError, match="at least two"):
        spearman_null(1)


def test_the_fisher_mean_by_chance():
    null = spearman_null(4)
    assert null.quantile_of_fisher_mean(0.999, 1) == pytest.approx(1 - 6 / 60)
    # 50 clips: nearly normal with the standard deviation of z over all orders
    z = np.arctanh(np.clip(brute_force(4), -0.9, 0.9))
    expected = np.tanh(1.96 * z.std() / np.sqrt(50))
    assert null.quantile_of_fisher_mean(0.975, 50) == pytest.approx(expected, rel=0.04)
