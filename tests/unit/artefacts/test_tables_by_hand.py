from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study_toys import clips, measurements, results_of

from soundproof.artefacts import (
    agreement,
    cost,
    detection,
    domains,
    faithfulness,
    localisation,
    sanity,
    significance,
)


def score_rows(detector, values, machine="fan", seed=0):
    return [
        {"detector": detector, "seed": seed, "machine": machine, "metric": "anomaly_score"}
        | {"clip_id": f"{machine}_{index:03d}", "value": value}
        for index, value in enumerate(values)
    ]


def test_t1_area_by_hand():
    # normal 1, 2, 3, 4; anomalous 2.5, 5, 6, 7: 14 of 16 pairs in order
    frame = measurements(score_rows("ae", [1, 2, 3, 4, 2.5, 5, 6, 7]))
    table = detection.build(results_of(frame, clips=clips(4, 4)))
    row = table.frame.iloc[0]
    assert row["auc"] == pytest.approx(14 / 16)
    assert row["auc_ci_low"] <= row["auc"] <= row["auc_ci_high"]
    assert (row["chance"], row["clips"], row["n_seeds"]) == (0.5, "4 / 4", 1)
    assert table.warnings == ()


def test_t1_averages_machines_and_never_ranks_across_them():
    # within each machine the order is perfect; across machines fan's normal clips exceed pump's anomalous ones
    frame = measurements(score_rows("ae", [11, 12, 13, 14]) + score_rows("ae", [1, 2, 3, 4], "pump"))
    table = detection.build(results_of(frame, clips=clips(2, 2, ("fan", "pump"))))
    assert table.frame["auc"].item() == 1.0
    assert table.frame["n_machines"].item() == 2
    assert "averaged" in table.caption


@pytest.mark.parametrize(
    ("values", "warned"), [([1, 2, 3, 4], True), ([4, 3, 2, 1], True), ([1, 4, 2, 3], False)]
)
def test_t1_warns_where_level_alone_separates(values, warned):
    frame = measurements(score_rows("loudness", values))
    results = results_of(frame, clips=clips(2, 2), detector_kinds={"loudness": "clip_level"})
    assert bool(detection.build(results).warnings) is warned


def test_t1_without_anomalies_says_so():
    table = detection.build(results_of(measurements(score_rows("ae", [1, 2])), clips=clips(2, 0)))
    assert "no anomalous clip in the set" in table.frame["reason"].item()


def segment_rows(values, metric="segment_f1", protocol="corrected", explainer="saliency", clip="fan_030"):
    return [
        {"detector": "ae", "explainer": explainer, "metric": metric, "protocol": protocol, "clip_id": clip}
        | {"parameter": float(p), "value": v}
        for p, v in values.items()
    ]


def test_t2_fixed_and_best_percentile():
    frame = measurements(
        segment_rows({97: 0.6, 98: 0.5, 99: 0.2})
        + segment_rows({97: 0.8, 98: 0.3, 99: 0.2}, clip="fan_031")
        + segment_rows({97: 0.35, 98: 0.31, 99: 0.3}, protocol="chance_uniform")
        + segment_rows({97: 0.25, 98: 0.21, 99: 0.2}, protocol="chance_circular_shift")
        + segment_rows({97: 0.9, 98: 0.9, 99: 0.9}, protocol="as_published")
        + segment_rows({97: 0.6, 98: 0.6, 99: 0.6}, protocol="flag_all")
    )
    row = localisation.build(results_of(frame)).frame.iloc[0]
    assert row["f1_p98"] == pytest.approx(0.4)
    assert (row["f1_best"], row["best_percentile"]) == (pytest.approx(0.7), 97)
    assert (row["chance_uniform"], row["chance_shift"]) == (0.31, 0.21)
    assert (row["best_chance_uniform"], row["best_chance_shift"]) == (0.35, 0.25)
    # flagging everything beats the map at the percentile that was fixed beforehand
    assert row["flag_all"] == pytest.approx(0.6)
    assert "Flag all" in [column.header for column in localisation.FORMATS]


