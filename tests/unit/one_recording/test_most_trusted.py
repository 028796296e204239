"""The explanation that the study trusts most, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundproof.analysis.verdict import Answer, Verdict
from soundproof.core.errors import ArtefactError, ConfigError
from soundproof.exhibits.finished import FinishedTable, absent
from soundproof.exhibits.writing import write_finished_table
from soundproof.one_recording.choice import most_trusted
from soundproof.storage.provenance import Provenance
from soundproof.tables import quality, verdict

RECORD = Provenance(stage="tables")
PARTLY, NO = str(Verdict.PARTLY), str(Verdict.NO)


def tables_of(folder, full, **changes):
    """Tables of the toy study, its rows as ``changes`` say: (detector, explainer)=columns."""
    made = verdict.build(full)
    frame = made.frame.assign(verdict=NO, detector_answer="yes", localisation="no", faithfulness="no")
    for name, values in changes.items():
        row = (frame["detector"] + "_" + frame["explainer"]).eq(name)
        assert row.sum() == 1
        frame.loc[row, list(values)] = list(values.values())
    write_finished_table(FinishedTable(frame, made.caption, made.formats), folder, "verdict", "V", RECORD)
    write_finished_table(quality.build(full), folder, "quality", "Q", RECORD)
    return folder


def chosen(*arguments, **options):
    found = most_trusted(*arguments, **options)
    return found.detector, found.explainer


def test_the_best_verdict_comes_first(tmp_path, full):
    folder = tables_of(
        tmp_path, full, mae_saliency={"verdict": PARTLY}, ae_grad_cam={"verdict": str(Verdict.OPEN)}
    )
    assert chosen(folder) == ("mae", "saliency")
    # what cannot be said is better than what was found wanting
    assert chosen(folder, detector="ae") == ("ae", "grad_cam")
    assert chosen(folder, explainer="error_map") == ("ae", "error_map")
    assert chosen(folder, left_out={"saliency"}) == ("ae", "grad_cam")


def test_then_a_detector_that_holds_then_the_most_aspects_then_the_most_criteria(tmp_path, full):
    both = {"verdict": PARTLY, "localisation": "yes", "faithfulness": "yes"}
    lost = both | {"detector_answer": "no"}
    one = {"verdict": PARTLY, "localisation": "yes"}
    assert chosen(tables_of(tmp_path, full, ae_saliency=lost, mae_saliency=one)) == ("mae", "saliency")
    assert chosen(tables_of(tmp_path, full, ae_saliency=one, mae_grad_cam=both)) == ("mae", "grad_cam")
    worse, better = one | {"cell_auroc": "no", "aupro": "no"}, one | {"cell_auroc": "yes", "aupro": "yes"}
    assert chosen(tables_of(tmp_path, full, ae_saliency=worse, mae_saliency=better)) == ("mae", "saliency")


def test_the_control_of_another_detector_comes_after_it(tmp_path, full):
    two = {"ae_saliency": {"verdict": PARTLY}, "mae_saliency": {"verdict": PARTLY, "localisation": "yes"}}
    assert chosen(tables_of(tmp_path, full, **two)) == ("mae", "saliency")
    assert chosen(tables_of(tmp_path, replace(full, controls={"ae": ["mae"]}), **two)) == ("ae", "saliency")


def test_verdicts_of_an_older_version_say_so(tmp_path, full):
    made = verdict.build(full)
    old = FinishedTable(made.frame.drop(columns="detector_is_control"), made.caption, made.formats)
    write_finished_table(old, tmp_path, "verdict", "V", RECORD)
    with pytest.raises(ArtefactError, match="an older version wrote it"):
        most_trusted(tmp_path)


def test_level_with_a_simple_detector_is_no_loss(tmp_path, full):
    level = {"verdict": PARTLY, "detector_answer": str(Answer.PARTLY)}
    assert chosen(tables_of(tmp_path, full, ae_saliency=level, mae_saliency={"verdict": PARTLY})) == (
        "ae",
        "saliency",
    )


def test_the_evidence_is_that_of_the_tables(tmp_path, full):
    folder = tables_of(tmp_path, full, mae_saliency={"verdict": PARTLY})
    found = most_trusted(folder)
    row = quality.build(full).frame.set_index(["detector", "explainer"]).loc[("mae", "saliency")]
    evidence = {one.title: one for one in found.evidence}
    assert evidence["Cell AUROC"].value == row["cell_auroc"] and evidence["Cell AUROC"].decides
    assert evidence["Cell AUROC"].chance == row["cell_auroc_chance_uniform"] == 0.5
    assert "against" in evidence["Cell AUROC"].cell.evidence
    assert found.row.name.startswith("Saliency of MAE") and found.detector_words
    assert not any(np.isinf(one.value) for one in found.evidence)


def test_names_that_the_study_does_not_know_and_a_study_without_explanations(tmp_path, full):
    folder = tables_of(tmp_path / "a", full)
    for options, said in (
        ({"detector": "mea"}, "did you mean 'mae'"),
        ({"explainer": "random_map"}, "controls have no verdict"),
        ({"left_out": set(verdict.build(full).frame["explainer"])}, "add an explainer"),
    ):
        with pytest.raises(ConfigError) as caught:
            most_trusted(folder, **options)
        assert said in str(caught.value)
    nothing = absent("the study explains no detector", verdict.FORMATS, "")
    write_finished_table(nothing, tmp_path / "b", "verdict", "V", RECORD)
    with pytest.raises(ArtefactError) as caught:
        most_trusted(tmp_path / "b")
    assert caught.value.found == "the study explains no detector" and "'explain: true'" in caught.value.remedy
