from pathlib import Path

import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis.by_backbone import by_backbone, without_controls
from soundproof.analysis.verdict import judge_detectors
from soundproof.config.load import load_study
from soundproof.config.stages import Stages
from soundproof.figures.backbones_overview import draw
from soundproof.tables.backbones import build

STUDIES = Path(__file__).parents[3] / "config" / "studies"
BACKBONES = {"padim": "cnn9", "padim_random": "random", "patchcore": "cnn9", "patchcore_none": "none"}
KINDS = {"padim_random": "padim", "patchcore_none": "patchcore"}
# how many of six anomalous clips lie above all six normal ones; the others lie below them
FOUND = {"padim": 6, "patchcore": 3, "padim_random": 2, "patchcore_none": 0, "gaussian": 6}
CELLS = {"padim": 0.9, "padim_random": 0.6}


def study(backbones=BACKBONES, kinds=KINDS, controls=None):
    table = clips(6, 6)
    rows = []
    for detector, found in FOUND.items():
        for index, clip in enumerate(table.itertuples()):
            value = 0.0 if index < 6 else (1.0 if index - 6 < found else -1.0)
            common = {"detector": detector, "machine": "fan", "clip_id": clip.clip_id}
            rows.append(common | {"metric": "anomaly_score", "value": value})
            if index >= 6 and detector in CELLS:
                for explainer, shift in (("own", 0.0), ("random_map", -0.4)):
                    measured = common | {"explainer": explainer, "metric": "cell_auroc"}
                    rows.append(measured | {"value": CELLS[detector] + shift + 0.01 * (index % 2)})
                    rows.append(measured | {"value": 0.5, "protocol": "chance_uniform"})
    titles = {name: name for name in (*BACKBONES, "gaussian")}
    return results_of(
        measurements(rows),
        clips=table,
        detector_titles=titles,
        detector_kinds=kinds,
        explainer_titles={"own": "Error map", "random_map": "Random"},
        explainer_kinds={"own": "error_map"},
        backbones=backbones,
        controls=controls or {},
    )


def test_each_backbone_has_its_own_clip_and_cell_areas():
    frame = by_backbone(study()).set_index("detector")
    # those of a kind stand together, in the order of their first
    assert list(frame.index) == ["padim", "padim_random", "patchcore", "patchcore_none"]
    assert frame["auc"].to_dict() == pytest.approx(
        {"padim": 1, "padim_random": 2 / 6, "patchcore": 3 / 6, "patchcore_none": 0}
    )
    # the own map alone, not the other explainer's
    assert frame.loc["padim", "cell_auroc"] == pytest.approx(0.905)
    assert frame.loc["padim_random", "cell_auroc"] == pytest.approx(0.605)
    assert frame.loc["padim", "cell_chance_uniform"] == 0.5
    assert 0.9 <= frame.loc["padim", "cell_auroc_ci_low"] <= 0.905 <= frame.loc["padim", "cell_auroc_ci_high"]
    assert frame.loc[["patchcore", "patchcore_none"], "cell_auroc"].isna().all()
    assert frame["backbone_title"].tolist()[1] == "Random weights (control)"


def test_what_training_adds_is_the_difference_to_the_control_by_hand():
    controls = {"padim": ["padim_random"], "patchcore": ["patchcore_none"]}
    frame = by_backbone(study(controls=controls)).set_index("detector")
    assert frame.loc["padim", "beyond_random"] == pytest.approx(4 / 6)
    assert (
        0 < frame.loc["padim", "beyond_random_ci_low"] < 4 / 6 < frame.loc["padim", "beyond_random_ci_high"]
    )
    assert frame.loc["patchcore", "beyond_none"] == pytest.approx(3 / 6)
    # a control has none itself, and none is made up where it is missing
    assert frame.loc["padim_random", ["beyond_random", "beyond_none"]].isna().all()
    assert frame.loc["padim", "beyond_none"] != frame.loc["padim", "beyond_none"]


def test_the_page_says_first_whether_training_may_be_credited():
    won = judge_detectors(study(controls={"padim": ["padim_random"]}))
    words = {judgement.detector: judgement.words for judgement in won}
    assert "Its network's training adds to it: padim_random reaches 0.33, +0.67 [" in words["padim"].replace(
        "(", ""
    )
    lost = judge_detectors(study(controls={"padim_random": ["padim"]}))
    words = {judgement.detector: judgement.words for judgement in lost}
    assert "may not be credited to the network's training: padim reaches 1.00, -0.67" in words["padim_random"]
    assert "credited" not in words["padim"]


def test_controls_are_the_same_detector_with_all_else_equal():
    controls = Stages(load_study("envmix", STUDIES)).controls()
    assert controls["patchcore_corrected"] == ["patchcore_random", "patchcore_none"]
    # as published it has other settings, so that a difference would not be the network's
    assert controls["patchcore"] == [] and controls["stfpm"] == []
    assert Stages(load_study("envmix_cnn14", STUDIES)).controls()["padim_corrected"] == [
        "padim_random",
        "padim_none",
    ]
    assert "patchcore_random" not in controls and "gaussian" not in controls


def test_a_missing_control_is_said():
    said = without_controls(study())
    assert len(said) == 2
    assert "PaDiM has no row with the backbone 'none'" in said[0]
    assert "PatchCore has no row with the backbone 'random'" in said[1]
    assert without_controls(study({"padim_random": "random"})) == ()


def test_a_control_that_cannot_be_is_said_as_such():
    kinds = {"padim": "stfpm", "padim_random": "stfpm"}
    (said,) = without_controls(study({"padim": "cnn9", "padim_random": "random"}, kinds))
    assert said == "STFPM has no row with the backbone 'none': it learns what a network makes of clips."


def test_the_table_and_the_figure_say_what_is_missing():
    table = build(study({}))
    assert "no detector of the study stands on a backbone" in table.frame["reason"].iloc[0]
    assert draw(study({})).frame.empty


def test_the_figure_draws_the_table_s_numbers():
    table, figure = build(study()), draw(study())
    assert figure.frame.equals(table.frame)
    assert figure.warnings == table.warnings != ()
    clip, cell = figure.figure.axes
    markers = [line for line in clip.lines if line.get_marker() not in ("None", None, "")]
    assert sorted(line.get_xdata()[0] for line in markers) == pytest.approx([0, 2 / 6, 3 / 6, 1])
    assert [label.get_text() for label in clip.get_yticklabels()] == ["PaDiM", "PatchCore"]
    assert cell.get_title().startswith("Cell AUROC")
