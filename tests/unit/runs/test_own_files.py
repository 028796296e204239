"""What became of one's own files since a result was made from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toys.own_sources import ROWS, choice, layout, sound, table

from soundproof.attribution.registry import EXPLAINERS
from soundproof.config.demands import demands_of
from soundproof.config.model import Study
from soundproof.core.choice import ExplainerChoice
from soundproof.folders.sources import joint, map_digests, source_digests
from soundproof.runs import inputs_of
from soundproof.runs.expected import Expected
from soundproof.runs.own_files import own_maps, own_sources
from soundproof.runs.verify import check, check_origin
from soundproof.storage.provenance import Provenance, Stated
from soundproof.storage.tables import write_table
from workflow_scripts.list_clips import list_clips

STUDY = {
    "name": "own",
    "detectors": {"ae": {"kind": "skip_cae", "explain": True}},
    "explainers": {"saliency": {}},
    "scope": "pooled",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def study(folder: Path, **settings) -> Study:
    chosen = choice(folder, **settings)
    return Study.model_validate({**STUDY, "dataset": chosen.plain()})


def listed(own: Study, path: Path) -> Expected:
    """A clips table that fits."""
    digest = joint(source_digests(own.dataset))
    expected = Expected(
        path=path,
        rule="list_clips",
        step="features",
        stage="clips",
        settings={**own.dataset.plain(), "licence": "mine"},
        own=own_sources(own),
    )
    list_own(own, path, expected.stated(), digest)
    return expected


def list_own(own: Study, path: Path, record: Stated, digest: str | None) -> None:
    notes, run = path.with_name("notes.parquet"), {"studies": [own.name], "recordings": None}
    plain = own.dataset.plain()
    # toys: what later stages need is tested elsewhere
    demands = demands_of(own) | {"features": None, "least_normal": 1}
    demands["explain"] = {"clips": "test", "per_machine": None}
    list_clips(plain, record, Path("data"), path, notes, digest, demands, own.name, run)


def found(expected: Expected) -> str:
    # without a record of the workflow, the footer must be enough
    origin = check_origin(expected)
    details = [finding.detail for finding in check([expected])]
    assert details == ([origin.detail] if origin else [])
    return "; ".join(details)


def replace(path: Path) -> None:
    sound(path, 99)


def test_what_was_changed_deleted_and_added_is_said(tmp_path):
    folder = layout(tmp_path / "fan")
    expected = listed(study(folder), tmp_path / "clips.parquet")
    assert found(expected) == ""
    for path in folder.rglob("*.wav"):
        path.touch()
    assert found(expected) == ""
    replace(folder / "train/normal/a.wav")
    assert found(expected) == "recordings or labels have changed since (changed: train/normal/a.wav)"
    (folder / "test/normal/c.wav").unlink()
    sound(folder / "test/normal/NEW.WAV", 5)
    assert found(expected) == (
        "recordings or labels have changed since (changed: train/normal/a.wav; deleted: test/normal/c.wav; "
        "new: test/normal/NEW.WAV)"
    )


def test_long_lists_of_changes_are_counted(tmp_path):
    folder = layout(tmp_path / "fan")
    for number in range(9):
        sound(folder / f"train/normal/{number}.wav", 100 + number)
    expected = listed(study(folder), tmp_path / "clips.parquet")
    for number in range(9):
        (folder / f"train/normal/{number}.wav").unlink()
    assert "(deleted: train/normal/0.wav, " in found(expected) and found(expected).endswith(
        "4.wav and 4 more)"
    )


def test_a_changed_table_is_said(tmp_path):
    folder = layout(tmp_path / "fan")
    labels = table(folder, ROWS.format(more="test/anomaly/d.wav,test,anomaly\n"))
    expected = listed(study(folder, labels=str(labels)), tmp_path / "clips.parquet")
    assert found(expected) == ""
    labels.write_text(labels.read_text() + "train/normal/b.wav,train,normal\n")
    assert found(expected) == "recordings or labels have changed since (new: train/normal/b.wav)"
    labels.write_text(ROWS.format(more="test/anomaly/d.wav,test,anomalous\n"))
    assert found(expected) == "recordings or labels have changed since (changed: labels.csv)"


def test_results_from_before_files_were_tracked_do_not_fit(tmp_path):
    own = study(layout(tmp_path / "fan"))
    expected = listed(own, tmp_path / "clips.parquet")
    list_own(own, expected.path, expected.stated(), None)
    assert found(expected).startswith("recordings or labels have changed since")


def maps_of(folder: Path, path: Path) -> Expected:
    """A file of attributions by external maps that fits."""
    chosen = ExplainerChoice.from_plain(EXPLAINERS, "mine", {"kind": "external", "path": str(folder)})
    own = Study.model_validate(
        {**STUDY, "dataset": {"kind": "bench"}, "explainers": {"mine": chosen.plain()}}
    )
    expected = Expected(
        path=path,
        rule="attribute_clips",
        step="attribution",
        stage="attributions",
        settings={},
        own=own_maps(own, "mine"),
    )
    inputs = inputs_of.foreign_maps(map_digests(own.explainers["mine"]))
    write_table(pd.DataFrame({"value": [1.0]}), path, Provenance.of_record(expected.stated(), inputs))
    return expected


def test_changed_maps_made_elsewhere_are_said(tmp_path):
    (tmp_path / "maps").mkdir()
    for name in ("a", "b"):
        np.save(tmp_path / f"maps/{name}.npy", np.ones((2, 2)))
    expected = maps_of(tmp_path / "maps", tmp_path / "attributions.parquet")
    assert found(expected) == ""
    np.save(tmp_path / "maps/a.npy", np.zeros((2, 2)))
    (tmp_path / "maps/b.npy").unlink()
    assert found(expected) == "maps of 'mine' have changed since (changed: a.npy; deleted: b.npy)"


def test_a_changed_table_of_maps_made_elsewhere_is_said(tmp_path):
    (tmp_path / "maps.parquet").write_bytes(b"one")
    expected = maps_of(tmp_path / "maps.parquet", tmp_path / "attributions.parquet")
    assert found(expected) == ""
    (tmp_path / "maps.parquet").write_bytes(b"two")
    assert found(expected) == "maps of 'mine' have changed since (changed: maps.parquet)"
