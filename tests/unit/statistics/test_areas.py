import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from soundproof.detection.areas import MAX_FPR, area_placements
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.areas import (
    auc_placements,
    joint_interval,
    most_effective,
    partial_placements,
    score_interval,
)
from soundproof.statistics.paired_areas import paired_areas


def toy(seed, n=24, levels=9):
    rng = np.random.default_rng(seed)
    anomalous = np.arange(n) % 3 == 0
    return rng.integers(levels, size=n) + 2.0 * anomalous, anomalous


def test_delong_by_hand():
    # normal 1, 2, 3; anomalous 2, 2.5, 4: they are above 1.5 (one tie), 2 and 3 of three
    placed = auc_placements(
        np.array([1, 2, 3, 2, 2.5, 4.0]), np.array([False, False, False, True, True, True])
    )
    np.testing.assert_allclose(placed.anomalous, [1.5 / 3, 2 / 3, 3 / 3])
    np.testing.assert_allclose(placed.normal, [3 / 3, 2.5 / 3, 1 / 3])
    assert placed.area == pytest.approx(6.5 / 9)
    # 18ths: 9, 12, 18 and 18, 15, 6, both around 13; sums of squares 42 and 78, over 2 and 3
    machines = [[placed._replace(normal=np.tile(placed.normal, 2), anomalous=np.tile(placed.anomalous, 2))]]
    variance = 2 * (42 + 78) / 18**2 / 5 / 6
    assert joint_interval(placed.area, machines) == pytest.approx(
        score_interval(6.5 / 9, variance, most_effective(6, 6))
    )


@given(st.integers(0, 2**32 - 1))
def test_areas_are_those_of_scikit_learn_and_placements_average_to_them(seed):
    scores, anomalous = toy(seed)
    areas = area_placements(scores, anomalous)
    assert areas["auc"].area == pytest.approx(roc_auc_score(anomalous, scores))
    assert areas["pauc"].area == pytest.approx(roc_auc_score(anomalous, scores, max_fpr=MAX_FPR))
    for part in areas["auc"][1:]:
        assert part.mean() == pytest.approx(areas["auc"].area)


@given(st.integers(0, 2**32 - 1))
def test_the_jackknife_of_the_whole_area_gives_delongs_placements(seed):
    scores, anomalous = toy(seed)
    ours, jackknife = auc_placements(scores, anomalous), partial_placements(scores, anomalous, 1.0)
    for a, b in zip(ours, jackknife, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_the_variance_is_what_a_joint_bootstrap_tends_to():
    rng = np.random.default_rng(1)
    anomalous = np.arange(300) < 150
    runs, replicates = [], []
    for machine in range(2):
        shared = rng.normal(size=300) + 0.8 * anomalous
        trainings = np.stack([shared + 0.5 * rng.normal(size=300) for _ in range(2)])
        runs.append([auc_placements(scores, anomalous) for scores in trainings])
        replicates.append(paired_areas(trainings[np.newaxis], anomalous, machine)[1][0])
    value = float(np.mean([[run.area for run in trainings] for trainings in runs]))
    low, high = joint_interval(value, runs)
    spread = np.mean(replicates, axis=0).std()
    assert high - low == pytest.approx(2 * 1.96 * spread, rel=0.08)


def test_perfect_separation_has_an_interval_and_more_clips_narrow_it():
    lows = []
    for n in (5, 12, 60):
        anomalous = np.arange(2 * n) >= n
        placed = auc_placements(np.arange(2.0 * n), anomalous)
        low, high = joint_interval(placed.area, [[placed]])
        assert high == pytest.approx(1.0)
        lows.append(low)
    assert 0.5 < lows[0] < lows[1] < lows[2] < 0.97


def test_copies_of_a_training_do_not_narrow_and_further_machines_do():
    scores, anomalous = toy(4)
    placed = auc_placements(scores, anomalous)
    one = joint_interval(placed.area, [[placed]])
    assert joint_interval(placed.area, [[placed] * 5]) == pytest.approx(one)
    four = joint_interval(placed.area, [[placed]] * 4)
    assert four[1] - four[0] < 0.6 * (one[1] - one[0])


@given(st.floats(0, 1), st.floats(0, 0.2), st.floats(2, 500), st.floats(0.5, 0.95))
def test_score_intervals_stay_within_bounds_hold_the_value_and_widen(value, variance, most, level):
    low, high = score_interval(value, variance, most, level)
    wider = score_interval(value, variance, most, 0.99)
    assert 0 <= wider[0] <= low + 1e-9 <= value + 2e-9
    assert value - 2e-9 <= high - 1e-9 <= wider[1] <= 1


def test_few_clips_have_none():
    assert np.isnan(joint_interval(0.5, [[auc_placements(np.arange(8.0), np.arange(8) % 2 == 0)]])).all()
    single = partial_placements(np.arange(9.0), np.arange(9) == 8, 0.1)
    assert np.isnan(single.anomalous).all()
    assert np.isnan(joint_interval(1.0, [[single]])).all()


def test_partial_areas_are_intervals_of_the_mean_detection_rate():
    # the only false alarm above an anomalous clip is one of 20 normal clips, 0.05 of the rates up to 0.1
    scores, anomalous = np.append(np.arange(20.0), np.arange(20) + 18.5), np.arange(40) >= 20
    placed = partial_placements(scores, anomalous, 0.1)
    rate = (0.05 * 19 / 20 + 0.05) / 0.1
    assert placed.area == pytest.approx(0.5 * (1 + (rate * 0.1 - 0.005) / (0.1 - 0.005)))
    assert joint_interval(1.0, [[partial_placements(np.arange(40.0), anomalous, 0.1)]], 0.1)[
        1
    ] == pytest.approx(1)
    low, high = joint_interval(placed.area, [[placed]], 0.1)
    assert 0.4 < low < placed.area < high <= 1


@pytest.mark.parametrize(("anomalous", "missing"), [(False, "anomalous"), (True, "normal")])
def test_one_class_is_undefined(anomalous, missing):
    areas = area_placements(np.arange(3.0), np.full(3, anomalous))
    assert areas == Undefined(f"no {missing} clip in the set")
