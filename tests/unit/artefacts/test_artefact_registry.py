from __future__ import annotations

import subprocess
import sys

import pytest
from study_toys import measurements, results_of, without

from soundproof.exhibits.finished import FinishedTable
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import write_finished_table
from soundproof.storage.provenance import Provenance

TABLES = [name for name, entry in ARTEFACTS.items() if entry.kind == "table"]


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


@pytest.mark.parametrize("name", TABLES)
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
    assert "reason" in ARTEFACTS["T2_temporal_f1"].load()(unlabelled).frame
    faithful = ARTEFACTS["T3_faithfulness"].load()(unlabelled)
    assert set(faithful.frame["level"]) == {"frame"}
    quality = ARTEFACTS["quality"].load()(unlabelled)
    assert "segment_f1" not in quality.frame
    assert "Not measured here: Segment F1 (p98)" in quality.caption
