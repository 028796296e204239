from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from soundproof.core.errors import DataError
from soundproof.datasets.own.spectrograms import SpectrogramFolder
from soundproof.folders.settings import SpectrogramFolderParameters
from soundproof.folders.spectrogram_files import read_spectrogram
from soundproof.storage.schemas import CLIPS

CLIP_PATHS = ("train/normal/a.pt", "train/normal/b.npy", "test/normal/c.pt", "test/anomaly/d.npy")


def matrix(name: str, shape: tuple[int, ...] = (3, 8)) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        torch.save(torch.from_numpy(values), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in CLIP_PATHS:
        write(tmp_path / "press" / name, matrix(name))
    return tmp_path / "press"


def dataset(folder: Path, **settings: Any) -> SpectrogramFolder:
    values = {"folder": str(folder), "frames_per_second": 4.0, "high_hz": 8_000.0, **settings}
    return SpectrogramFolder(SpectrogramFolderParameters(**values), folder.parent)


def test_clips_and_maps(folder: Path) -> None:
    data = dataset(folder)
    clips = data.clips()
    assert list(clips.columns) == CLIPS.names
    assert list(zip(clips["split"], clips["label"], strict=True)) == [
        ("test", "anomaly"),
        ("test", "normal"),
        ("train", "normal"),
        ("train", "normal"),
    ]
    assert set(clips["machine"]) == {"press"}
    assert clips["events"].isna().all()
    assert clips.attrs == {"n_freq": 3, "n_frames": 8, "frames_per_second": 4.0}
    for clip_id, path in zip(clips["clip_id"], clips["path"], strict=True):
        values = data.read(clip_id)
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, matrix(path))
    assert data.frames_per_second == 4.0


def test_frequencies(folder: Path) -> None:
    np.testing.assert_allclose(
        dataset(folder, scale="linear", low_hz=0.0, high_hz=100.0).frequencies_hz, [0.0, 50.0, 100.0]
    )
    # HTK: m is proportional to log10(1 + f/700). Edges where that is 0 and 4 put three centres where it is 1, 2, 3.
    mel = dataset(folder, low_hz=0.0, high_hz=700.0 * (10**4 - 1)).frequencies_hz
    np.testing.assert_allclose(mel, [6_300.0, 69_300.0, 699_300.0])


def test_a_label_table_gives_events_inside_the_clip(folder: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    header = "path,split,label,onset_s,offset_s"
    rows = f"{header}\ntrain/normal/a.pt,train,normal,,\ntest/anomaly/d.npy,test,anomaly,0.5,{{}}\n"
    labels.write_text(rows.format("2.0"))
    clips = dataset(folder, labels=str(labels)).clips().set_index("split")
    assert clips.loc["test", "events"] == [{"onset_s": 0.5, "offset_s": 2.0, "low_hz": None, "high_hz": None}]
    labels.write_text(rows.format("2.5"))
    with pytest.raises(DataError, match="in a clip of 2 s"):
        dataset(folder, labels=str(labels)).clips()


def test_shapes_that_differ_are_named(folder: Path) -> None:
    write(folder / "test" / "normal" / "long.pt", matrix("long", (3, 9)))
    with pytest.raises(DataError) as caught:
        dataset(folder).clips()
    assert "[3, 9] in 1 files, as 'test/normal/long.pt'" in caught.value.found
    assert "[3, 8] in 4 files" in caught.value.found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((3, 8), np.nan, np.float32), "24 values are NaN"),
        (np.full((3, 8), 2.5, np.float32), "all values are 2.5"),
        (np.ones(8, np.float32), "shape"),
        (np.ones((2, 3, 8), np.float32), "shape"),
        (np.ones((0, 8), np.float32), "shape"),
        (np.ones((3, 8), np.complex64), "complex"),
    ],
)
@pytest.mark.parametrize("suffix", [".pt", ".npy"])
def test_unusable_maps_are_refused(tmp_path: Path, values: np.ndarray, message: str, suffix: str) -> None:
    write(tmp_path / f"x{suffix}", values)
    with pytest.raises(DataError, match=message):
        read_spectrogram(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("suffix", [".pt", ".npy"])
def test_leading_axes_of_one_and_integers_are_taken(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"x{suffix}", np.arange(6, dtype=np.int16).reshape(1, 2, 3))
    np.testing.assert_array_equal(read_spectrogram(tmp_path / f"x{suffix}"), [[0, 1, 2], [3, 4, 5]])


class Trap:
    """Leaves a mark wherever it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save(Trap(mark), tmp_path / "x.pt")
    np.save(tmp_path / "x.npy", np.array([Trap(mark)], dtype=object), allow_pickle=True)
    for suffix in (".pt", ".npy"):
        with pytest.raises(DataError, match="x"):
            read_spectrogram(tmp_path / f"x{suffix}")
    assert not mark.exists()


@pytest.mark.parametrize("suffix", [".pt", ".npy"])
@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_corrupt_files_are_data_errors(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(DataError, match="x"):
        read_spectrogram(tmp_path / f"x{suffix}")


def test_a_tensor_inside_something_else_and_an_unknown_clip(folder: Path) -> None:
    torch.save({"spectrogram": torch.zeros(3, 8)}, folder / "test" / "normal" / "dict.pt")
    with pytest.raises(DataError, match="a dict"):
        dataset(folder).clips()
    with pytest.raises(DataError, match="did you mean"):
        dataset(folder).read("train--normal--aa")


def test_leaks_are_refused(folder: Path) -> None:
    write(folder / "test" / "normal" / "copy.npy", matrix("train/normal/b.npy"))
    with pytest.raises(DataError, match="are in both"):
        dataset(folder).clips()