def test_t2_without_the_fixed_percentile_says_so():
    row = localisation.build(results_of(measurements(segment_rows({95: 0.6})))).frame.iloc[0]
    assert row["reason"] == "percentile 98 was not measured"
    assert (row["f1_best"], row["n_clips"]) == (0.6, 1)


def test_t4_splits_by_anomaly_type():
    # clips 30 and 33 are of one type, 31 of another
    frame = measurements(
        segment_rows({98: 0.2})
        + segment_rows({98: 0.4}, clip="fan_033")
        + segment_rows({98: 0.9}, clip="fan_031")
    )
    table = localisation.build_by_type(results_of(frame)).frame.set_index("anomaly_type")
    assert table["value"].to_dict() == {"bearing": pytest.approx(0.3), "rub": 0.9}
    assert table["n_clips"].to_dict() == {"bearing": 2, "rub": 1}
    assert "Flag all" in [column.header for column in localisation.TYPE_FORMATS]


def test_t3_means_over_percentiles():
    frame = measurements(
        segment_rows({90: 0.4, 98: 0.2, 99: 0.0}, "ff_frame", "as_published")
        + segment_rows({90: 0.4, 98: 0.2, 99: -0.3}, "ff_frame", "corrected")
        + segment_rows({90: 0.3, 98: 0.1, 99: 0.2}, "ff_frame", "chance_uniform")
        + segment_rows({90: 0.2, 98: 0.1, 99: 0}, "ff_frame", "chance_uniform_unclipped", "uniform_frames")
        + segment_rows({90: 0.1, 98: 0, 99: -0.1}, "ff_frame", "chance_circular_shift_unclipped")
    )
    table = faithfulness.build(results_of(frame))
    published, corrected = (
        table.frame[table.frame["rule"].eq(rule)].iloc[0] for rule in ("as published", "corrected")
    )
    assert published["value"] == pytest.approx(0.2)
    assert published["last_two"] == pytest.approx(0.1)
    assert corrected["value"] == pytest.approx(0.1)
    assert corrected["last_two"] == pytest.approx(-0.05)
    assert published["chance_uniform"] == pytest.approx(0.2)
    assert published["last_two_chance_uniform"] == pytest.approx(0.15)
    assert np.isnan(published["chance_shift"])
    assert corrected["chance_uniform"] == pytest.approx(0.1)
    assert corrected["chance_shift"] == pytest.approx(0.0)
    assert corrected["last_two_chance_shift"] == pytest.approx(-0.05)
    assert "Segment level not available" in table.caption


def test_t5_domains_and_means():
    # even clips source, odd target; per machine 4 normal and 4 anomalous clips
    fan = [1, 1, 2, 9, 5, 6, 7, 8]
    pump = [1, 1, 2, 2, 5, 6, 7, 8]
    frame = measurements(score_rows("ae", fan) + score_rows("ae", pump, "pump"))
    table = domains.build(results_of(frame, clips=clips(4, 4, ("fan", "pump")))).frame.set_index("machine")
    # target normals of the fan: 1 and 9 against 5, 6, 7, 8: 4 of 8 pairs
    assert table.loc["fan", "auc_target"] == pytest.approx(0.5)
    assert table.loc["fan", "auc_source"] == 1.0
    assert table.loc["mean", "auc_target"] == pytest.approx(0.75)
    assert table.loc["harmonic mean", "auc_target"] == pytest.approx(2 / 3)


def test_t5_without_domains_says_so():
    table = clips(2, 2).assign(domain=None)
    finished = domains.build(results_of(measurements(score_rows("ae", [1, 2, 3, 4])), clips=table))
    assert "AUC source and AUC target not available" in finished.caption
    assert list(finished.frame["machine"]) == ["fan"]


def axis_rows(metric, by_explainer, **facts):
    return [
        {
            "detector": "ae",
            "explainer": name,
            "metric": metric,
            "clip_id": f"fan_{30 + index:03d}",
            "value": value,
        }
        | facts
        for name, values in by_explainer.items()
        for index, value in enumerate(values)
    ]


