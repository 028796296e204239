from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from toys.study import clips, measurements, results_of

from soundproof.analysis.joint_areas import joint_areas
from soundproof.analysis.rivals import NO_SOUND, level_with, rivals
from soundproof.tables import detection, detection_by_type

KINDS = {"ae": "skip_cae_transformer", "mae": "skip_cae_transformer", "gaussian": "gaussian"}
KINDS |= {"clip_level": "clip_level", "svm": "one_class_svm", "level": "level"}
N = 20
NOISE = np.random.default_rng(3).normal(size=2 * N)
TRUTH = np.arange(2 * N) >= N


def study(explained=("ae",), machines=("fan",), n=N, kinds=KINDS, **strength):
    """Detectors whose scores separate the classes by ``strength`` standard deviations of shared noise."""
    table = clips(n, n, machines)
    rows = []
    for detector, shift in strength.items():
        for machine in machines:
            values = NOISE[: 2 * n] + shift * (np.arange(2 * n) >= n)
            rows += [
                {"detector": detector, "machine": machine, "metric": "anomaly_score", "value": value}
                | {"clip_id": f"{machine}_{index:03d}"}
                for index, value in enumerate(values)
            ]
    rows += [
        {"detector": label, "explainer": "error_map", "metric": "deletion_auc", "value": 0.4}
        | {"clip_id": f"fan_{n:03d}"}
        for label in explained
    ]
    return results_of(measurements(rows), clips=table, detector_kinds=kinds, detector_titles={})


def test_the_joint_area_is_the_mean_over_machines_and_pairs_the_detectors():
    results = study(machines=("fan", "pump"), ae=1.0, svm=1.0, gaussian=2.0)
    areas = joint_areas(results)
    assert areas["ae"].value == pytest.approx(roc_auc_score(TRUTH, NOISE + TRUTH))
    assert np.array_equal(areas["ae"].replicates, areas["svm"].replicates)
    assert (areas["ae"].n_machines, areas["ae"].n_normal, areas["ae"].n_anomalous) == (2, 2 * N, 2 * N)
    low, high = areas["ae"].interval
    assert low < areas["ae"].value < high
    # two machines with independent draws: narrower than one
    (alone_low, alone_high) = joint_areas(study(ae=1.0))["ae"].interval
    assert high - low < alone_high - alone_low


def test_a_baseline_that_wins_is_said_first_in_words():
    results = study(ae=0.5, gaussian=3.0)
    table = detection.build(results)
    row = table.frame.set_index("detector").loc["ae"]
    assert (row["beaten_by"], row["not_better_than"]) == ("gaussian", "")
    assert table.warnings[0].startswith("ae (AUC 0.") and "is beaten by gaussian" in table.warnings[0]
    assert "Beaten by" in [column.header for column in table.formats]


def test_a_baseline_that_loses_or_ties_is_not_held_against_a_detector():
    assert not rivals(*(lambda r: (r, joint_areas(r)))(study(ae=3.0, gaussian=0.5)))
    tied = study(ae=1.0, gaussian=1.02)
    assert not rivals(tied, joint_areas(tied))


def test_level_means_that_the_paired_interval_of_the_difference_holds_zero():
    """By hand: the same scores differ by nothing in every resample; three deviations differ in each."""
    same = study(ae=1.0, gaussian=1.0, svm=1.0, clip_level=1.0)
    (pair,) = level_with(same, joint_areas(same))
    # neither controls nor detectors that are not marked as simple
    assert (pair.detector, pair.rival) == ("ae", "gaussian")
    assert (pair.difference, pair.low, pair.high) == (0.0, 0.0, 0.0)
    for ours, theirs in ((0.5, 3.0), (3.0, 0.5)):
        apart = study(ae=ours, gaussian=theirs)
        assert not level_with(apart, joint_areas(apart))
    few = study(n=4, ae=1.0, gaussian=1.0)
    assert not level_with(few, joint_areas(few))
    alone = study(explained=("gaussian",), ae=1.0, gaussian=1.0)
    assert not level_with(alone, joint_areas(alone))


