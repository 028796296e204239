from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.exhibits.printing import printed
from soundproof.tables import agreement, cost, detection, faithfulness, sanity, significance
from soundproof.tables import detection_by_domain as domains
from soundproof.tables import temporal_localisation as localisation


def score_rows(detector, values, machine="fan", seed=0):
    return [
        {"detector": detector, "seed": seed, "machine": machine, "metric": "anomaly_score"}
        | {"clip_id": f"{machine}_{index:03d}", "value": value}
        for index, value in enumerate(values)
    ]


def test_t1_area_by_hand():
    # normal 1, 2, 3, 4, 0; anomalous 2.5, 5, 6, 7, 8: 23 of 25 pairs in order
    frame = measurements(score_rows("ae", [1, 2, 3, 4, 0, 2.5, 5, 6, 7, 8]))
    table = detection.build(results_of(frame, clips=clips(5, 5)))
    row = table.frame.iloc[0]
    assert row["auc"] == pytest.approx(23 / 25)
    assert row["auc_ci_low"] <= row["auc"] <= row["auc_ci_high"]
    assert (row["chance"], row["clips"], row["n_seeds"]) == (0.5, "5 / 5", 1)
    assert table.warnings == ()


def test_t1_averages_machines_and_never_ranks_across_them():
    # within each machine the order is perfect; across machines fan's normal clips exceed pump's anomalous ones
    frame = measurements(score_rows("ae", [11, 12, 13, 14]) + score_rows("ae", [1, 2, 3, 4], "pump"))
    table = detection.build(results_of(frame, clips=clips(2, 2, ("fan", "pump"))))
    assert table.frame["auc"].item() == 1.0
    assert table.frame["n_machines"].item() == 2
    assert "averaged" in table.caption


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], True),
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], True),
        ([1, 10, 2, 9, 3, 8, 4, 7, 5, 6], False),
    ],
)
def test_t1_warns_where_level_alone_separates(values, warned):
    frame = measurements(score_rows("loudness", values))
    results = results_of(frame, clips=clips(5, 5), detector_kinds={"loudness": "clip_level"})
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


def test_t1_warns_of_recordings_that_differ_by_more_than_their_sound():
    table = clips(8, 8).assign(sample_rate_hz=16_000)
    table["path"] = table["clip_id"] + ".wav"
    anomalous = table["label"].eq("anomaly")
    frame = measurements(score_rows("ae", list(range(16))))
    assert not any("recordings" in said for said in detection.build(results_of(frame, clips=table)).warnings)
    table.loc[anomalous, "sample_rate_hz"] = 44_100
    table.loc[anomalous, "path"] = table.loc[anomalous, "clip_id"] + ".flac"
    warnings = " ".join(detection.build(results_of(frame, clips=table)).warnings)
    assert (
        "Sampling rate differs between normal (8 x 16000 Hz) and anomalous recordings (8 x 44100 Hz)"
        in warnings
    )
    assert "Format differs between normal (8 x WAV) and anomalous recordings (8 x FLAC)" in warnings


def test_t5_ranks_individuals_of_a_machine_among_themselves():
    table = clips(4, 4, ("fan", "pump"))
    # fans 00 and 02 each rank perfectly, on scales that mix when they are pooled; the pump has one individual
    fan = table["machine"].eq("fan")
    table.loc[fan, "machine_id"] = ["00", "00", "02", "02"] * 2
    frame = measurements(
        score_rows("ae", [1, 1, 8, 8, 2, 2, 9, 9], machine="fan")
        + score_rows("ae", [1, 1, 1, 1, 2, 2, 2, 2], machine="pump")
    )
    built = domains.build(results_of(frame, clips=table)).frame
    areas = built.set_index("machine")["auc"]
    assert areas.to_dict() == {
        "fan": 0.75,
        "fan / 00": 1.0,
        "fan / 02": 1.0,
        "pump": 1.0,
        "mean": 0.875,
        "harmonic mean": pytest.approx(2 / (1 / 0.75 + 1)),
    }
    assert list(areas.index) == ["fan", "fan / 00", "fan / 02", "pump", "mean", "harmonic mean"]


