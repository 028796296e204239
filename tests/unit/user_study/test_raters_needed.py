"""Parts of variance by hand and by simulation, and the number of raters that finds an effect."""

from __future__ import annotations

import numpy as np
import pytest

from soundproof.statistics.proportions import clustered_interval
from soundproof.user_study.power import MIN_RATERS, Shares, raters_needed, shares_of_variance


def test_parts_of_variance_by_hand():
    # MS_raters = 3 * 2 * (1/3)^2 / 1 = 2/3, MS_items = 2 * (1/4 + 0 + 1/4) / 2 = 1/2, rest: 1/6 + ... by cells
    correct = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    mean, by_rater, by_item = correct.mean(), correct.mean(axis=1), correct.mean(axis=0)
    rest = sum((correct[r, i] - by_rater[r] - by_item[i] + mean) ** 2 for r in range(2) for i in range(3)) / 2
    of_raters, of_items = 3 * 2 * (1 / 3) ** 2, 2 * ((1 / 3) ** 2 + 2 * (1 / 6) ** 2) / 2
    raters, items = (of_raters - rest) / 3, max(0.0, (of_items - rest) / 2)
    found = shares_of_variance(correct)
    assert found.raters == pytest.approx(raters / (raters + items + rest))
    assert found.items == pytest.approx(items / (raters + items + rest))


def test_raters_alone_items_alone_nothing():
    alike = np.repeat([[1.0], [0.0], [1.0], [0.0]], 6, axis=1)
    assert shares_of_variance(alike) == Shares(1.0, 0.0)
    assert shares_of_variance(alike.T) == Shares(0.0, 1.0)
    assert shares_of_variance(np.ones((3, 4))) == Shares(0.0, 0.0)


def test_parts_of_variance_are_recovered():
    rng = np.random.default_rng(5)
    chance = 0.6 + 0.2 * rng.uniform(-1, 1, 400)[:, None] + 0.15 * rng.uniform(-1, 1, 300)
    found = shares_of_variance((rng.random(chance.shape) < chance).astype(float))
    total = 0.6 * 0.4
    assert found.raters == pytest.approx(0.2**2 / 3 / total, rel=0.1)
    assert found.items == pytest.approx(0.15**2 / 3 / total, rel=0.15)


def test_independent_answers_need_what_the_textbook_says():
    # (1.95996 + 0.84162)^2 * 0.6 * 0.4 / 0.1^2 = 188.4 answers
    assert raters_needed(0.6, 1, Shares(0, 0)) == 189
    assert raters_needed(0.6, 10, Shares(0, 0)) == 19
    assert raters_needed(0.95, 50, Shares(0, 0)) == MIN_RATERS


def test_few_questions_do_not_suffice_for_questions_like_these():
    shares = Shares(0.0, 0.2)
    assert raters_needed(0.6, 4, shares) is None
    assert raters_needed(0.6, 4, shares, same_items=True) == 38
    assert raters_needed(0.6, 400, shares) is not None


def test_more_effect_takes_fewer_raters_and_more_difference_takes_more():
    counts = [raters_needed(effect, 12, Shares(0.05, 0.05)) for effect in (0.65, 0.7, 0.8, 0.9)]
    assert None not in counts and counts == sorted(counts, reverse=True)
    assert raters_needed(0.7, 12, Shares(0.3, 0.0)) > raters_needed(0.7, 12, Shares(0.0, 0.0))


def test_so_many_raters_find_the_effect_as_often_as_was_said():
    # raters 0.6 +- 0.12, questions +- 0.05: their shares of 0.24 are 0.02 and 0.0035
    shares = Shares(0.12**2 / 3 / 0.24, 0.05**2 / 3 / 0.24)
    n_items = 16
    n_raters = raters_needed(0.6, n_items, shares)
    assert n_raters is not None
    rng = np.random.default_rng(8)
    raters, items = np.repeat(np.arange(n_raters), n_items), np.tile(np.arange(n_items), n_raters)
    n_runs, found = 400, 0
    for _ in range(n_runs):
        chance = 0.6 + 0.12 * rng.uniform(-1, 1, n_raters)[:, None] + 0.05 * rng.uniform(-1, 1, n_items)
        outcomes = (rng.random(chance.shape) < chance).astype(float).ravel()
        found += clustered_interval(outcomes, raters, items).low > 0.5
    # the interval is wider than the formula's normal quantiles, by Student and by whole clusters
    assert 0.6 <= found / n_runs <= 0.9
