from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys.bands import band_rows
from toys.study import REPORTED, clips, measurements, results_of

from soundproof.analysis.band_areas import band_areas
from soundproof.analysis.bands import rho_summary
from soundproof.analysis.our_band_numbers import band_numbers
from soundproof.analysis.reported import read_reported
from soundproof.statistics.rank_null import spearman_null
from soundproof.tables import auc_without_bands as band_auc
from soundproof.tables import band_faithfulness as band_rho


def scored(metric, values, protocol="", band=np.nan, machine="fan", seed=0):
    return [
        {"detector": "ae", "seed": seed, "machine": machine, "metric": metric, "protocol": protocol}
        | {"parameter": band, "clip_id": f"{machine}_{index:03d}", "value": value}
        for index, value in enumerate(values)
    ]


def three_bands(machine, intact, without):
    rows = scored("anomaly_score", intact, machine=machine)
    for band, values in enumerate(without, start=1):
        rows += scored("band_removed_score", values, "linear3/zero", float(band), machine)
    return rows


# two normal clips, two anomalous ones
FAN = three_bands("fan", [1, 3, 2, 4], [[1, 2, 3, 4], [3, 4, 1, 2], [1, 1, 1, 1]])
PUMP = three_bands("pump", [1, 2, 3, 4], [[1, 2, 3, 4], [1, 2, 3, 4], [4, 3, 2, 1]])


def test_t8_areas_by_hand():
    results = results_of(measurements(FAN + PUMP), clips=clips(2, 2, ("fan", "pump")))
    table = band_auc.build(results)
    frame = table.frame.set_index("removed")
    assert frame.index.tolist() == ["none", "1", "2", "3"]
    assert frame["fan"].tolist() == [0.75, 1.0, 0.0, 0.5]
    assert frame["pump"].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert frame["mean"].tolist() == [0.875, 1.0, 0.5, 0.25]
    assert frame.loc["1":, "difference"].tolist() == [0.125, -0.375, -0.625]
    assert frame["mean_ci_low"].isna().all(), "four clips of a class are too few"
    assert frame["clips"].tolist() == ["4 / 4"] * 4
    assert [column.header for column in table.formats[4:6]] == ["fan", "pump"]


def test_t8_intervals_hold_where_the_classes_are_separated():
    separated = [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]
    rows = three_bands("fan", separated, [separated, separated[::-1], [1] * 12])
    frame = band_auc.build(results_of(measurements(rows), clips=clips(6, 6))).frame.set_index("removed")
    assert frame["mean"].tolist() == [1.0, 1.0, 0.0, 0.5]
    assert (frame["mean_ci_low"] <= frame["mean"]).all() and (frame["mean"] <= frame["mean_ci_high"]).all()
    # a plain bootstrap of separated classes has no width
    assert 0.5 < frame.loc["none", "mean_ci_low"] < 0.9
    assert frame.loc["1", ["difference_ci_low", "difference_ci_high"]].tolist() == [0.0, 0.0]


def test_t8_compares_the_clips_that_have_every_score():
    rows = [row for row in FAN if not (row["clip_id"] == "fan_001" and row["parameter"] == 2)]
    areas, reason = band_areas(results_of(measurements(rows), clips=clips(2, 2)))
    intact = areas[areas["machine"].eq("mean") & areas["band"].eq(0)].iloc[0]
    assert (intact["n_normal"], intact["n_anomalous"], reason) == (1, 2, "")
    assert intact["value"] == 1.0


def test_t8_says_why_there_is_none():
    one_class = results_of(measurements(FAN), clips=clips(4, 0))
    assert "no machine has both" in band_auc.build(one_class).frame["reason"].item()
    without = results_of(measurements(FAN[:4]), clips=clips(2, 2))
    assert "scored without bands" in band_auc.build(without).frame["reason"].item()


def rho(values, explainer="saliency", protocol="linear5/zero/absolute", seed=0, machine="fan"):
    return [
        {"detector": "ae", "explainer": explainer, "metric": "band_rho", "protocol": protocol}
        | {
            "parameter": 5.0,
            "seed": seed,
            "machine": machine,
            "clip_id": f"{machine}_{index:03d}",
            "value": v,
        }
        for index, v in enumerate(values)
    ]


def effects(n_clips, protocol="linear5/zero/absolute"):
    return [
        {"detector": "ae", "metric": "band_effect", "protocol": protocol, "parameter": float(k)}
        | {"machine": "fan", "clip_id": f"fan_{index:03d}", "value": 1.0}
        for index in range(n_clips)
        for k in range(1, 6)
    ]


def shares(value, chance, explainer="saliency"):
    rows = []
    for index in range(6):
        common = {
            "detector": "ae",
            "metric": "band_share_true",
            "machine": "fan",
            "clip_id": f"fan_{index:03d}",
        }
        rows.append(common | {"explainer": explainer, "value": value + 0.01 * index})
        rows.append(common | {"explainer": "random_cells", "protocol": "chance_uniform", "value": chance})
    return rows


