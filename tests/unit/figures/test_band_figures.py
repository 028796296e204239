from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys.bands import band_rows
from toys.illustrations import illustration
from toys.study import clips, measurements, results_of

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.figures import auc_without_bands_overview as band_auc
from soundproof.figures import band_examples
from soundproof.figures import band_faithfulness_by_replacement as rho_by_removal
from soundproof.figures import band_faithfulness_of_clips as rho_histogram
from soundproof.figures import band_relevance_and_effect as band_curves
from soundproof.statistics.rank_null import spearman_null


@pytest.fixture(scope="module")
def results():
    table = clips(4, 4)
    rows = band_rows(table, ("ae",), ("error_map", "random_map"), (0,), (3, 5))
    rows += [
        {
            "detector": "ae",
            "machine": "fan",
            "metric": "anomaly_score",
            "value": float(i % 5),
            "clip_id": clip,
        }
        for i, clip in enumerate(table["clip_id"])
    ]
    return results_of(measurements(rows), clips=table)


def test_band_curves_are_shares_of_the_finest_partition(results):
    finished = band_curves.draw(results)
    frame = finished.frame
    assert set(frame["n_bands"]) == {5}
    sums = frame.fillna({"explainer": "", "removal": ""}).groupby(["explainer", "removal"])["value"].sum()
    np.testing.assert_allclose(sums, 1.0)
    titles = [axes.get_title() for axes in finished.figure.axes if axes.axison]
    assert titles == ["Error map", "Random (control)"]
    assert any(text.get_text().startswith("ρ = ") for text in finished.figure.axes[0].texts)


def test_the_null_of_the_histogram_is_that_of_random_orders(results):
    finished = rho_histogram.draw(results)
    np.testing.assert_allclose(finished.frame.groupby(["explainer", "removal"])["share"].sum(), 1.0)
    dashed = [patch for patch in finished.figure.axes[0].patches if patch.get_linestyle() == "--"]
    (drawn,) = [patch.get_data().values for patch in dashed]
    null = spearman_null(5)
    assert drawn.sum() == pytest.approx(1)
    assert drawn[-1] == pytest.approx(null.probabilities[null.rho >= 0.8 - 1e-9].sum())
    assert "exact" in finished.caption


def test_auc_without_bands_has_the_intact_line_and_chance(results):
    finished = band_auc.draw(results)
    axes = finished.figure.axes[0]
    levels = {line.get_label(): line.get_ydata()[0] for line in axes.get_lines()}
    intact = finished.frame[finished.frame["band"].eq(0)]["value"].item()
    assert levels["Chance"] == 0.5
    assert levels["intact"] == pytest.approx(intact)


def test_examples_draw_the_edges_of_the_measured_partition(results):
    one = illustration("ae")
    finished = band_examples.draw(results, [one])
    assert finished.frame.groupby("explainer")["band"].max().eq(5).all()
    relevance = one.maps["saliency"]
    frequencies = np.asarray(one.axes.frequencies_hz)
    top = finished.frame[finished.frame["explainer"].eq("saliency") & finished.frame["band"].eq(5)].iloc[0]
    inside = frequencies > top["low_hz"]
    assert top["mean_absolute_relevance"] == pytest.approx(np.abs(relevance[inside]).mean())
    edges = [line for line in finished.figure.axes[0].get_lines() if line.get_color() == "#00A0A0"]
    assert len(edges) == 4
    assert "fan_bearing_007" in finished.caption


def test_examples_have_a_row_per_machine_and_a_block_per_detector(results):
    shown = [
        illustration(detector, machine=machine, clip_id=f"{machine}_7")
        for detector in ("ae", "mae")
        for machine in ("fan", "valve")
    ]
    finished = band_examples.draw(results, shown)
    panels = finished.frame.groupby(["detector", "machine", "explainer"]).ngroups
    assert panels == 2 * 2 * len(shown[0].maps)
    rows = [axes.get_ylabel() for axes in finished.figure.axes if axes.get_ylabel()]
    assert rows == ["fan\nFrequency (kHz)", "valve\nFrequency (kHz)"] * 2
    assert "fan_7, valve_7" in finished.caption


def test_bands_are_ticked_in_kilohertz_where_frequencies_are_known(results):
    known = replace(results, frequencies_hz=tuple(range(100, 1100, 100)))
    axes = band_auc.draw(known).figure.axes[0]
    # five linear bands of two bins each: their edges lie half-way between centres
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "0.1",
        "0.25",
        "0.45",
        "0.65",
        "0.85",
        "1",
    ]
    assert list(axes.get_xticks()) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert "kHz" in axes.get_xlabel()
    assert "Band" in band_curves.draw(results).figure.axes[-1].get_xlabel()


def test_rho_by_removal_draws_every_mean_and_says_how_far_occlusion_leads():
    table = clips(6, 6)
    names = ("occlusion", "saliency", "random_map")
    results = results_of(measurements(band_rows(table, ("ae",), names, (0,), (5,))), clips=table)
    finished = rho_by_removal.draw(results)
    frame = finished.frame.set_index(["explainer", "removal"])["value"]
    assert len(frame) == 6
    axes = finished.figure.axes[0]
    drawn = {
        line.get_label(): line.get_xdata() for line in axes.get_lines() if "replaced" in line.get_label()
    }
    for removal, label in REMOVAL_TITLES.items():
        if removal != "band_mean":
            want = [frame[name, removal] for name in results.explainers(names)]
            np.testing.assert_allclose(drawn[f"replaced by {label}"], want)
    gap = frame["occlusion", "zero"] - max(frame[name, "zero"] for name in names[1:])
    assert f"{gap:+.2f} (zero)" in finished.caption


def test_rho_by_removal_without_rho_says_so():
    finished = rho_by_removal.draw(results_of(measurements([])))
    assert "Not available" in finished.caption


@pytest.mark.parametrize("illustrations", [[], [illustration("ae")]])
def test_examples_without_bands_say_why(illustrations):
    finished = ARTEFACTS["band_examples"].load()(results_of(measurements([])), illustrations)
    assert "Not available: band removal was not measured" in finished.caption


def test_examples_without_maps_say_why(results):
    assert "Not available: no clip" in band_examples.draw(results, []).caption
