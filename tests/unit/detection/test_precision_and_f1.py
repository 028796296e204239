"""Average precision and the oracle's F1 as measures of detectors: values, rivals, intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score
from toys.study import clips, measurements, results_of

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.core.errors import ConfigError
from soundproof.detection.areas import (
    average_precision,
    average_precision_placements,
    max_f1,
    max_f1_placements,
)
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.areas import joint_interval
from soundproof.statistics.precision_recall import average_precision_chance, best_f1_chance
from soundproof.tables import detection

PLACEMENTS = {"average_precision": average_precision_placements, "max_f1": max_f1_placements}
VALUES = {"average_precision": average_precision, "max_f1": max_f1}


def toy(seed, n_normal=20, n_anomalous=12, shift=1.0):
    rng = np.random.default_rng(seed)
    anomalous = np.arange(n_normal + n_anomalous) >= n_normal
    return rng.normal(size=len(anomalous)) + shift * anomalous, anomalous


def test_by_hand():
    # highest first: anomalous, normal, anomalous, normal; flagging the first three is best
    scores, anomalous = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert max_f1(scores, anomalous) == pytest.approx(2 * 2 / (2 * 2 + 1 + 0))
    assert max_f1(scores, np.zeros(4, bool)) == Undefined("no anomalous clip in the set")
    # without the first clip the other two flagged give precision 1/2 at recall 1; without the third, 1 at 1
    placed = average_precision_placements(scores, anomalous)
    whole = (1 + 2 / 3) / 2
    # classes keep their share: one anomalous clip left stands for two
    without = [2 / 3, 1.0]
    np.testing.assert_allclose(placed.anomalous, [2 * whole - value for value in without])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_placements_carry_the_value_and_average_near_it(seed):
    scores, anomalous = toy(seed)
    thresholds = [f1_score(anomalous, scores >= threshold) for threshold in scores]
    expected = {
        "average_precision": average_precision_score(anomalous, scores),
        "max_f1": max(thresholds),
    }
    for name, value in expected.items():
        placed = PLACEMENTS[name](scores, anomalous)
        assert placed.area == pytest.approx(value) == pytest.approx(VALUES[name](scores, anomalous))
        assert np.isfinite(placed.normal).all() and np.isfinite(placed.anomalous).all()


@pytest.mark.parametrize("name", PLACEMENTS)
def test_intervals_cover_what_other_clips_give_on_average(name):
    n_sets, value_of = 200, VALUES[name]
    truth = np.mean([value_of(*toy(10_000 + seed)) for seed in range(1000)])
    covered = 0
    for seed in range(n_sets):
        placed = PLACEMENTS[name](*toy(seed))
        low, high = joint_interval(placed.area, [[placed]])
        assert 0 <= low <= placed.area <= high <= 1
        covered += low <= truth <= high
    # 4 standard errors below 95 %
    assert covered / n_sets >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / n_sets)


@pytest.fixture
def study():
    rng = np.random.default_rng(2)
    table = clips(8, 4, ("fan", "pump"))
    rows = [
        {"detector": "ae", "seed": seed, "metric": "anomaly_score", "machine": clip.machine}
        | {"clip_id": clip.clip_id, "value": rng.normal(float(clip.label == "anomaly"))}
        for seed in (0, 1)
        for clip in table.itertuples()
    ]
    asked = frozenset({"anomaly_score", "average_precision", "max_f1"})
    return results_of(measurements(rows), clips=table, measures=asked)


def test_a_study_that_asks_for_them_shows_them_with_intervals_and_rivals(study):
    table = detection.build(study)
    row, headers = table.frame.iloc[0], [column.header for column in table.formats]
    for name in VALUES:
        assert 0 <= row[f"{name}_ci_low"] < row[name] < row[f"{name}_ci_high"] <= 1
    assert row["average_precision_chance"] == pytest.approx(average_precision_chance(4, 12))
    assert row["max_f1_chance"] == pytest.approx(best_f1_chance(4, 12))
    assert row["max_f1_flag_all"] == pytest.approx(2 * 4 / (4 + 12))
    assert {"PR-AUC (average precision)", "AP: chance", "Max F1 (oracle threshold)"} <= set(headers)
    assert "best on these very clips, an oracle" in table.caption


def test_a_study_that_does_not_ask_has_the_table_it_had(study):
    silent = results_of(study.measurements, clips=study.clips, measures=frozenset({"anomaly_score"}))
    asked, plain = detection.build(study).frame, detection.build(silent).frame
    assert not [name for name in plain if name.startswith(("average_precision", "max_f1"))]
    pd.testing.assert_frame_equal(asked[list(plain)], plain)


def test_a_study_asks_by_name():
    values = {"name": "toy", "dataset": {"kind": "bench"}, "detectors": {"clip_level": {}}}
    asked = Study(**values, detection={"max_f1": {}, "average_precision": None})
    assert {"max_f1", "average_precision"} <= set(Stages(asked).measures())
    assert not {"max_f1", "average_precision"} & set(Stages(Study(**values)).measures())
    with pytest.raises(ConfigError, match="detection measure 'dcase_score'"):
        Study(**values, detection={"dcase_score": {}})
