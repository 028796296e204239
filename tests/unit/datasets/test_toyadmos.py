from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundproof.core.errors import DataError
from soundproof.datasets.toyadmos.dataset import ToyadmosDataset
from soundproof.datasets.toyadmos.settings import ToyadmosParameters, needed

RATE_HZ = 48_000


def toyadmos(folder: Path, **settings: Any) -> ToyadmosDataset:
    values = {"machines": ("ToyCar",), "folder": str(folder), "seconds": 0.01, **settings}
    return ToyadmosDataset(ToyadmosParameters(**values), folder)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Case 1: eight normal and three anomalous takes, one continuous take; channel n is n/10 throughout."""
    names = [
        *(f"NormalSound_IND/11000{n:05d}_ToyCar_case1_normal_IND" for n in range(8)),
        *(f"AnomalousSound_IND/11010{n:05d}_ToyCar_case1_ab{n:02d}_IND" for n in range(3)),
    ]
    for number, name in enumerate(names, 1):
        write(tmp_path / "ToyCar/case1", name, number, 500)
    write(tmp_path / "ToyCar/case1", "NormalSound_CNT/1100110001_ToyCar_case1_normal_CNT", 1, 480 * 3 + 300)
    return tmp_path


def write(folder: Path, name: str, number: int, n_samples: int) -> None:
    for channel in range(1, 5):
        path = folder / f"{name}_ch{channel}_{number:04d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = np.full(n_samples, channel / 10)
        sound[::2] *= 0.5
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")


def counts(clips) -> dict:
    return clips.groupby(["split", "label"]).size().to_dict()


def test_as_many_normal_takes_as_anomalous_ones_are_tested(tree):
    clips = toyadmos(tree).clips()
    assert counts(clips) == {("train", "normal"): 5, ("test", "normal"): 3, ("test", "anomaly"): 3}
    assert set(clips["machine_id"]) == {"case1"}
    assert sorted(clips["anomaly_type"].dropna()) == ["ab00", "ab01", "ab02"]
    assert set(clips["n_samples"]) == {480}


def test_continuous_takes_train_in_pieces(tree):
    clips = toyadmos(tree, training="continuous").clips()
    # three whole pieces and a fourth, aligned to the end, for the remainder of 300 of 480 samples
    assert counts(clips) == {("train", "normal"): 4, ("test", "normal"): 4, ("test", "anomaly"): 3}
    train = clips[clips["split"] == "train"]["clip_id"]
    assert train.iloc[0] == "1100110001_ToyCar_case1_normal_CNT_ch1_0001+0000"
    assert train.str.contains("_CNT_").all()


def test_one_microphone_is_read(tree):
    for channel in (1, 4):
        data = toyadmos(tree, channel=channel)
        clips = data.clips()
        assert clips["clip_id"].str.contains(f"_ch{channel}_").all()
        assert data.read(clips["clip_id"][0]).samples.max() == pytest.approx(channel / 10, abs=1e-4)


def test_a_packed_machine_says_how_to_unpack_it(tmp_path):
    (tmp_path / "ToyCar.7z.001").write_bytes(b"7z")
    with pytest.raises(DataError, match="not unpacked") as error:
        toyadmos(tmp_path).unpack()
    assert "7z x ToyCar.7z.001" in error.value.remedy


def test_a_name_that_contradicts_its_folders_is_refused(tree):
    path = next((tree / "ToyCar/case1/AnomalousSound_IND").glob("*_ab00_IND_ch1_*"))
    path.rename(path.with_name(path.name.replace("_ab00_", "_normal_")))
    with pytest.raises(DataError, match="not the scheme"):
        toyadmos(tree).clips()


def test_a_case_that_is_not_there_is_named(tree):
    with pytest.raises(DataError, match="case 3 of 'ToyCar'"):
        toyadmos(tree, cases=(1, 3)).clips()


def test_takes_shorter_than_the_clips_are_named(tree):
    with pytest.raises(DataError, match="set 'seconds'"):
        toyadmos(tree, seconds=0.02).clips()


def test_all_parts_of_the_machines_are_needed():
    names = [item.remote.name for item in needed(ToyadmosParameters(machines=("ToyConveyor",)))]
    assert names == ["LICENSE.pdf", *(f"ToyConveyor.7z.00{n}" for n in range(1, 8))]