def test_t5_without_domains_says_so():
    table = clips(2, 2).assign(domain=None)
    finished = domains.build(results_of(measurements(score_rows("ae", [1, 2, 3, 4])), clips=table))
    assert "AUC source and AUC target not available" in finished.caption
    assert list(finished.frame["machine"]) == ["fan"]


def axis_rows(metric, by_explainer, **facts):
    return [
        {
            "protocol": "reconstruction" if metric in ("deletion_auc", "insertion_auc") else "",
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


def test_t12_knows_no_axis_that_goes_through_the_sound():
    """They are measured on few clips: with them the others' coefficients, and Holm's correction, would move."""
    values = {"error_map": [0.9], "saliency": [0.8], "grad_cam": [0.7], "occlusion": [0.6]}
    rows = axis_rows("frame_auroc", values) + axis_rows("insertion_auc", values)
    heard = axis_rows("si_sdr", {"error_map": [0.1], "saliency": [0.8]})
    heard += axis_rows("sound_deletion", values, protocol="surroundings")
    plain, more = (agreement.build(results_of(measurements(of))).frame for of in (rows, rows + heard))
    pd.testing.assert_frame_equal(plain, more)


def test_t12_takes_two_detectors_for_one_ranking():
    values = {"error_map": [0.9], "saliency": [0.8], "grad_cam": [0.7], "occlusion": [0.6]}
    rows = axis_rows("frame_auroc", values) + axis_rows("insertion_auc", values)
    one = agreement.build(results_of(measurements(rows))).frame
    copied = rows + [row | {"detector": "mae"} for row in rows]
    two = agreement.build(results_of(measurements(copied))).frame
    np.testing.assert_allclose(two["p"], one["p"], atol=0.01)
    assert one["p"].tolist()[-1] == pytest.approx(2 / 24) and two["n_detectors"].tolist()[-1] == 2


def test_t12_leaves_out_a_detector_that_shares_no_explainers():
    values = {"error_map": [0.9], "saliency": [0.8], "grad_cam": [0.7]}
    rows = axis_rows("frame_auroc", values) + axis_rows("insertion_auc", values)
    rows += axis_rows("frame_auroc", {"occlusion": [0.1]}, detector="one_class_svm")
    rows += axis_rows("insertion_auc", {"occlusion": [0.1]}, detector="one_class_svm")
    table = agreement.build(results_of(measurements(rows)))
    assert set(table.frame["n_items"]) == {3} and "with the others: One-Class SVM." in table.caption


def test_significance_does_not_take_clips_of_one_machine_for_machines():
    table = clips(0, 12, ("fan", "pump"))
    rows = [
        {"detector": "ae", "explainer": name, "metric": "cell_auroc", "clip_id": clip, "value": value}
        for name, value in (("error_map", 0.9), ("saliency", 0.2))
        for clip in table["clip_id"]
    ]
    row = significance.build(results_of(measurements(rows), clips=table)).frame.iloc[0]
    assert row["better"] == "Error map" and row["p_holm"] < 1e-4
    # two machines: all signs alike in two of four patterns
    assert (row["n_machines"], row["p_machines"]) == (2, 0.5)


def test_t3_gives_the_interval_over_machines_beside_that_over_clips():
    machines = ("bearing", "fan", "gearbox", "pump", "valve")
    rows = [
        row | {"machine": machine}
        for index, machine in enumerate(machines)
        for clip in range(6)
        for row in segment_rows({98: 0.1 * index + 0.001 * clip}, "ff_frame", clip=f"{machine}_{clip:03d}")
    ]
    row = faithfulness.build(results_of(measurements(rows))).frame.iloc[0]
    assert (row["n_clips"], row["n_machines"], row["machines_interval"]) == (30, 5, "")
    assert row["machines_ci_high"] - row["machines_ci_low"] > 1.8 * (row["ci_high"] - row["ci_low"])
    assert row["machines_ci_low"] < row["ci_low"] < row["value"] < row["ci_high"] < row["machines_ci_high"]


def test_a_cell_with_too_few_clips_says_so():
    frame = measurements(
        [row for index in range(4) for row in segment_rows({98: 0.5}, clip=f"fan_{30 + 3 * index:03d}")]
    )
    printed_rows = printed(localisation.build_by_type(results_of(frame)))
    assert printed_rows["F1 at p98"].tolist() == ["0.50 (too few clips)"]
    few = measurements(score_rows("ae", [1, 2, 3, 4, 2.5, 5, 6, 7]))
    cells = printed(detection.build(results_of(few, clips=clips(4, 4))))
    assert cells["AUC"].tolist() == ["0.88 (too few clips)"]


def test_t1_is_joint_over_machines_and_not_a_mean_of_their_ends():
    rng = np.random.default_rng(0)
    machines = ("bearing", "fan", "gearbox", "pump", "valve")
    rows = []
    for machine in machines:
        rows += score_rows("ae", [*rng.normal(size=12), *(rng.normal(size=12) + 1.8)], machine)
    results = results_of(measurements(rows), clips=clips(12, 12, machines))
    whole = detection.build(results).frame.iloc[0]
    single = domains.build(results).frame.set_index("machine").loc[list(machines)]
    mean_width = (single["auc_ci_high"] - single["auc_ci_low"]).mean()
    # five independent machines: their mean is known better by about the root of five
    assert whole["auc_ci_high"] - whole["auc_ci_low"] == pytest.approx(mean_width / np.sqrt(5), rel=0.2)


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
        + axis_rows("randomisation_floor", {"integrated_gradients": [0.5, 0.6]}, protocol="absolute")
        + axis_rows("completeness_gap", {"integrated_gradients": [-0.01]})
        + axis_rows("completeness_error", {"integrated_gradients": [0.02, 0.04]})
    )
    built = sanity.build(results_of(frame))
    table = built.frame.set_index("explainer")
    assert table.loc["saliency", "similarity_signed"] == pytest.approx(0.3)
    assert table.loc["saliency", "similarity_absolute"] == pytest.approx(0.4)
    assert np.isnan(table.loc["saliency", "completeness_error"])
    assert table.loc["integrated_gradients", "completeness_error"] == pytest.approx(0.03)
    assert table.loc["integrated_gradients", "completeness_gap"] == -0.01
    # a floor for what multiplies by the input, none claimed for the others
    assert table.loc["integrated_gradients", "floor_absolute"] == pytest.approx(0.55)
    assert np.isnan(table.loc["saliency", "floor_absolute"])
    # one training has no other to be compared with, and the table says so
    assert np.isnan(table.loc["saliency", "ceiling_signed"])
    assert table["compared"].unique().tolist() == ["none: trained once"]


def test_sanity_puts_another_training_beside_random_weights():
    rows = [
        {**row, "seed": seed}
        for seed in (0, 1, 2)
        for metric, values in (("randomisation_similarity", [0.1, 0.3]), ("training_similarity", [0.5, 0.9]))
        for row in axis_rows(metric, {"saliency": values}, protocol="signed")
    ]
    rows += axis_rows("randomisation_similarity", {"grad_cam": [0.1]}, protocol="signed")
    rows += [{**row, "seed": s} for s in (0, 1) for row in axis_rows("constant_map", {"grad_cam": [0.0]})]
    table = sanity.build(results_of(measurements(rows))).frame.set_index("explainer")
    assert table.loc["saliency", ["similarity_signed", "ceiling_signed"]].tolist() == pytest.approx(
        [0.2, 0.7]
    )
    assert table["compared"].to_dict() == {"saliency": "3", "grad_cam": "none: not compared"}


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
