from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys.study import DETECTORS, REPORTED, TRAININGS, measurements, results_of

from soundproof.analysis.reported import read_reported
from soundproof.core.errors import ConfigError
from soundproof.tables import claims, detection, reproduction
from soundproof.tables.reproduction import compare

AHEAD = f"{DETECTORS['mae']} above {DETECTORS['ae']}"


@pytest.fixture(scope="module")
def reported() -> pd.DataFrame:
    return read_reported(REPORTED)


def test_every_number_of_the_paper_is_there(reported):
    assert Counter(reported["artefact"]) == {
        "T-P1-1": 18,
        "F-P1-5": 12 * 10 + 12 + 10 + 1,  # curves, printed maxima, chance line, flagging everything
        "F-P1-6a": 120,
        "F-P1-6b": 120,
        "F-P1-7": 60,
        "T-P1-2": 48,
        "T-P1-3": 12,
        "F-P1-8": 120,
    }
    assert set(reported["mark"]) == {"C", "V", "A", "S", "O"}
    assert reported["value"].between(0, 1).all()


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("F-P1-5/planer/mae/saliency/segment_f1/as_published/98", 0.629),
        ("F-P1-6a/planer/ae/error_map/ff_frame/as_published/90", 0.141),
        ("F-P1-6b/planer/mae/gradient_shap/ff_segment/as_published/99", 0.124),
        ("F-P1-7/planer/mae/saliency/segment_f1/as_published/91/stuck", 0.833),
        ("F-P1-8/dcase2022/mae/grad_cam/ff_frame/as_published/99", 0.012),
        ("T-P1-2/dcase2022/mae/auc/valve/target", 0.331),
        ("T-P1-3/dcase2022/ae/smooth_grad/ff_frame_mean_p98_p99/as_published", 0.036),
        ("T-P1-1/planer/isolation_forest/pauc/stored_run", 0.659),
    ],
)
def test_values_at_the_corners_of_the_tables(reported, quantity, value):
    assert reported.set_index("quantity").loc[quantity, "value"] == value


def test_printed_maxima_agree_with_the_decoded_curves(reported):
    best = reported[reported["metric"].eq("segment_f1_best")].set_index(["detector", "explainer"])["value"]
    curves = reported[reported["metric"].eq("segment_f1") & reported["artefact"].eq("F-P1-5")]
    curves = curves[curves["protocol"].eq("as_published")]
    decoded = curves.groupby(["detector", "explainer"])["value"].max()
    # two decimals are printed, and decoding is exact to 0.001
    assert (decoded - best).abs().max() <= 0.0061


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (",C,", ",X,", "unknown mark"),
        ("T-P1-1/planer/ae/pauc", "T-P1-1/planer/ae/auc", "twice"),
        ("0.916", "much", "much"),
    ],
)
def test_damaged_files_are_refused(tmp_path, old, new, found):
    path = tmp_path / "bad.csv"
    path.write_text(REPORTED.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=found):
        read_reported(path)


