"""Headline numbers and the README's table."""

import pandas as pd
import pytest

from soundproof.core.errors import ArtefactError
from soundproof.exhibits.finished import Column, FinishedTable
from soundproof.exhibits.writing import read_finished_table, write_finished_table
from soundproof.report.headline import headline, headline_sentence, study_warnings
from soundproof.report.readme import headline_table, refresh_readme, refreshed
from soundproof.storage.provenance import Provenance


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    detection = pd.DataFrame(
        {"detector_title": ["AE", "SVM"], "detector": ["ae", "svm"], "auc": [0.91239, None]}
    )
    quality = pd.DataFrame(
        {
            "detector_title": ["AE", "AE"],
            "explainer_title": ["Saliency", "Occlusion"],
            "detector": ["ae", "ae"],
            "explainer": ["saliency", "occlusion"],
            "cell_auroc": [0.7, 0.8],
            "cell_auroc_ci_low": [0.6, 0.75],
            "cell_auroc_ci_high": [0.8, 0.85],
            "cell_auroc_chance_uniform": [0.5, 0.5],
        }
    )
    for name, frame, warnings in (
        ("detection", detection, ("loudness alone separates the classes",)),
        ("quality", quality, ()),
    ):
        columns = (Column("Detector", "detector_title"),)
        table = FinishedTable(frame, "caption", columns, warnings)
        write_finished_table(table, folder, name, name, Provenance(stage="test"))
    return folder


def test_headline_leaves_out_what_is_undefined(tables):
    numbers = headline(tables)
    assert numbers["detection"] == {"ae": 0.9124}
    assert numbers["explanation"]["ae"] == {"saliency": {"cell_auroc": 0.7}, "occlusion": {"cell_auroc": 0.8}}


def test_sentence_names_the_best_beside_chance(tables):
    assert headline_sentence(tables) == "Best by cell AUROC: Occlusion of AE, 0.80, chance 0.50."
    assert study_warnings(tables) == ("loudness alone separates the classes",)


def test_what_outdoes_a_detector_is_said_before_its_explanations_are_praised(tables):
    frame = read_finished_table(tables, "detection").frame
    frame = frame.assign(beaten_by="", not_better_than="")
    frame.loc[frame["detector"] == "ae", ["beaten_by", "not_better_than"]] = ["Gaussian", "Level (control)"]
    table = FinishedTable(frame, "caption", (Column("Detector", "detector_title"),))
    write_finished_table(table, tables, "detection", "detection", Provenance(stage="test"))
    said = "AE is beaten by Gaussian and is not shown to be better than Level (control)"
    said += " at telling the classes apart."
    assert headline_table(tables).startswith(f"{said}\n\n| detector")


def quality_table(folder, rows):
    columns = (Column("Detector", "detector_title"),)
    table = FinishedTable(pd.DataFrame(rows), "caption", columns, ())
    write_finished_table(table, folder, "quality", "quality", Provenance(stage="test"))


def test_the_input_and_flagging_everything_stand_beside_the_best(tables):
    row = {"detector_title": "AE", "detector": "ae", "segment_f1": 0.7, "segment_f1_flag_all": 0.71}
    row |= {"segment_f1_ci_low": 0.6, "segment_f1_ci_high": 0.8, "segment_f1_chance_uniform": 0.55}
    best = row | {"explainer": "error_map", "explainer_title": "Error map", "cell_auroc": 0.77}
    shown = row | {"explainer": "the_clip", "explainer_title": "Input", "cell_auroc": 0.675}
    quality_table(tables, [best, shown])
    # areas lead: a win over chance is a win there, while flagging everything may win segment F1
    said = headline_sentence(tables, ["the_clip"])
    assert said == "Best by cell AUROC: Error map of AE, 0.77, the input itself 0.68."
    quality_table(tables, [best | {"cell_auroc": 0.6}, shown])
    # a rival is not named beside itself
    assert headline_sentence(tables, ["the_clip"]) == "Best by cell AUROC: Input of AE, 0.68."
    quality_table(tables, [{key: value for key, value in best.items() if key != "cell_auroc"}])
    assert headline_sentence(tables) == (
        "Best by segment F1 (p98): Error map of AE, 0.70, chance 0.55, flagging every segment 0.71."
    )
    assert "| 0.70 [0.60, 0.80] / 0.55 / 0.71" in headline_table(tables)


def test_lowest_deletion_is_best_and_what_the_reconstruction_favours_is_said(tables):
    rows = [
        {"detector_title": "AE", "detector": "ae", "explainer": name, "explainer_title": name}
        | {"deletion_auc_reconstruction": value, "deletion_auc_clip_median": 1 - value}
        for name, value in (("error_map", 0.2), ("occlusion", 0.4))
    ]
    quality_table(tables, rows)
    assert headline_sentence(tables) == "Best by deletion AUC (reconstruction): error_map of AE, 0.20."
    table = headline_table(tables)
    assert "deletion AUC (clip median)" in table
    assert "favour the error map by construction" in table


def test_readme_block_is_replaced_and_the_rest_kept(tables, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- headline: generated -->\nold\n<!-- /headline -->\nafter\n")
    assert refresh_readme(readme, tables)
    text = readme.read_text()
    assert text.startswith("before\n<!-- headline: generated -->\n|")
    assert text.endswith("<!-- /headline -->\nafter\n")
    assert "| AE         | Occlusion   | 0.80 [0.75, 0.85] / 0.50 |" in text
    assert "old" not in text
    assert not refresh_readme(readme, tables)


def test_missing_markers_are_said(tables):
    with pytest.raises(ArtefactError, match="markers"):
        refreshed("no markers here", tables)
