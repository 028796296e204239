from itertools import combinations

import numpy as np
import pytest
from scipy.stats import t, ttest_ind, ttest_rel

from soundproof.statistics.trainings import (
    area_difference,
    least_trainings,
    paired_difference,
    training_difference,
)


def test_the_least_number_of_trainings_is_that_of_the_permutation_test():
    def smallest_p(k):
        values = np.arange(2 * k)
        gaps = [abs(values.sum() - 2 * sum(chosen)) for chosen in combinations(values, k)]
        return np.mean(np.array(gaps) >= max(gaps))

    assert [round(smallest_p(k), 3) for k in (2, 3, 4)] == [0.333, 0.1, 0.029]
    assert least_trainings() == 4 and least_trainings(0.01) == 5


def test_where_only_trainings_vary_it_is_welchs_test():
    a, b = np.array([0.3, 0.35, 0.28, 0.4, 0.33]), np.array([0.2, 0.25, 0.27, 0.22, 0.3])
    found = training_difference(np.tile(a, (30, 1)), np.tile(b, (30, 1)), "x", n_resamples=40000)
    welch = ttest_ind(a, b, equal_var=False)
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found.p == pytest.approx(welch.pvalue, rel=0.1)
    interval = welch.confidence_interval()
    np.testing.assert_allclose([found.low, found.high], [interval.low, interval.high], atol=0.02)


def test_where_only_clips_vary_it_is_the_paired_interval():
    rng = np.random.default_rng(0)
    clips = rng.normal(size=(40, 1))
    a, b = np.tile(clips + 0.2, (1, 5)), np.tile(0.5 * clips, (1, 4))
    found = training_difference(a, b, "x", n_resamples=20000)
    half = t.ppf(0.975, 39) * (0.5 * clips).std(ddof=1) / np.sqrt(40)
    np.testing.assert_allclose([found.low, found.high], [found.value - half, found.value + half], atol=0.03)
    assert (found.n_clips, found.n_seeds) == (40, 4)


def test_the_spread_over_trainings_widens_and_two_trainings_have_no_p():
    rng = np.random.default_rng(2)
    clips = rng.normal(size=(50, 1))
    still = training_difference(np.tile(clips + 0.3, (1, 5)), np.tile(clips, (1, 5)))
    shaken = training_difference(clips + 0.3 + np.array([0.4, -0.4, 0.2, -0.3, 0.1]), clips + np.zeros(5))
    assert still.high - still.low < 1e-9 < 0.3 < shaken.high - shaken.low
    two = training_difference(clips + np.array([0.5, 0.6]), clips + np.array([0.0, 0.05]))
    assert np.isnan(two.p) and np.isfinite([two.low, two.high]).all()
    one = training_difference(clips + 1, clips)
    assert np.isnan([one.low, one.high, one.p]).all()
    few = training_difference(clips[:4] + np.zeros(5), clips[:4] + np.ones(5))
    assert np.isnan([few.low, few.p]).all() and few.value == pytest.approx(-1)


def test_areas_share_their_resamples():
    replicates = np.random.default_rng(0).normal(0.8, 0.05, size=(1, 3000))
    a, b = np.tile(replicates + 0.05, (4, 1)), np.tile(replicates, (4, 1))
    found = area_difference((np.full(4, 0.85), np.full(4, 0.8)), (a, b), 100)
    # each side moves by 0.05, their difference not at all
    np.testing.assert_allclose(found[:3], 0.05, atol=1e-9)
    assert found.p == 0.0


def test_paired_p_is_scipys():
    a, b = np.random.default_rng(5).normal([0.3, 0.0], size=(20, 2)).T
    found = paired_difference(a - b, 2, (0.0, 1.0))
    assert found.p == pytest.approx(ttest_rel(a, b).pvalue)
    assert np.isnan(paired_difference(np.ones(4), 2, (0.0, 1.0)).p)
    assert paired_difference(np.zeros(6), 2, (0.0, 0.0)).p == 1.0
