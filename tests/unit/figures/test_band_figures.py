from __future__ import annotations

import numpy as np
import pytest
from band_toys import band_rows
from illustration_toys import illustration
from study_toys import clips, measurements, results_of

from soundproof.artefacts.registry import ARTEFACTS
from soundproof.figures import band_auc, band_curves, band_examples, rho_histogram
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


@pytest.mark.parametrize("illustrations", [[], [illustration("ae")]])
def test_examples_without_bands_say_why(illustrations):
    finished = ARTEFACTS["F12b_band_examples"].load()(results_of(measurements([])), illustrations)
    assert "Not available: band removal was not measured" in finished.caption


def test_examples_without_maps_say_why(results):
    assert "Not available: no clip" in band_examples.draw(results, []).caption
