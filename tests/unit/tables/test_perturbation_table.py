"""The mechanism of input perturbation, by hand."""

import pytest
from toys.study import clips, measurements, results_of

from soundproof.tables import perturbation

SCORES = {
    # clip: before and after the step; normal clips fall by 2 and 1, anomalous ones by 1.5 and 0
    "fan_000": (3.0, 1.0),
    "fan_001": (1.0, 0.0),
    "fan_002": (2.0, 0.5),
    "fan_003": (4.0, 4.0),
}


def study(scores=SCORES, steps=(0.0, 0.01)):
    rows = [
        {"detector": "odin", "metric": "perturbed_score", "machine": "fan", "clip_id": clip_id}
        | {"parameter": step, "value": value}
        for clip_id, values in scores.items()
        for step, value in zip(steps, values, strict=True)
    ]
    return results_of(measurements(rows), clips=clips(2, 2), detector_titles={"odin": "ODIN"})


def test_changes_and_areas_by_hand():
    frame = perturbation.build(study()).frame.set_index("step")
    assert frame.loc[0.01, ["of_normal", "of_anomalous"]].tolist() == pytest.approx([-1.5, -0.75])
    # changes -2, -1 of normal clips and -1.5, 0 of anomalous ones: three of four pairs in order
    assert frame.loc[0.01, "auc_of_change"] == pytest.approx(0.75)
    # before: 3, 1 against 2, 4: three of four; after: 1, 0 against 0.5, 4: three of four
    assert frame["auc"].tolist() == pytest.approx([0.75, 0.75])
    assert frame.loc[0.01, "gain"] == pytest.approx(0)
    assert frame["oracle"].tolist() == ["best here", ""]
    assert frame["detector_title"].tolist() == ["ODIN", "ODIN"]


def test_an_interval_holds_its_area_and_none_is_said_of_no_step():
    found = perturbation.build(study()).frame.set_index("step")
    assert found.loc[0.01, "auc_of_change_low"] <= 0.75 <= found.loc[0.01, "auc_of_change_high"]
    assert found.loc[0.0, ["auc_of_change_low", "gain_low"]].isna().all()


def test_without_a_step_of_nothing_there_is_no_change():
    found = perturbation.build(study(steps=(0.005, 0.01)))
    assert "Not available" in found.caption


def test_a_machine_without_both_classes_is_left_out():
    found = perturbation.build(study({name: values for name, values in SCORES.items() if name < "fan_002"}))
    assert "Not available" in found.caption