def test_the_same_detector_without_a_trained_network_is_a_simpler_one():
    kinds = {"padim": "padim", "padim_random": "padim", "patchcore_none": "patchcore"}
    backbones = {"padim": "cnn9", "padim_random": "random", "patchcore_none": "none"}
    explained = tuple(kinds)

    def pairs(find, **strength):
        results = replace(study(explained, kinds=kinds, **strength), backbones=backbones)
        return [(pair.detector, pair.rival) for pair in find(results, joint_areas(results))]

    # another kind without a network is no simpler version of it, and the control has none itself
    same = {"padim": 1.0, "padim_random": 1.0, "patchcore_none": 1.0}
    assert pairs(level_with, **same) == [("padim", "padim_random")]
    assert not pairs(rivals, **same)
    better = same | {"padim_random": 3.0, "padim": 0.5}
    assert pairs(rivals, **better) == [("padim", "padim_random")] and not pairs(level_with, **better)


@pytest.mark.parametrize(("shift", "said"), [(0.5, True), (1.0, True), (3.0, False)])
def test_a_control_counts_unless_the_detector_is_better_within_the_interval(shift, said):
    results = study(ae=shift, clip_level=1.0)
    found = rivals(results, joint_areas(results))
    assert [(pair.detector, pair.rival) for pair in found] == ([("ae", "clip_level")] if said else [])


def test_only_explained_detectors_are_compared_and_not_with_one_another():
    results = study(explained=("ae", "mae"), ae=0.5, mae=3.0, svm=0.5)
    assert not rivals(results, joint_areas(results))
    found = rivals(other := study(explained=("ae", "mae"), ae=0.5, mae=3.0, svm=3.0), joint_areas(other))
    assert [(pair.detector, pair.rival) for pair in found] == [("ae", "svm")]
    explained_too = study(explained=("ae", "gaussian"), ae=0.5, gaussian=3.0)
    assert [pair.rival for pair in rivals(explained_too, joint_areas(explained_too))] == ["gaussian"]


def test_with_too_few_clips_the_larger_area_of_a_control_is_said_without_an_interval():
    results = study(n=3, ae=0.0, clip_level=9.0)
    (pair,) = rivals(results, joint_areas(results))
    assert np.isnan(pair.low) and not pair.beats
    assert "too few clips" in detection.build(results).warnings[0]


def test_a_detector_without_scores_has_a_row_that_says_why():
    table = detection.build(study(ae=1.0, kinds={"ae": "cae", "level": "level"}))
    row = table.frame.set_index("detector").loc["level"]
    assert pd.isna(row["auc"]) and row["reason"] == NO_SOUND
    assert table.frame["n_seeds"].tolist()[0] == 1


def test_areas_by_type_take_the_anomalies_of_one_type_and_all_normal_clips():
    results = study(ae=1.0)
    frame = detection_by_type.build(results).frame.set_index("anomaly_type")
    assert list(frame.index) == ["bearing", "leak", "rub"]
    facts = results.clips.set_index("clip_id")["anomaly_type"].to_numpy()
    for kind, row in frame.iterrows():
        chosen = ~TRUTH | (facts == kind)
        assert row["auc"] == pytest.approx(roc_auc_score(TRUTH[chosen], (NOISE + TRUTH)[chosen]))
        assert row["auc_ci_low"] <= row["auc"] <= row["auc_ci_high"]
        assert row["clips"] == f"{N} / {(facts == kind).sum()}"


def test_areas_by_type_say_why_there_are_none_and_what_is_left_out():
    results = study(ae=1.0)
    results.clips["anomaly_type"] = None
    assert "none of the 20 anomalous" in detection_by_type.build(results).frame["reason"].item()
    one_known = study(ae=1.0)
    one_known.clips["anomaly_type"] = np.where(one_known.clips["clip_id"] == "fan_020", "rub", None)
    table = detection_by_type.build(one_known)
    assert "19 anomalous clips of unknown type" in table.caption
    assert np.isnan(table.frame["auc_ci_low"].item())
