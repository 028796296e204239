import numpy as np
import pytest
from toys.study import PERCENTILES, clips, full_study, measurements, results_of, without

from soundproof.analysis.criteria import all_criteria, chance_per_clip
from soundproof.analysis.favours import favours
from soundproof.analysis.notes import aupro_note, band_note
from soundproof.tables import band_faithfulness as band_rho
from soundproof.tables import claims, quality

CRITERIA = {criterion.name: criterion for criterion in all_criteria()}


@pytest.fixture(scope="module")
def study():
    return full_study(n_each=5)


@pytest.fixture(scope="module")
def built(study):
    return quality.build(study)


def rho_rows(n_clips=6, protocol="mel5/clip_median_spectrum/signed", seeds=(0, 1)):
    rng = np.random.default_rng(1)
    ids = list(clips(n_clips, n_clips)["clip_id"])[n_clips:]
    return [
        {"detector": "ae", "explainer": name, "metric": "band_rho", "protocol": protocol, "parameter": 5.0}
        | {"clip_id": clip_id, "seed": seed, "value": float(rng.choice([1.0, 0.9, 0.3, -0.2]))}
        for name in ("error_map", "saliency")
        for clip_id in ids
        for seed in seeds
    ]


@pytest.mark.parametrize("scale", ["linear5", "mel5", "octave5"])
@pytest.mark.parametrize("rest", ["zero/absolute", "clip_median_spectrum/signed", "band_mean/signed"])
def test_quality_and_band_faithfulness_print_one_estimate_of_rho_whatever_the_bands(scale, rest):
    results = results_of(measurements(rho_rows(protocol=f"{scale}/{rest}")))
    of_quality = quality.build(results).frame.set_index("explainer")
    of_bands = band_rho.build(results).frame.set_index("explainer")
    for ours, theirs in (
        ("band_rho", "value"),
        ("band_rho_ci_low", "ci_low"),
        ("band_rho_ci_high", "ci_high"),
    ):
        np.testing.assert_array_equal(of_quality[ours], of_bands.loc[of_quality.index, theirs])
    caption = quality.build(results).caption
    assert "Band ρ" not in caption.split("Not measured here")[1]
    assert "beyond 0.950" in caption and scale[:-1] in caption


def test_band_faithfulness_shows_the_limit_the_clipped_and_the_plain_mean():
    results = results_of(measurements(rho_rows()))
    table = band_rho.build(results)
    row = table.frame.set_index("explainer").loc["error_map"]
    values = [r["value"] for r in rho_rows() if r["explainer"] == "error_map"]
    assert row["limit"] == pytest.approx(1 - 6 / (5**3 - 5))
    assert row["n_clipped"] == sum(value == 1.0 for value in values) > 0
    assert row["mean_rho"] == pytest.approx(np.mean(values))
    assert {"Clipped at", "Clipped", "Plain mean ρ"} <= {column.header for column in table.formats}
    assert "1 - 6/(K³ - K)" in table.caption


def test_flag_all_stands_in_quality_and_in_the_claims(study, built):
    frame = built.frame
    assert frame["segment_f1_flag_all"].to_numpy() == pytest.approx(0.42)
    assert frame["cell_auroc_flag_all"].isna().all()
    told = claims.build(study).frame
    rows = told[told["claim"].str.contains("above flagging every segment")]
    assert len(rows) and set(rows["there"]) == {claims.UNREPORTED}
    # the toy's curves lie around 0.45 to 0.75
    assert rows["difference"].notna().all()
    row = rows[rows["claim"].str.startswith("AE") & rows["claim"].str.contains("Error map")].iloc[0]
    above = told[told["claim"].eq(row["claim"].replace("flagging every segment", "chance"))].iloc[0]
    base = np.mean([0.45 - 0.012 * (p - 90) for p in PERCENTILES])
    assert above["difference"] - row["difference"] == pytest.approx(0.42 - base)


def test_published_f1_is_compared_with_the_chance_of_its_own_peaks():
    row = {"detector": "ae", "explainer": "saliency", "metric": "segment_f1", "parameter": 98.0}
    row |= {"clip_id": "fan_030"}
    values = {"chance_uniform": 0.5, "chance_uniform_as_published": 0.8}
    frame = measurements([row | {"protocol": name, "value": value} for name, value in values.items()])
    chance = chance_per_clip(results_of(frame), claims.F1, "ae", "chance_uniform")
    assert chance["saliency"].item() == 0.8
    chance = chance_per_clip(results_of(frame), CRITERIA["segment_f1"], "ae", "chance_uniform")
    assert chance["saliency"].item() == 0.5


def test_the_interval_of_aupro_is_of_the_clips_influences(study, built):
    frame = built.frame
    assert (frame["aupro_ci_low"] < frame["aupro"]).all() and (frame["aupro"] < frame["aupro_ci_high"]).all()
    assert frame["aupro_chance_uniform"].to_numpy() == pytest.approx(0.15)
    # the mean over influences is the area of the set
    rows = study.measurements
    of_set = rows[rows["metric"].eq("aupro") & rows["protocol"].eq("")]
    expected = of_set.groupby(["detector", "explainer"])["value"].mean()
    found = frame.set_index(["detector", "explainer"])["aupro"]
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), atol=1e-12)


def test_aupros_caption_says_limit_regions_and_false_positives(study, built):
    note = aupro_note(study)
    assert "rate of 0.3 over regions of at least 4 cells (30; 70 smaller ones are ignored" in note
    assert "40% in the fault's frames, outside its bands (25%)" in note
    assert note in built.caption
    assert aupro_note(without(study, "aupro")) == ""
    assert band_note(without(study, "band_rho")) == ""


def test_both_backgrounds_stand_in_quality_each_beside_its_own_chance(built):
    for metric in ("deletion_auc", "insertion_auc"):
        values = [built.frame[f"{metric}_{kind}"] for kind in ("reconstruction", "clip_median")]
        assert not np.allclose(*values)
        for kind in ("reconstruction", "clip_median"):
            assert (built.frame[f"{metric}_{kind}_chance_uniform"] == 0.5).all()
    assert "favour the error map by construction" in built.caption
    # zero and the band median were not measured, but deletion was
    assert "Deletion AUC" not in built.caption.split("Not measured here")[-1]


def test_without_any_background_deletion_is_missing_by_its_plain_name(study):
    lacking = without(study, "deletion_auc", "segment_f1", "aupro", "aupro_regions")
    missing = quality.build(lacking).caption.split("Not measured here: ")[1]
    of_relevance = ["Relevance mass", "Relevance rank", "Pointing game"]
    of_sets = ["Frame AUROC (set)", "Cell AUROC (set)", "Cell MSE (ratio)"]
    first = ["Segment F1 (p98)", "AU-PRO", *of_relevance, *of_sets, "FF frame (background)"]
    assert missing.split(", ")[: len(first)] == first
    assert "Deletion AUC." in missing or "Deletion AUC," in missing
    assert "zero" not in missing


def test_favours_are_said_only_where_they_act():
    assert favours(["cell_auroc", "deletion_auc_clip_median"]) == ""
    assert "Occlusion" in favours(["insertion_auc_zero"])
    assert favours(["ff_segment"]).startswith(" FF is built on the reconstruction error")


def test_shifted_curves_stand_beside_ff(built):
    assert (built.frame["ff_frame_chance_shift"] < built.frame["ff_frame_chance_uniform"]).all()
