from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys.study import measurements, results_of

from soundproof.analysis.measures import measure, select, summarise, titled, with_clip_fact


def rows(values, **common):
    """One row per (detector, explainer, seed, clip, value)."""
    return [
        {"detector": d, "explainer": e, "seed": s, "clip_id": c, "value": v, "metric": "m", **common}
        for d, e, s, c, v in values
    ]


def test_mean_and_spread_by_hand():
    frame = measurements(
        rows(
            [
                ("ae", "saliency", 0, "a", 0.1),
                ("ae", "saliency", 0, "b", 0.3),
                ("ae", "saliency", 1, "a", 0.5),
                ("ae", "saliency", 1, "b", 0.9),
            ]
        )
    )
    (row,) = summarise(frame, ("detector", "explainer")).to_dict("records")
    # seeds' means 0.2 and 0.7
    assert row["value"] == pytest.approx(0.45)
    assert row["sd_seeds"] == pytest.approx(0.5 / np.sqrt(2))
    assert (row["n_clips"], row["n_seeds"]) == (2, 2)
    assert np.isnan(row["ci_low"]) and row["interval"] == "too few clips"


def test_parameters_are_averaged_within_clips_and_one_seed_has_no_spread():
    values = [("ae", "saliency", 0, "a", 0.2), ("ae", "saliency", 0, "b", 0.4)]
    frame = measurements(rows(values, parameter=98.0) + rows(values, parameter=99.0))
    (row,) = summarise(frame, ("detector",)).to_dict("records")
    assert row["value"] == pytest.approx(0.3)
    assert row["n_clips"] == 2
    assert np.isnan(row["sd_seeds"])


def test_values_of_whole_sets_have_no_interval():
    frame = measurements(rows([("ae", "saliency", 0, None, 0.2), ("ae", "saliency", 1, None, 0.4)]))
    (row,) = measure(results_of(frame), "m").to_dict("records")
    assert row["value"] == pytest.approx(0.3)
    assert row["n_clips"] == 0
    assert np.isnan(row["ci_low"])


def test_values_of_whole_sets_do_not_mix_with_those_of_clips():
    frame = measurements(rows([("ae", "saliency", 0, None, 9.0), ("ae", "saliency", 0, "a", 0.4)]))
    (row,) = measure(results_of(frame), "m").to_dict("records")
    assert row["value"] == pytest.approx(0.4)


def test_chance_by_explainer_and_shared_chance():
    own = rows([("ae", "saliency", 0, "a", 0.6), ("ae", "error_map", 0, "a", 0.8)])
    chance = rows(
        [("ae", "saliency", 0, "a", 0.3), ("ae", "error_map", 0, "a", 0.4)], protocol="chance_uniform"
    )
    frame = measure(results_of(measurements(own + chance)), "m").set_index("explainer")
    assert frame["chance_uniform"].to_dict() == {"error_map": 0.4, "saliency": 0.3}
    assert frame["chance_shift"].isna().all()
    shared = rows([("ae", "uniform_frames", 0, "a", 0.1)], protocol="chance_uniform")
    frame = measure(results_of(measurements(own + shared)), "m")
    assert frame["chance_uniform"].tolist() == [0.1, 0.1]
    assert set(frame["explainer"]) == {"saliency", "error_map"}


def test_unclipped_values_meet_unclipped_chance():
    own = [
        row
        for protocol in ("corrected", "as_published")
        for row in rows([("ae", "saliency", 0, "a", 0.5)], protocol=protocol)
    ]
    chance = rows([("ae", "uniform_frames", 0, "a", 0.2)], protocol="chance_uniform")
    chance += rows([("ae", "uniform_frames", 0, "a", -0.1)], protocol="chance_uniform_unclipped")
    results = results_of(measurements(own + chance))
    assert measure(results, "m")["chance_uniform"].item() == -0.1
    assert measure(results, "m", protocols=("as_published",))["chance_uniform"].item() == 0.2


def test_select_keeps_protocol_and_parameter():
    frame = measurements(
        rows([("ae", "saliency", 0, "a", 1.0)], parameter=98.0)
        + rows([("ae", "saliency", 0, "a", 2.0)], parameter=98.0, protocol="as_published")
        + rows([("ae", "saliency", 0, "a", 3.0)], parameter=99.0, protocol="corrected")
    )
    results = results_of(frame)
    assert sorted(select(results, "m")["value"]) == [1.0, 3.0]
    assert select(results, "m", parameters=(98.0,))["value"].tolist() == [1.0]
    assert select(results, "m", ("as_published",))["value"].tolist() == [2.0]
    assert select(results, "other").empty


def test_rows_follow_the_order_of_the_study():
    frame = measurements(
        rows([("mae", "saliency", 0, "a", 1.0), ("zzz", "b", 0, "a", 1.0), ("ae", "x", 0, "a", 1.0)])
    )
    ordered = titled(measure(results_of(frame), "m"), results_of(frame))
    assert ordered["detector"].tolist() == ["ae", "mae", "zzz"]
    assert ordered["detector_title"].tolist()[-1] == "zzz"


def test_clip_facts_leave_out_clips_without_them():
    frame = measurements(rows([("ae", "saliency", 0, "fan_000", 1.0), ("ae", "saliency", 0, "fan_030", 1.0)]))
    typed = with_clip_fact(results_of(frame), "anomaly_type")
    assert typed.measurements["anomaly_type"].tolist() == ["bearing"]


def test_what_a_study_holds_is_made_once_and_not_kept_for_a_changed_one():
    row = {
        "detector": "ae",
        "explainer": "saliency",
        "metric": "iou",
        "parameter": 0.98,
        "clip_id": "fan_030",
    }
    results = results_of(measurements([row | {"value": 0.25}]))
    first = select(results, "iou", parameters=(0.98,))
    assert select(results, "iou", parameters=(0.98,)) is first
    assert select(results, "iou", parameters=(0.9,)).empty
    changed = replace(results, measurements=results.measurements.assign(value=0.5))
    assert select(changed, "iou", parameters=(0.98,))["value"].item() == 0.5
    assert first["value"].item() == 0.25
