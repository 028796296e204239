from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from toys.real_audio import real_audio

from soundproof.audio.reading import read_audio
from soundproof.core.errors import DataError
from soundproof.datasets.own.recordings import RecordingsDataset
from soundproof.folders.settings import RecordingsParameters
from soundproof.storage.schemas import CLIPS

RATE = 8_000
REAL = real_audio("mimii", "fan", "id_00")


def write(
    path: Path, seconds: float = 1.0, rate: int = RATE, channels: int = 1, seed: int | None = None
) -> Path:
    """Write noise that differs from path to path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256(str(path).encode()).digest()[:4], "big") if seed is None else seed
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    soundfile.write(str(path), noise, rate)
    return path


def split_folder(folder: Path) -> Path:
    for name in ("train/normal/a.wav", "train/normal/b.wav", "test/normal/c.wav", "test/anomaly/d.wav"):
        write(folder / name)
    return folder


def dataset(folder: Path, **settings: Any) -> RecordingsDataset:
    return RecordingsDataset(RecordingsParameters(folder=str(folder), **settings), folder.parent / "data")


def clips(folder: Path, **settings: Any) -> pd.DataFrame:
    return dataset(folder, **settings).clips().set_index("clip_id", drop=False)


def write_labels(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_split_folders(tmp_path: Path) -> None:
    found = clips(split_folder(tmp_path / "my fan"))
    assert list(found.columns) == CLIPS.names
    assert list(found["clip_id"]) == [
        "test--anomaly--d",
        "test--normal--c",
        "train--normal--a",
        "train--normal--b",
    ]
    row = found.loc["test--anomaly--d"]
    assert (row["machine"], row["split"], row["label"]) == ("my_fan", "test", "anomaly")
    assert (row["sample_rate_hz"], row["n_samples"], row["events"]) == (RATE, RATE, None)
    assert row["sha256"] == hashlib.sha256((tmp_path / "my fan" / row["path"]).read_bytes()).hexdigest()
    assert set(found.loc[found["split"] == "train", "label"]) == {"normal"}


def test_dcase_names(tmp_path: Path) -> None:
    fan = tmp_path / "fan"
    for name in (
        "train/section_00_source_train_normal_0705_m-n_X.wav",
        "train/normal_id_01_00000000.wav",
        "test/section_01_target_test_anomaly_0003_m-n_X.wav",
        "test/anomaly_id_02_00000007.wav",
        "source_test/section_02_source_test_normal_0001.wav",
    ):
        write(fan / name)
    found = clips(fan).set_index("path")
    expected = {
        "train/section_00_source_train_normal_0705_m-n_X.wav": ("train", "normal", "section_00", "source"),
        "train/normal_id_01_00000000.wav": ("train", "normal", "id_01", None),
        "test/section_01_target_test_anomaly_0003_m-n_X.wav": ("test", "anomaly", "section_01", "target"),
        "test/anomaly_id_02_00000007.wav": ("test", "anomaly", "id_02", None),
        "source_test/section_02_source_test_normal_0001.wav": ("test", "normal", "section_02", "source"),
    }
    for path, facts in expected.items():
        domain = found.loc[path, "domain"]
        domain = None if pd.isna(domain) else domain
        assert (*found.loc[path, ["split", "label", "machine_id"]], domain) == facts


def test_mimii_folders_of_several_machines_and_ids(tmp_path: Path) -> None:
    root = tmp_path / "mimii"
    for machine in ("fan", "pump"):
        for number in range(6):
            write(root / machine / "id_00" / "normal" / f"{number:08d}.wav")
        for number in range(2):
            write(root / machine / "id_00" / "abnormal" / f"{number:08d}.wav")
    with pytest.raises(DataError, match=r"fan \(8 clips\), pump \(8 clips\)"):
        clips(root)
    found = clips(root, machines=("fan", "pump"))
    counts = found.groupby(["machine", "split", "label"]).size().to_dict()
    for machine in ("fan", "pump"):
        assert counts[machine, "train", "normal"] == 4
        assert counts[machine, "test", "normal"] == counts[machine, "test", "anomaly"] == 2
    assert set(found["machine_id"]) == {"id_00"}
    assert set(clips(root, machine="both")["machine"]) == {"both"}
    assert set(clips(root / "fan" / "id_00")["machine"]) == {"fan"}


def test_held_out_normals_are_bounded_seeded_and_stable(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    for number in range(10):
        write(folder / "normal" / f"{number}.wav")
        write(folder / "abnormal" / f"{number}.wav")

    def held_out(**settings: Any) -> set[str]:
        found = clips(folder, **settings)
        return set(found.loc[(found["split"] == "test") & (found["label"] == "normal"), "path"])

    assert len(held_out()) == 5
    assert len(held_out(test_share=0.25)) == 2
    assert held_out(test_share=0.25) < held_out()
    assert held_out() == held_out()
    assert any(held_out() != held_out(seed=seed) for seed in range(1, 5))


def test_anomaly_kinds_come_from_folders_below(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "test" / "anomaly" / "leak" / "e.wav")
    found = clips(folder)
    assert found.loc["test--anomaly--leak--e", "anomaly_type"] == "leak"


@pytest.mark.parametrize(
    ("remove", "message"),
    [("train", "normal training clip"), ("test", "no test clips")],
)
def test_a_folder_without_one_side_is_refused(tmp_path: Path, remove: str, message: str) -> None:
    folder = split_folder(tmp_path / "fan")
    shutil.rmtree(folder / remove)
    with pytest.raises(DataError, match=message):
        clips(folder)


def test_an_anomaly_among_the_training_clips_is_refused(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "train" / "anomaly" / "x.wav")
    with pytest.raises(DataError, match=r"train/anomaly/x\.wav"):
        clips(folder)


def test_unlabelled_or_unsorted_clips_are_refused(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    stray = write(folder / "test" / "stray.wav")
    with pytest.raises(DataError, match=r"without label, first 'test/stray\.wav'"):
        clips(folder)
    stray.rename(folder / "normal_stray.wav")
    with pytest.raises(DataError, match=r"in neither, first 'normal_stray\.wav'"):
        clips(folder)


def test_no_folder_and_no_clips(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        clips(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no file that ends in"):
        clips(tmp_path)


def test_the_same_recording_in_train_and_test_is_refused(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    shutil.copy(folder / "train/normal/a.wav", folder / "test/normal/copy.wav")
    with pytest.raises(DataError, match=r"train/normal/a\.wav' and 'test/normal/copy\.wav"):
        clips(folder)


def test_odd_names_give_distinct_plain_ids(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    names = [
        "-a.wav",
        "a b.wav",
        "a_b.wav",
        "Ä.wav",
        "A_B.wav",
        "a.flac",
        "a.wav",
        "x--y.wav",
        "ü" * 60 + ".ogg",
    ]
    for name in names:
        write(folder / "train" / "normal" / name, seed=names.index(name))
    write(folder / "test" / "normal" / "t.wav")
    data = dataset(folder)
    found = data.clips()
    assert set(found["path"]) == {f"train/normal/{name}" for name in names} | {"test/normal/t.wav"}
    assert found["clip_id"].str.lower().is_unique
    assert found["clip_id"].str.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*").all()
    for clip_id in found["clip_id"]:
        assert len(data.read(clip_id).samples) == RATE


def test_a_name_that_begins_with_a_dash_is_read_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "-a.wav")
    monkeypatch.chdir(tmp_path)
    assert len(read_audio(Path("-a.wav")).samples) == RATE


def test_segments_follow_the_rule(tmp_path: Path) -> None:
    folder = tmp_path / "fan"
    long = write(folder / "train" / "normal" / "long.wav", seconds=2.5)
    write(folder / "train" / "normal" / "less.wav", seconds=2.4)
    write(folder / "test" / "normal" / "short.wav", seconds=1.0)
    data = dataset(folder)
    found = data.clips()
    assert found.attrs["segment_seconds"] == 1.0
    assert list(found["clip_id"]) == [
        "test--normal--short",
        *(f"train--normal--less+{n:04d}" for n in range(2)),
        *(f"train--normal--long+{n:04d}" for n in range(3)),
    ]
    samples, _ = soundfile.read(str(long), dtype="float32")
    for number, start in enumerate((0, RATE, 3 * RATE // 2)):
        read = data.read(f"train--normal--long+{number:04d}")
        assert read.rate_hz == RATE
        np.testing.assert_array_equal(read.samples, samples[start : start + RATE])


def test_a_recording_shorter_than_the_segment_is_refused(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "test" / "normal" / "short.wav", seconds=0.5)
    with pytest.raises(DataError, match=r"short\.wav' of 0\.5 s"):
        clips(folder, segment_seconds=1.0)


def test_mixed_rates_give_segments_of_one_duration(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "train" / "normal" / "fast.flac", seconds=3, rate=44_100)
    found = clips(folder)
    fast = found[found["sample_rate_hz"] == 44_100]
    assert len(fast) == 3
    assert set(found["n_samples"] / found["sample_rate_hz"]) == {1.0}


def test_channels(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    path = write(folder / "test" / "normal" / "stereo.wav", channels=2)
    samples, _ = soundfile.read(str(path), dtype="float32")
    mixed = dataset(folder).read("test--normal--stereo").samples
    np.testing.assert_allclose(mixed, samples.mean(axis=1), atol=1e-7)
    first = dataset(folder, channel=0)
    np.testing.assert_array_equal(first.read("test--normal--stereo").samples, samples[:, 0])
    with pytest.raises(DataError, match="1 channels"):
        dataset(folder, channel=1).read("test--normal--c")


LABELS = """path,split,label,machine,onset_s,offset_s,low_hz,high_hz
train/normal/a.wav,train,normal,fan,,,,
train/normal/b.wav,train,normal,fan,,,,
test/normal/c.wav,test,normal,fan,,,,
long.wav,test,anomaly,fan,2.25,3.5,1000,2000
long.wav,test,anomaly,fan,0.5,0.75,,
"""


def test_a_table_gives_several_events_cut_to_the_segments(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "long.wav", seconds=4)
    found = clips(folder, labels=write_labels(tmp_path / "labels.csv", LABELS))
    assert "test--anomaly--d" not in found.index
    assert found.loc["test--normal--c", "events"] is None
    long = found[found["path"] == "long.wav"]
    assert list(long["label"]) == ["anomaly", "normal", "anomaly", "anomaly"]
    assert list(long["events"]) == [
        [{"onset_s": 0.5, "offset_s": 0.75, "low_hz": None, "high_hz": None}],
        [],
        [{"onset_s": 0.25, "offset_s": 1.0, "low_hz": 1000.0, "high_hz": 2000.0}],
        [{"onset_s": 0.0, "offset_s": 0.5, "low_hz": 1000.0, "high_hz": 2000.0}],
    ]


def test_a_table_without_splits_holds_out_normals(tmp_path: Path) -> None:
    folder = split_folder(tmp_path / "fan")
    rows = [
        "path,label",
        *(f"{n},normal" for n in ("train/normal/a.wav", "train/normal/b.wav", "test/normal/c.wav")),
    ]
    labels = write_labels(tmp_path / "labels.csv", "\n".join([*rows, "test/anomaly/d.wav,anomaly"]))
    found = clips(folder, labels=labels)
    assert found.groupby(["split", "label"]).size().to_dict() == {
        ("train", "normal"): 2,
        ("test", "normal"): 1,
        ("test", "anomaly"): 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label,", "labels,", "column 'label'"),
        ("onset_s", "onsets_s", "did you mean 'onset_s'"),
        ("long.wav", "lung.wav", "path 'lung.wav'"),
        ("long.wav", "../long.wav", "not a path inside the folder"),
        ("c.wav,test,normal", "c.wav,test,fine", "use normal or anomaly"),
        ("c.wav,test,normal", "c.wav,valid,normal", "use train or test"),
        ("c.wav,test,normal", "c.wav,,normal", "give every clip a split"),
        ("3.5,1000", "4.5,1000", "in a clip of 4 s"),
        ("2.25,3.5", "3.5,2.25", "onset_s < offset_s"),
        ("2.25,3.5", ",3.5", "onset_s < offset_s"),
        ("2.25,3.5", "2;25,3.5", "decimal point"),
        ("2.25,3.5", "nan,3.5", "decimal point"),
        ("1000,2000", "1000,4001", "up to 4000 Hz"),
        ("1000,2000", "1000,", "or neither"),
        ("0.5,0.75", ",", "rows with and without event"),
        ("long.wav,test,anomaly,fan,2.25", "long.wav,test,normal,fan,2.25", "its rows differ"),
        ("c.wav,test,normal,fan,,", "c.wav,test,normal,fan,0,1", "event in a normal clip"),
        ("c.wav,test,normal,fan", "c.wav,test,normal,pump", "pump"),
    ],
)
def test_errors_in_a_table_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = split_folder(tmp_path / "fan")
    write(folder / "long.wav", seconds=4)
    assert old in LABELS
    count = 2 if old == "long.wav" else 1
    labels = write_labels(tmp_path / "labels.csv", LABELS.replace(old, new, count))
    with pytest.raises(DataError, match=message):
        clips(folder, labels=labels)


def test_unusable_recordings_are_named(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "empty.wav"), np.zeros(0), RATE)
    soundfile.write(str(tmp_path / "dead.wav"), np.full(100, 0.25), RATE)
    soundfile.write(str(tmp_path / "nan.wav"), np.array([0.1, np.nan, 0.2]), RATE, subtype="FLOAT")
    soundfile.write(str(tmp_path / "inf.wav"), np.array([0.1, np.inf, 0.2]), RATE, subtype="FLOAT")
    (tmp_path / "corrupt.wav").write_bytes(b"RIFF and nothing else")
    whole = write(tmp_path / "cut.flac", seconds=5).read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    for name, message in (
        ("empty", "no samples"),
        ("dead", "all 100 samples read are 0.25"),
        ("nan", "1 samples are NaN or infinite"),
        ("inf", "1 samples are NaN or infinite"),
        ("corrupt", "corrupt.wav"),
        ("missing", "missing.wav"),
    ):
        with pytest.raises(DataError, match=message):
            read_audio(tmp_path / f"{name}.wav")
    with pytest.raises(DataError, match=r"cut\.flac"):
        read_audio(tmp_path / "cut.flac")


def test_an_unknown_clip_names_its_neighbours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean one of: train--normal--a"):
        dataset(split_folder(tmp_path / "fan")).read("train--normal--aa")


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real MIMII recordings are not at {REAL}")
def test_real_mimii_fan() -> None:
    data = dataset(REAL)
    found = data.clips()
    assert found.groupby(["split", "label"]).size().to_dict() == {
        ("train", "normal"): 10,
        ("test", "normal"): 10,
        ("test", "anomaly"): 20,
    }
    assert set(found["machine"]) == {"fan"}
    assert set(found["n_samples"]) == {160_000}
    # The levels that the recordings' own notes state: normal -44.3 to -43.6, abnormal -40.3 to -38.6 dBFS.
    for label, low, high in (("normal", -44.35, -43.55), ("anomaly", -40.35, -38.55)):
        for clip_id in found.loc[found["label"] == label, "clip_id"]:
            samples = data.read(clip_id).samples.astype(np.float64)
            assert low < 20 * np.log10(np.sqrt(np.mean(samples**2))) < high
