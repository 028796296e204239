import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm, t

from soundproof.core.errors import DataError
from soundproof.statistics import bootstrap_interval, mean_with_spread


def test_agrees_with_scipy():
    values = np.random.default_rng(0).gamma(2.0, size=60)
    for statistic in (np.mean, np.std):
        ours = bootstrap_interval(values, "toy", statistic=statistic, n_resamples=20000, widened=False)
        theirs = bootstrap(
            (values,), statistic, method="BCa", rng=np.random.default_rng(1), n_resamples=20000
        )
        assert ours.value == statistic(values)
        interval = theirs.confidence_interval
        np.testing.assert_allclose(ours[1:], [interval.low, interval.high], atol=0.015)


def test_widened_percentiles_are_those_of_student():
    # symmetric values have no bias and no acceleration; what is left are Student's tails and n / (n - 1)
    values = norm.ppf((np.arange(8) + 0.5) / 8)
    ours = bootstrap_interval(values, "toy", n_resamples=40000)
    half = t.ppf(0.975, 7) * values.std(ddof=1) / np.sqrt(8)
    np.testing.assert_allclose(ours[1:], [-half, half], rtol=0.04)
    assert bootstrap_interval(values, "toy", widened=False).high < 0.85 * half


@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=20), st.floats(0.5, 0.95))
def test_lies_within_the_values_and_widens_with_the_level(values, level):
    narrow, wide = (bootstrap_interval(np.array(values), n_resamples=200, level=p) for p in (level, 0.99))
    assert min(values) - 1e-9 <= wide.low <= narrow.low <= narrow.high <= wide.high <= max(values) + 1e-9


def test_draws_depend_on_names():
    values = np.random.default_rng(0).random(30)
    assert bootstrap_interval(values, "a", 1) == bootstrap_interval(values, "a", 1)
    assert bootstrap_interval(values, "a", 1) != bootstrap_interval(values, "a", 2)


def test_fewer_than_five_values_have_no_interval_and_unusable_values_are_refused():
    value, low, high = bootstrap_interval(np.array([2.0, 2.0, 1.0, 3.0]))
    assert value == 2.0 and np.isnan([low, high]).all()
    assert np.isfinite(bootstrap_interval(np.array([2.0, 2.0, 1.0, 3.0, 2.0]))).all()
    for bad in ([], [1.0, np.nan]):
        with pytest.raises(DataError):
            bootstrap_interval(np.array(bad))


def long(table):
    """[n_clips, n_seeds] as rows; NaN cells are absent."""
    frame = pd.DataFrame(table).rename_axis("clip").reset_index().melt("clip", var_name="seed").dropna()
    return frame.assign(clip_id="clip" + frame["clip"].astype(str)).drop(columns="clip")


def test_mean_and_spread_by_hand():
    spread = mean_with_spread(long([[0.0, 1.0], [2.0, 5.0]]), "toy")
    # seeds have means 1 and 3
    assert spread.mean == 2.0
    assert spread.sd == pytest.approx(np.sqrt(2))
    assert np.isnan([spread.ci_low, spread.ci_high]).all()
    assert (spread.n_clips, spread.n_seeds) == (2, 2)


def test_copies_of_a_seed_do_not_narrow_the_interval():
    values = np.random.default_rng(3).random((40, 1))
    one, five = mean_with_spread(long(values)), mean_with_spread(long(np.repeat(values, 5, axis=1)))
    np.testing.assert_allclose(five[2:4], one[2:4], rtol=1e-12)
    assert np.isnan(one.sd) and five.sd == pytest.approx(0, abs=1e-12)


def test_interval_of_one_seed_agrees_with_the_plain_bootstrap():
    values = np.random.default_rng(4).random(50)
    np.testing.assert_allclose(
        mean_with_spread(long(values[:, np.newaxis]))[2:4], bootstrap_interval(values)[1:], atol=0.02
    )


def test_row_order_does_not_matter_and_absent_clips_weigh_nothing():
    frame = long([[0.0, 1.0], [2.0, np.nan], [4.0, 3.0], [2.0, np.nan], [2.0, 2.0]])
    assert mean_with_spread(frame) == mean_with_spread(frame[::-1])
    assert mean_with_spread(frame).mean == 2.0


def test_values_of_whole_sets_have_a_spread_over_seeds_only():
    frame = pd.DataFrame({"value": [0.4, 0.6], "clip_id": [None, None], "seed": [0, 1]})
    spread = mean_with_spread(frame)
    assert spread.mean == 0.5 and spread.sd == pytest.approx(np.sqrt(0.02)) and spread.n_clips == 0
    assert np.isnan([spread.ci_low, spread.ci_high]).all()


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"value": [], "clip_id": [], "seed": []}, "no row"),
        ({"value": [np.nan], "clip_id": ["a"], "seed": [0]}, "not finite"),
        ({"value": [1.0, 1.0], "clip_id": ["a", None], "seed": [0, 0]}, "set-level"),
        ({"value": [1.0, 2.0], "clip_id": ["a", "a"], "seed": [0, 0]}, "twice"),
    ],
)
def test_frames_of_several_metrics_or_undefined_values_are_refused(columns, found):
    with pytest.raises(DataError, match=found):
        mean_with_spread(pd.DataFrame(columns))