def test_missing_columns_are_refused(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("quantity,value\na,1\n")
    with pytest.raises(ConfigError, match="columns quantity, value"):
        read_reported(path)


def curve(value, detector="mae", explainer="saliency", protocol="as_published", metric="segment_f1"):
    """Six clips around a value, at the 98th percentile."""
    return [
        {"detector": detector, "explainer": explainer, "metric": metric, "protocol": protocol}
        | {"parameter": 98.0, "clip_id": f"fan_{30 + index:03d}", "value": value + shift}
        for index, shift in enumerate((-0.05, -0.03, -0.01, 0.01, 0.03, 0.05))
    ]


def verdict_of(value, dataset, reported):
    one = reported[reported["quantity"].eq("F-P1-5/planer/mae/saliency/segment_f1/as_published/98")]
    results = results_of(measurements(curve(value)), reported_dataset=dataset)
    (row,) = compare(results, one).to_dict("records")
    assert row["difference"] == pytest.approx(value - 0.629)
    return row["verdict"]


def test_verdicts(reported):
    assert verdict_of(0.60, "planer", reported) == "agrees"
    assert verdict_of(0.80, "planer", reported) == "higher"
    assert verdict_of(0.20, "planer", reported) == "lower"
    assert verdict_of(0.60, "", reported) == "other data"


def test_every_reported_number_has_a_row(full):
    table = reproduction.build(full)
    assert len(table.frame) == len(full.reported)
    by_quantity = table.frame.set_index("quantity")
    assert set(table.frame["verdict"]) == {"other data", "not measured"}
    # the toy study has no such detector, no third board type and no machine of that name
    assert by_quantity.loc["T-P1-1/planer/cae_published/auc/stored_run", "verdict"] == "not measured"
    measured = table.frame[table.frame["verdict"].eq("other data")]
    assert {"T-P1-1", "F-P1-5", "F-P1-6a", "F-P1-6b", "T-P1-2", "T-P1-3", "F-P1-8"} == set(
        measured["artefact"]
    )
    assert "other data than this study" in table.caption
    assert np.isfinite(measured["ours"]).all()


def test_the_best_percentile_is_compared_wherever_it_lies(reported):
    one = reported[reported["quantity"].eq("F-P1-5/planer/mae/saliency/segment_f1_best/as_published/98")]
    rows = curve(0.5) + [row | {"parameter": 91.0, "value": row["value"] + 0.2} for row in curve(0.5)]
    (row,) = compare(results_of(measurements(rows)), one).to_dict("records")
    assert row["ours"] == pytest.approx(0.7)


def test_claims_compare_detectors_clip_by_clip(reported):
    rows = curve(0.3, "ae") + curve(0.4, "ae", protocol="chance_uniform")
    rows += [row | {"seed": seed} for seed in range(5) for row in curve(0.5 + 0.001 * seed, "mae")]
    rows += [row | {"seed": seed} for seed in range(1, 5) for row in curve(0.3 - 0.001 * seed, "ae")]
    results = results_of(measurements(rows), reported=reported, **TRAININGS)
    table = claims.build(results).frame.set_index(["dataset", "claim"])
    row = table.loc[("planer", f"Saliency: {AHEAD} in segment F1")]
    assert (row["there"], row["here"], row["n_clips"], row["n_seeds"]) == ("holds", "holds", 6, 5)
    assert row["difference"] == pytest.approx(0.204)
    below = table.loc[("planer", "AE (Skip-CAE-Transformer), Saliency: segment F1 above chance")]
    assert (below["there"], below["here"]) == ("does not hold", "does not hold")
    assert table.loc[("planer", f"Grad-CAM: {AHEAD} in segment F1"), "here"] == "not measured"


@pytest.mark.parametrize(
    ("n_seeds", "here"),
    [(1, "undecided (1 training a side)"), (2, "undecided (2 trainings a side)"), (5, "holds")],
)
def test_two_trainings_decide_nothing_about_training(reported, n_seeds, here):
    rows = [
        row | {"seed": seed}
        for seed in range(n_seeds)
        for name, value in (("mae", 0.9), ("ae", 0.3))
        for row in curve(value + 0.01 * seed, name)
    ]
    table = claims.build(results_of(measurements(rows), reported=reported, **TRAININGS))
    row = table.frame.set_index(["dataset", "claim"]).loc[("planer", f"Saliency: {AHEAD} in segment F1")]
    assert (row["here"], row["n_seeds"], row["over"]) == (here, n_seeds, "clips and trainings")
    assert "Seeds" in [column.header for column in table.formats]


def test_a_difference_between_trainings_is_none_between_kinds(reported):
    # MAE is ahead on every clip, but its trainings lie further apart than the two kinds
    rows = []
    for seed, (masked, plain) in enumerate([(0.9, 0.3), (0.3, 0.5), (0.8, 0.2), (0.2, 0.4)]):
        rows += [row | {"seed": seed} for row in curve(masked, "mae") + curve(plain, "ae")]
    table = claims.build(results_of(measurements(rows), reported=reported, **TRAININGS)).frame
    row = table.set_index(["dataset", "claim"]).loc[("planer", f"Saliency: {AHEAD} in segment F1")]
    assert row["here"] == "undecided" and row["ci_low"] < 0 < row["difference"] == pytest.approx(0.2)


def test_verdicts_are_corrected_for_their_number():
    rows = pd.DataFrame({"p": [0.04, 0.001, np.nan, 0.03], "difference": [0.1, 0.1, np.nan, -0.1]})
    rows = rows.assign(n_clips=20, n_seeds=2, over="clips")
    found = claims.decided(rows)
    # three tests: 0.001 x 3, 0.03 x 2 and 0.04 raised to it
    np.testing.assert_allclose(found["p_holm"], [0.06, 0.003, np.nan, 0.06])
    assert found["here"].tolist() == ["undecided", "holds", "not measured", "undecided"]
    assert claims.decided(rows.iloc[[3]])["here"].tolist() == ["does not hold"]


def test_areas_are_compared_clip_by_clip(reported):
    # both detectors share all that varies between clips: the ends of their own intervals say nothing
    rng = np.random.default_rng(0)
    shared = np.append(rng.normal(size=30), rng.normal(size=30) + 1)
    rows = [
        {"detector": name, "seed": seed, "machine": "fan", "metric": "anomaly_score"}
        | {"clip_id": f"fan_{clip:03d}", "value": value}
        for name, lift in (("ae", 0.15), ("mae", 0.0))
        for seed in range(5)
        for clip, value in enumerate(shared + lift * (np.arange(60) >= 30))
    ]
    results = results_of(measurements(rows), reported=reported, **TRAININGS)
    row = (
        claims.build(results)
        .frame.set_index("claim")
        .loc[f"{DETECTORS['ae']} above {DETECTORS['mae']} in detection AUC"]
    )
    row = row if isinstance(row, pd.Series) else row.iloc[0]
    areas = detection.build(results).frame.set_index("detector")
    assert row["difference"] == pytest.approx(areas.loc["ae", "auc"] - areas.loc["mae", "auc"])
    assert row["ci_low"] > 0 and row["here"] == "holds"
    assert areas.loc["ae", "auc_ci_low"] < areas.loc["mae", "auc_ci_high"]


def test_the_highest_is_sought_among_the_reported_explainers(reported):
    rows = curve(0.4, "mae", "error_map", metric="ff_frame") + curve(
        0.9, "mae", "occlusion", metric="ff_frame"
    )
    for name in ("saliency", "integrated_gradients", "smooth_grad", "grad_cam", "gradient_shap"):
        rows += curve(0.1, "mae", name, metric="ff_frame")
    table = claims.build(results_of(measurements(rows), reported=reported, **TRAININGS)).frame.set_index(
        ["dataset", "claim"]
    )
    text = "MAE (masked 4×4, 30 %): error map has the highest FF frame of the reported explainers"
    row = table.loc[("planer", text)]
    assert (row["here"], row["difference"]) == ("holds", pytest.approx(0.3))


def test_an_interval_around_zero_decides_nothing(reported):
    rows = curve(0.5, "mae") + [row | {"value": 1.0 - row["value"]} for row in curve(0.5, "ae")]
    table = claims.build(results_of(measurements(rows), reported=reported, **TRAININGS)).frame.set_index(
        ["dataset", "claim"]
    )
    assert table.loc[("planer", f"Saliency: {AHEAD} in segment F1"), "here"].startswith("undecided")


def test_the_paper_contradicts_itself_between_its_data_sets(full):
    there = claims.build(full).frame.set_index(["dataset", "claim"])["there"]
    assert there[("planer", f"Error map: {AHEAD} in FF frame")] == "holds"
    assert there[("dcase2022", f"Error map: {AHEAD} in FF frame")] == "does not hold"
    assert there[("dcase2022", f"Error map: {AHEAD} in FF frame (p98, p99)")] == "holds"


def test_without_reported_numbers_there_is_a_reason(full):
    for build in (claims.build, reproduction.build):
        assert "paper" in build(replace(full, reported=None)).frame["reason"].item()


def test_labels_are_free_and_pairs_are_those_that_differ_in_masking(reported):
    renamed = {"ae": "plain_one", "mae": "masked_one"}
    theirs = reported.assign(detector=reported["detector"].replace(renamed))
    rows = [
        row | {"seed": seed, "detector": renamed[row["detector"]]}
        for seed in range(5)
        for row in curve(0.9 + 0.001 * seed, "mae") + curve(0.3 + 0.001 * seed, "ae")
    ]
    facts = {name: {renamed[label]: value for label, value in of.items()} for name, of in TRAININGS.items()}
    facts["detector_titles"] = {"plain_one": "Plain", "masked_one": "Masked"}
    table = claims.build(results_of(measurements(rows), reported=theirs, **facts)).frame
    claim = table.set_index(["dataset", "claim"]).loc[
        ("planer", "Saliency: Masked above Plain in segment F1")
    ]
    assert claim["difference"] == pytest.approx(0.6) and claim["here"] == "holds"
    # two kinds of detectors are no pair, nor are two plain ones
    for other in (
        {"detector_kinds": {"plain_one": "cae"}},
        {"mask_ratios": dict.fromkeys(renamed.values(), 0.0)},
    ):
        results = results_of(measurements(rows), reported=theirs, **(facts | other))
        assert results.masked_and_plain() == []
        assert not claims.build(results).frame["claim"].str.contains("Masked above").any()


def test_the_praised_explainer_is_known_by_its_kind(reported):
    theirs = reported.assign(explainer=reported["explainer"].replace({"error_map": "own"}))
    rows = [
        {**row, "metric": "ff_frame", "explainer": name}
        for name, value in (("own", 0.9), ("saliency", 0.3))
        for row in curve(value, "ae")
    ]
    kinds = {"own": "error_map"}
    table = claims.build(results_of(measurements(rows), reported=theirs, explainer_kinds=kinds)).frame
    assert table["claim"].str.contains("error map has the highest").any()
    without_kinds = claims.build(results_of(measurements(rows), reported=theirs)).frame
    assert not without_kinds["claim"].str.contains("error map has the highest").any()
