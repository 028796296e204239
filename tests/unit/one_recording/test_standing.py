"""Percentile, false-alarm rate and its interval, by hand and against SciPy's own exact interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from soundproof.one_recording.standing import standing


def test_a_score_is_counted_among_those_of_normal_clips():
    """By hand: of 1, 2, 3, 3, 5 two are below 3, and three as high or higher."""
    found = standing(3.0, np.array([3.0, 1.0, 5.0, 2.0, 3.0]))
    assert (found.n_normal, found.n_as_high) == (5, 3)
    assert found.percentile == pytest.approx(40) and found.false_alarm_rate == pytest.approx(0.6)
    assert "2 of 5 normal test clips score lower (percentile 40)" in found.words
    assert "false for 3 of these 5: a false-alarm rate of 60 %" in found.words


@pytest.mark.parametrize(("as_high", "n"), [(0, 6), (3, 60), (60, 60), (1, 1), (17, 40)])
def test_the_interval_is_the_exact_one(as_high, n):
    found = standing(1.0, np.repeat([1.0, 0.0], [as_high, n - as_high]))
    exact = binomtest(as_high, n).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_above_every_normal_clip_the_rate_is_not_nothing_but_unknown_up_to_a_bound():
    """By hand: with none of n, the upper end solves (1 - p) ** n = 0.025."""
    found = standing(9.0, np.zeros(6))
    assert (1 - found.high) ** 6 == pytest.approx(0.025) and found.low == 0
    assert "from 0 to 46 %" in found.words


def test_without_a_normal_clip_nothing_is_said():
    found = standing(1.0, np.empty(0))
    assert all(map(math.isnan, (found.percentile, found.false_alarm_rate, found.low, found.high)))
    assert "nothing says how unusual" in found.words
