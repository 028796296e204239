"""Families of explainable detectors and what members ask and give, by hand."""

from dataclasses import replace

import pytest
from toys.study import clips, measurements, results_of

from soundproof.attribution.registry import EXPLAINERS
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.printing import printed
from soundproof.tables import coverage, families

FAMILIES = {"vae": "generative", "odin": "input perturbation", "flow": "generative"}
SCORES = {"vae": (1, 2, 3, 4), "odin": (1, 3, 2, 4), "flow": (4, 3, 2, 1)}


def study():
    ids = [f"fan_{number:03d}" for number in range(4)]
    rows = [
        {"detector": label, "metric": "anomaly_score", "machine": "fan", "clip_id": clip_id, "value": value}
        for label, values in SCORES.items()
        for clip_id, value in zip(ids, values, strict=True)
    ]
    for clip_id, cell in zip(ids[2:], (0.6, 0.8), strict=True):
        of_clip = {"detector": "vae", "metric": "cell_auroc", "machine": "fan", "clip_id": clip_id}
        rows += [
            of_clip | {"explainer": "error_map", "value": cell},
            of_clip | {"explainer": "error_map", "protocol": "chance_uniform", "value": 0.5},
            of_clip | {"explainer": "input_map", "value": 0.55},
            of_clip | {"explainer": "error_map", "metric": "constant_map", "value": float(cell > 0.7)},
        ]
    titles = {"vae": "VAE", "odin": "ODIN", "flow": "Flow"}
    return results_of(
        measurements(rows),
        clips=clips(2, 2),
        families=FAMILIES,
        detector_titles=titles,
        detector_kinds={"flow": "fastflow"},
    )


def test_members_stand_by_family_with_score_map_chance_and_input():
    frame = families.build(study()).frame.set_index("detector")
    assert frame.index.tolist() == ["vae", "flow", "odin"]
    assert frame["auc"].to_dict() == pytest.approx({"vae": 1, "flow": 0, "odin": 0.75})
    found = frame.loc["vae"]
    assert found[["cell_auroc", "cell_auroc_chance_uniform", "cell_auroc_input"]].tolist() == pytest.approx(
        [0.7, 0.5, 0.55]
    )
    assert found["constant"] == "1 of 2"
    assert frame.loc["odin", "cell_auroc"] != frame.loc["odin", "cell_auroc"]


def test_a_member_that_lacks_what_its_user_brings_has_a_row_that_says_so():
    missing = [{"title": "CLAP", "family": "input perturbation", "reason": "weights missing: place them"}]
    table = families.build(replace(study(), absent=missing))
    # behind the measured members of its family
    assert table.frame["detector_title"].tolist() == ["VAE", "Flow", "ODIN", "CLAP"]
    last = printed(table).iloc[-1]
    assert last["Not measured"] == "weights missing: place them"
    assert last.drop(["Family", "Detector", "Not measured"]).eq("–").all()
    assert printed(table)["Not measured"].tolist()[:-1] == ["–"] * 3
    # nobody is told of what is not missing
    assert "absent" not in families.build(study()).frame


def test_a_study_without_scores_says_so():
    assert "Not available" in families.build(results_of(measurements([]))).caption


def test_coverage_is_read_from_the_registries():
    frame = coverage.build(study()).frame.set_index("member")
    assert frame.loc["VAE", ["needs_training", "post_hoc", "quantified"]].tolist() == ["yes", "no", "yes"]
    assert frame.loc["ODIN", "quantified"] == "no"
    assert frame.loc["CLAP zero-shot", ["needs_training", "post_hoc", "gives_map"]].tolist() == [
        "no",
        "no",
        "yes",
    ]
    assert frame.loc["Saliency", ["needs_training", "post_hoc"]].tolist() == ["no", "yes"]
    assert frame.loc["Latent attention", "post_hoc"] == "of a detector with latents to look through"
    with_map = [entry for entry in DETECTORS.values() if "map" in entry.offers]
    explaining = [entry for entry in EXPLAINERS.values() if not entry.control and not entry.made_elsewhere]
    assert len(frame) == len(with_map) + len(explaining)


def test_a_setting_can_move_a_detector_to_another_family():
    entry = DETECTORS["vae"]
    assert entry.family_of(entry.settings({})) == "generative"
    assert entry.family_of(entry.settings({"own_map": "attention"})) == "attention"
