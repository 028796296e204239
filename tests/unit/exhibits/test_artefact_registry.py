from __future__ import annotations

import re
import subprocess
import sys

import pandas as pd
import pytest
from toys.study import REPORTED, measurements, results_of, without

from soundproof.exhibits.finished import FinishedTable
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import read_finished_table, write_finished_table
from soundproof.storage.provenance import Provenance

TABLES = [name for name, entry in ARTEFACTS.items() if entry.kind == "table"]
# the toy study has no detector on a backbone or that names individuals, ranks no sets, repairs no clips and says
# nothing in words; test_by_backbone, test_pretext, test_levels, test_repairs_table and test_sentences do
OF_OTHER_STUDIES = {
    "backbones",
    "context_sentences",
    "contexts",
    "families",
    "levels",
    "levels_by_machine",
    "perturbation",
    "pretext",
    "repairs",
    "sentences",
}


def test_the_registry_is_light():
    heavy = "{'pandas', 'matplotlib', 'scipy', 'torch'}"
    code = f"import sys, soundproof.exhibits.registry; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_every_implementation_exists():
    for entry in ARTEFACTS.values():
        assert callable(entry.load()), entry.name


@pytest.mark.parametrize("name", TABLES)
def test_without_measurements_there_is_a_reason(name, tmp_path):
    table = ARTEFACTS[name].load()(results_of(measurements([])))
    assert isinstance(table, FinishedTable)
    assert table.frame["reason"].str.len().gt(10).all()
    write_finished_table(table, tmp_path, name, ARTEFACTS[name].title, Provenance(stage="test"))


@pytest.mark.parametrize("name", [name for name in TABLES if name not in OF_OTHER_STUDIES])
def test_full_study(name, full, tmp_path):
    entry = ARTEFACTS[name]
    table = entry.load()(full)
    assert len(table.frame) > 1
    assert "Not available" not in table.caption
    write_finished_table(table, tmp_path, name, entry.title, Provenance(stage="test"))
    text = (tmp_path / f"{name}.md").read_text()
    assert "nan" not in text.lower().replace("explanan", "")
    if name not in ("cost", "reproduction"):
        assert "chance" in text.lower()


def test_unlabelled_data_still_has_faithfulness(full):
    unlabelled = without(
        full, "segment_f1", "ff_segment", "frame_auroc", "cell_auroc", "cell_ap", "aupro", "iou"
    )
    assert "reason" in ARTEFACTS["temporal_localisation"].load()(unlabelled).frame
    faithful = ARTEFACTS["faithfulness"].load()(unlabelled)
    assert set(faithful.frame["level"]) == {"frame"}
    quality = ARTEFACTS["quality"].load()(unlabelled)
    assert "segment_f1" not in quality.frame
    assert "Not measured here: Segment F1 (p98)" in quality.caption


def test_names_say_what_an_artefact_holds_and_numbers_are_the_papers():
    assert not [name for name in ARTEFACTS if re.match(r"[TF]\d", name)]
    regenerated = {}
    for entry in ARTEFACTS.values():
        for paper, numbers in entry.reported_as.items():
            regenerated.setdefault(paper, set()).update(numbers)
    assert set(regenerated) == {"P1", "P2", "P3"}
    for paper, numbers in regenerated.items():
        reported = pd.read_csv(REPORTED.with_name(f"{paper.lower()}.csv"))
        assert numbers == set(reported["artefact"])


def test_the_printed_caption_says_what_is_regenerated(tmp_path):
    empty = results_of(measurements([]))
    for name, said in (
        ("faithfulness", "Regenerates F-P1-6a, F-P1-6b, T-P1-3 (as numbered in config/reported/p1.csv)."),
        ("quality", ""),
    ):
        write_finished_table(ARTEFACTS[name].load()(empty), tmp_path, name, name, Provenance(stage="test"))
        caption = read_finished_table(tmp_path, name).caption
        assert caption.endswith(said) and ("Regenerates" in caption) == bool(said)
        assert caption in (tmp_path / f"{name}.md").read_text()
