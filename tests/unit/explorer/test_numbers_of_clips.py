"""Numbers of single clips: those of the training that is shown, with chance of the same clip."""

from __future__ import annotations

import numpy as np
from toys.study import measurements, results_of

from soundproof.explorer.numbers import numbers_of

FAULTY, NORMAL = "fan_030", "fan_000"


def rows() -> list[dict[str, object]]:
    one = {"detector": "ae", "machine": "fan", "clip_id": FAULTY}
    cells = one | {"metric": "cell_auroc", "explainer": "saliency"}
    ff = one | {"metric": "ff_frame", "explainer": "saliency", "parameter": 98.0}
    return [
        one | {"metric": "anomaly_score", "value": 3.0},
        one | {"metric": "anomaly_score", "value": 9.0, "seed": 1},
        one | {"metric": "anomaly_score", "value": 1.0, "clip_id": NORMAL},
        one | {"metric": "anomaly_score", "value": 2.0, "clip_id": "fan_001"},
        cells | {"value": 0.75},
        cells | {"value": 0.1, "seed": 1},
        cells | {"value": 0.45, "protocol": "chance_uniform"},
        ff | {"value": 0.4, "protocol": "corrected"},
        ff | {"value": 0.2, "protocol": "chance_uniform_unclipped", "explainer": "uniform_frames"},
    ]


def test_a_clip_has_the_numbers_of_the_training_that_is_shown() -> None:
    found = numbers_of(results_of(measurements(rows())), [("ae", 0)])
    assert found.scores[FAULTY] == {"ae": 3.0}
    of_clip = found.explanations[FAULTY]["ae", "saliency"]
    assert (of_clip["cell_auroc"].value, of_clip["cell_auroc"].chance) == (0.75, 0.45)
    assert "cell_auroc" in {measure.name for measure in found.measures}
    other = numbers_of(results_of(measurements(rows())), [("ae", 1)])
    assert other.explanations[FAULTY]["ae", "saliency"]["cell_auroc"].value == 0.1
    # no chance was measured in that training: the level that is known beforehand
    assert other.explanations[FAULTY]["ae", "saliency"]["cell_auroc"].chance == 0.5


def test_normal_scores_are_those_of_normal_clips_of_the_machine() -> None:
    found = numbers_of(results_of(measurements(rows())), [("ae", 0)])
    assert {key: np.sort(scores).tolist() for key, scores in found.normals.items()} == {
        ("ae", "fan"): [1.0, 2.0]
    }


def test_a_study_that_measured_nothing_but_scores_has_no_numbers() -> None:
    found = numbers_of(results_of(measurements(rows()[:4])), [("ae", 0)])
    assert found.measures == () and not found.explanations


def test_measures_are_those_of_which_a_clip_has_a_value(full) -> None:
    found = numbers_of(full, [("ae", 0), ("mae", 0)])
    names = {measure.name for measure in found.measures}
    assert {"cell_auroc", "frame_auroc"} <= names
    directions = {measure.name: measure.higher_is_better for measure in found.measures}
    assert not all(directions.values()) and directions["cell_auroc"]
    for of_clip in found.explanations.values():
        assert {detector for detector, _ in of_clip} <= {"ae", "mae"}
