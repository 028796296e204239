import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr, ttest_1samp

from soundproof.core.errors import DataError
from soundproof.statistics import fisher_z_mean, spearman_limit


def test_by_hand():
    # tanh of z = 0, ln 2 is 0, 0.6; mean z = ln(2) / 2 is tanh^-1(1/3)
    result = fisher_z_mean(np.array([0.0, 0.6]))
    assert result.value == pytest.approx(1 / 3)
    assert (result.n, result.n_clipped) == (2, 0)


def test_interval_is_students_on_the_z_scale():
    rho = np.random.default_rng(0).uniform(-0.2, 0.9, size=25)
    interval = ttest_1samp(np.arctanh(rho), 0).confidence_interval(0.9)
    result = fisher_z_mean(rho, level=0.9)
    np.testing.assert_allclose([result.low, result.high], np.tanh([interval.low, interval.high]))


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=12), st.sampled_from([0.95, 0.999999]))
def test_lies_in_bounds_and_mirrors_with_the_sign(values, limit):
    rho = np.array(values)
    result, mirrored = fisher_z_mean(rho, limit), fisher_z_mean(-rho, limit)
    clipped = np.clip(rho, -limit, limit)
    assert clipped.min() - 1e-9 <= result.value <= clipped.max() + 1e-9
    assert -1 <= result.low <= result.value + 1e-12 and result.value - 1e-12 <= result.high <= 1
    assert mirrored.value == pytest.approx(-result.value)
    assert (mirrored.low, mirrored.high) == pytest.approx((-result.high, -result.low))


def test_perfect_correlations_are_clipped_and_counted():
    rho = np.array([1.0, -1.0, 1.0, 0.2])
    result = fisher_z_mean(rho, spearman_limit(5))
    assert result.n_clipped == 3
    assert result.value == pytest.approx(np.tanh((np.arctanh(0.95) + np.arctanh(0.2)) / 4))


def test_spearman_limit_lies_half_way_to_the_next_attainable_value():
    for n in (3, 5, 10):
        order = np.arange(n)
        swapped = order.copy()
        swapped[[0, 1]] = swapped[[1, 0]]
        assert spearman_limit(n) == pytest.approx((1 + spearmanr(order, swapped).statistic) / 2)
    with pytest.raises(DataError):
        spearman_limit(2)


def test_one_coefficient_has_no_interval_and_unusable_ones_are_refused():
    single = fisher_z_mean(np.array([0.5]))
    assert single.value == pytest.approx(0.5) and np.isnan([single.low, single.high]).all()
    for bad, limit in (([], 0.9), ([1.1], 0.9), ([np.nan], 0.9), ([0.5], 1.0)):
        with pytest.raises(DataError):
            fisher_z_mean(np.array(bad), limit)