def test_t12_same_and_opposite_rankings():
    better = {
        "error_map": [0.9],
        "saliency": [0.8],
        "grad_cam": [0.7],
        "occlusion": [0.6],
        "random_map": [9.0],
    }
    worse = {name: [-value for value in values] for name, values in better.items()}
    # deletion: lower is better, so that turned scores rank like the others
    frame = measurements(
        axis_rows("frame_auroc", better)
        + axis_rows("insertion_auc", better, protocol="clip_median")
        + axis_rows("deletion_auc", worse, protocol="clip_median")
        + axis_rows("cell_auroc", worse)
    )
    table = agreement.build(results_of(frame)).frame.set_index("compared")
    assert table.loc["Frame AUROC – Deletion AUC (clip median)", "value"] == pytest.approx(1.0)
    assert table.loc["Frame AUROC – Cell AUROC", "value"] == pytest.approx(-1.0)
    assert table.loc["faithfulness axes (2)", "value"] == pytest.approx(1.0)
    assert table.loc["localisation axes (2)", "value"] == pytest.approx(0.0)
    assert set(table["n_items"]) == {4}, "the random control does not take part"
    assert (table["p_holm"].dropna() >= table.loc[table["p_holm"].notna(), "p"]).all()


def test_significance_names_the_winner():
    n = 12
    good, bad = np.linspace(0.5, 0.9, n), np.linspace(0.1, 0.3, n)
    frame = measurements(
        axis_rows("cell_auroc", {"error_map": good, "saliency": bad})
        + axis_rows("deletion_auc", {"error_map": good, "saliency": bad}, protocol="reconstruction")
        + axis_rows("deletion_auc", {"error_map": bad, "saliency": good}, protocol="clip_median")
    )
    built = significance.build(results_of(frame))
    table = built.frame.set_index("axis")
    assert table["better"].to_dict() == {
        "cell_auroc": "Error map",
        "deletion_auc_reconstruction": "Saliency",
        "deletion_auc_clip_median": "Error map",
    }
    assert "favour the error map by construction" in built.caption
    # all twelve differences have one sign: p = 2 / 2^12
    assert table.loc["cell_auroc", "p_holm"] == pytest.approx(2 / 2**n)
    assert table.loc["cell_auroc", "rank_biserial"] == 1.0


def test_sanity_puts_the_checks_side_by_side():
    frame = measurements(
        axis_rows("randomisation_similarity", {"saliency": [0.2, 0.4]}, protocol="signed")
        + axis_rows("randomisation_similarity", {"saliency": [0.3, 0.5]}, protocol="absolute")
        + axis_rows("completeness_gap", {"integrated_gradients": [0.01]})
    )
    table = sanity.build(results_of(frame)).frame.set_index("explainer")
    assert table.loc["saliency", "similarity_signed"] == pytest.approx(0.3)
    assert table.loc["saliency", "similarity_absolute"] == pytest.approx(0.4)
    assert np.isnan(table.loc["saliency", "completeness_gap"])
    assert table.loc["integrated_gradients", "completeness_gap"] == 0.01


def test_cost_against_the_cheapest():
    rows = [("ae", 0, "saliency", 0.01), ("ae", 1, "saliency", 0.03), ("ae", 0, "occlusion", 0.2)]
    costs = pd.DataFrame(rows, columns=["detector", "seed", "explainer", "seconds_per_clip"]).assign(
        device="cpu"
    )
    table = cost.build(results_of(measurements([]), costs=costs)).frame.set_index("explainer")
    assert table.loc["saliency", "seconds_per_clip"] == pytest.approx(0.02)
    assert table.loc["occlusion", "ratio"] == pytest.approx(10)


def test_cost_stands_beside_what_it_buys():
    costs = pd.DataFrame(
        {
            "detector": ["ae"],
            "seed": [0],
            "explainer": ["saliency"],
            "seconds_per_clip": [0.1],
            "device": ["cpu"],
        }
    )
    frame = measurements(axis_rows("cell_auroc", {"saliency": [0.6, 0.8]}))
    table = cost.build(results_of(frame, costs=costs))
    assert table.frame.set_index("explainer").loc["saliency", "cell_auroc"] == pytest.approx(0.7)
    assert "Cell AUROC" in [column.header for column in table.formats]
