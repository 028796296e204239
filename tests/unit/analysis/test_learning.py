import math

import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis.learning import gain, learning_warnings, stopped_at_once
from soundproof.tables.detection import build


def history(losses, trivial=None):
    lowest = min(losses)
    frame = pd.DataFrame(
        {
            "epoch": range(1, len(losses) + 1),
            "train_loss": losses,
            "validation_loss": losses,
            "learning_rate": 1e-3,
            "best": [loss == lowest for loss in losses],
        }
    )
    return frame if trivial is None else frame.assign(trivial_loss=trivial)


@pytest.mark.parametrize(
    ("losses", "trivial", "expected"),
    [([3.0, 1.0, 2.0], 4.0, 0.75), ([5.0, 4.0], 4.0, 0.0), ([6.0], 4.0, -0.5)],
)
def test_the_gain_is_the_part_of_the_trivial_loss_that_went_away(losses, trivial, expected):
    assert gain(history(losses, trivial)) == pytest.approx(expected)


def test_without_a_trivial_answer_there_is_no_gain():
    assert math.isnan(gain(history([1.0])))
    assert math.isnan(gain(history([1.0], float("nan"))))
    assert math.isnan(gain(history([1.0], 0.0)))  # clips that are the mean of each band


def test_one_epoch_alone_is_not_stopped_at_once():
    assert not stopped_at_once(history([1.0]))
    assert stopped_at_once(history([1.0, 2.0]))
    assert not stopped_at_once(history([2.0, 1.0]))


def warnings_of(**histories):
    keyed = {(label, seed): frame for label, frames in histories.items() for seed, frame in enumerate(frames)}
    return learning_warnings(results_of(measurements([]), histories=keyed))


def test_a_detector_that_is_no_better_than_the_mean_is_named_with_its_figures():
    (warning,) = warnings_of(ae=[history([1.0, 0.99], 1.0), history([0.9, 0.3], 1.0)])
    assert warning.startswith(
        "AE (Skip-CAE-Transformer) learnt nothing about single clips (1 of 2 trainings)"
    )
    assert "loss 0.99, of the means 1" in warning


@pytest.mark.parametrize("losses", [[1.0, 0.96], [1.0, 1.2], [2.0, 1.5]])
def test_learning_next_to_nothing_counts_as_nothing(losses):
    assert "learnt nothing" in warnings_of(ae=[history(losses, 1.0)])[0]


def test_the_first_epoch_as_the_best_is_told_of_any_detector():
    (warning,) = warnings_of(one_class_svm=[history([0.5, 0.6])])
    assert "One-Class SVM are those of the first epoch (1 of 1 training)" in warning
    # whoever learnt nothing is told that, and not this as well
    (warning,) = warnings_of(ae=[history([1.0, 2.0], 1.0)])
    assert "learnt nothing" in warning


def test_detectors_that_learnt_are_not_warned_of():
    assert warnings_of(ae=[history([1.0, 0.5], 1.0)], mae=[history([2.0, 1.0])]) == ()


def test_parts_are_named_where_each_has_its_own_model():
    first, second = warnings_of(**{"ae (fan)": [history([1.0], 1.0)], "ae (pump)": [history([1.0], 1.0)]})
    assert first.startswith("ae (fan) learnt nothing")
    assert second.startswith("ae (pump) learnt nothing")


def test_the_table_of_detection_says_so():
    rows = [
        {
            "detector": "ae",
            "metric": "anomaly_score",
            "machine": "fan",
            "clip_id": clip,
            "value": float(index),
        }
        for index, clip in enumerate(clips()["clip_id"])
    ]
    table = build(results_of(measurements(rows), histories={("ae", 0): history([1.0, 0.99], 1.0)}))
    assert any("learnt nothing" in warning for warning in table.warnings)