def test_t9_by_hand():
    frame = measurements(rho([0.9, 0.7, 0.5, 0.3, 0.1]) + effects(6) + shares(0.5, 0.2))
    row = band_rho.build(results_of(frame)).frame.iloc[0]
    z = np.arctanh([0.9, 0.7, 0.5, 0.3, 0.1])
    assert row["value"] == pytest.approx(np.tanh(z.mean()))
    half = 2.776445 * z.std(ddof=1) / np.sqrt(5)
    assert row["ci_low"] == pytest.approx(np.tanh(z.mean() - half), rel=1e-5)
    assert row["fan"] == row["value"]
    assert (row["n_clips"], row["n_undefined"], row["n_clipped"]) == (5, 1, 0)
    assert row["p"] == pytest.approx(spearman_null(5).p_value_of_mean(0.5, 5))
    assert (row["share"], row["share_chance"]) == (pytest.approx(0.525), pytest.approx(0.2))
    assert row["value"] > row["null_high"] and row["verdict"] == "both above chance"


@pytest.mark.parametrize(
    ("value", "share", "verdict"),
    [
        (0.9, 0.5, "both above chance"),
        (0.9, 0.1, "only ρ above"),
        (0.0, 0.5, "only share above"),
        (0.0, 0.1, "neither above chance"),
    ],
)
def test_t9_says_whether_rho_and_share_agree(value, share, verdict):
    frame = measurements(rho([value] * 6) + effects(6) + shares(share, 0.2))
    assert band_rho.build(results_of(frame)).frame["verdict"].item() == verdict


def test_t9_counts_pairs_of_explainers_in_the_same_order():
    rows = effects(4)
    for name, value, share in (("saliency", 0.1, 0.3), ("error_map", 0.5, 0.6), ("occlusion", 0.9, 0.5)):
        rows += rho([value] * 4, name) + shares(share, 0.2, name)
    rows = [row for i, row in enumerate(rows) if row not in rows[:i]]
    assert "in 2 of 3 pairs (AE" in band_rho.build(results_of(measurements(rows))).caption


def test_t9_puts_what_was_published_first_and_works_without_truth():
    rows = []
    for protocol in ("linear5/band_mean/signed", "linear5/zero/signed", "linear5/zero/absolute"):
        rows += rho([0.5, 0.4], protocol=protocol)
    frame = band_rho.build(results_of(measurements(rows))).frame
    assert list(zip(frame["removal"], frame["variant"], strict=True)) == [
        ("zero", "absolute"),
        ("zero", "signed"),
        ("band_mean", "signed"),
    ]
    assert frame["verdict"].isna().all()


def test_seeds_share_their_clips():
    rows = pd.DataFrame(rho([0.9, 0.1]) + rho([0.5, 0.3], seed=1)).assign(n_bands=5)
    summary = rho_summary(rows, ["n_bands"], None).iloc[0]
    z = np.arctanh([[0.9, 0.1], [0.5, 0.3]]).mean(axis=0)
    assert summary["value"] == pytest.approx(np.tanh(z.mean()))
    assert (summary["n_clips"], summary["n_seeds"]) == (2, 2)


def test_perfect_orders_of_few_bands_are_clipped_and_counted():
    rows = pd.DataFrame(rho([1.0, 1.0, -1.0])).assign(n_bands=5)
    summary = rho_summary(rows, ["n_bands"], None).iloc[0]
    assert summary["value"] == pytest.approx(np.tanh(np.arctanh(0.95) / 3))
    assert summary["n_clipped"] == 3


def test_reported_numbers_have_counterparts():
    reported = read_reported(REPORTED.with_name("p3.csv"))
    table = clips(6, 6, ("fan", "pump"))
    rows = [
        {"detector": "featex", "machine": clip.machine, "clip_id": clip.clip_id, "value": float(index)}
        | {"metric": "anomaly_score"}
        for index, clip in enumerate(table.itertuples())
    ]
    explainers = ("occlusion", "integrated_gradients", "smooth_grad")
    rows += band_rows(table, ("featex",), explainers, (0,))
    ours = pd.concat(list(band_numbers(results_of(measurements(rows), clips=table))))
    found = set(
        zip(ours["metric"], ours["detector"], ours["explainer"].fillna(""), ours["machine"], strict=True)
    )
    asked = reported[reported["metric"].ne("auc")]
    assert (
        set(zip(asked["metric"], asked["detector"], asked["explainer"], asked["machine"], strict=True))
        <= found
    )
    assert ours.loc[ours["metric"].eq("auc_without_band"), "parameter"].tolist() == list(range(1, 11))
    assert set(ours["protocol"]) == {"as_published"}


def test_numbers_of_studies_without_bands():
    results = results_of(measurements(FAN[:4]), clips=clips(2, 2))
    assert all(part.empty for part in band_numbers(replace(results, study="bare")))
