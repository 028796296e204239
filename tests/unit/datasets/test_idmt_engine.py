from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundproof.core.errors import DataError
from soundproof.datasets.idmt_engine import dataset
from soundproof.datasets.idmt_engine.dataset import IdmtEngineDataset
from soundproof.datasets.idmt_engine.settings import IdmtEngineParameters

ENGINES = ("engine1_good", "engine2_broken", "engine3_heavyload")


def wav() -> bytes:
    stream = io.BytesIO()
    soundfile.write(
        stream, np.random.default_rng(0).normal(0, 0.1, 300), 44_100, format="WAV", subtype="PCM_24"
    )
    return stream.getvalue()


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """The archive in miniature: per state 4 + 2 cut clips and 2 long takes."""
    with zipfile.ZipFile(tmp_path / "IDMT-ISA-ELECTRIC-ENGINE.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for engine in ENGINES:
            for number in range(4):
                archive.writestr(f"IDMT-ISA-ELECTRIC-ENGINE/train_cut/{engine}/pure_{number}.wav", wav())
            for condition in ("talking_1", "atmo_high"):
                archive.writestr(f"IDMT-ISA-ELECTRIC-ENGINE/test_cut/{engine}/{condition}_0.wav", wav())
            archive.writestr(f"IDMT-ISA-ELECTRIC-ENGINE/train/{engine}/pure.wav", wav())
            archive.writestr(f"IDMT-ISA-ELECTRIC-ENGINE/test/{engine}/stresstest.wav", wav())
        archive.writestr("IDMT-ISA-ELECTRIC-ENGINE/README.pdf", b"%PDF")
    return tmp_path


def engine(folder: Path, **settings: Any) -> IdmtEngineDataset:
    values = {"folder": str(folder), "expected_counts": "any", **settings}
    return IdmtEngineDataset(IdmtEngineParameters(**values), folder)


@pytest.mark.parametrize(
    ("rule", "normal", "anomalies"),
    [
        ({}, {"good"}, {"broken", "heavyload"}),
        ({"anomalies": ("broken",)}, {"good"}, {"broken"}),
        ({"normal": ("good", "heavyload"), "anomalies": ("broken",)}, {"good", "heavyload"}, {"broken"}),
    ],
)
def test_states_become_labels_by_the_rule(rule, normal, anomalies, packed):
    clips = engine(packed, **rule).clips()
    states = clips["clip_id"].str.extract(r"engine_(train|test)_([a-z]+)_")
    assert set(states.loc[clips["split"] == "train", 1]) == normal
    assert set(states.loc[clips["label"] == "anomaly", 1]) == anomalies == set(clips["anomaly_type"].dropna())
    assert (clips["split"] == "train").sum() == 4 * len(normal)
    assert (clips["label"] == "anomaly").sum() == 2 * len(anomalies)
    assert set(clips["attributes"]) == {"condition=pure", "condition=talking_1", "condition=atmo_high"}


@pytest.mark.parametrize(
    "counts", [{"good": 6, "broken": 6, "heavyload": 6}, {"good": 8, "broken": 8, "heavyload": 8}]
)
def test_published_numbers_are_of_cut_clips_or_of_all(counts, packed, monkeypatch):
    monkeypatch.setattr(dataset, "COUNTS", counts)
    assert len(engine(packed, expected_counts="published").clips()) == 4 + 6


def test_other_numbers_name_the_difference(packed, monkeypatch):
    monkeypatch.setattr(dataset, "COUNTS", {"good": 6, "broken": 7, "heavyload": 6})
    with pytest.raises(DataError, match=r"good 6 \(\+0\), broken 6 \(-1\), heavyload 6 \(\+0\)"):
        engine(packed, expected_counts="published").clips()


def test_no_state_is_normal_and_anomalous():
    with pytest.raises(ValueError, match="state 'broken'"):
        IdmtEngineParameters(normal=("good", "broken"))


def test_a_folder_without_archive_is_named(tmp_path):
    with pytest.raises(DataError, match="neither folders nor the zip"):
        engine(tmp_path).clips()
