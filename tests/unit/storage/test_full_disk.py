"""Every writer on a disk that is too small, or that cannot be written: what is said, and what is left."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from safetensors.torch import save_file

from soundproof.core.errors import StorageError
from soundproof.storage.files import is_partial, remove_partials, require_writable, whole_file
from soundproof.storage.maps import Axes, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import write_table
from soundproof.training.checkpoint import load_checkpoint, save_checkpoint

RECORD = Provenance(stage="scores")
RNG = np.random.default_rng(0)
# random, so that nothing compresses; more than a small disk holds
N = 200_000


def table(folder: Path) -> None:
    write_table(pd.DataFrame({"a": RNG.standard_normal(N)}), folder / "a.parquet", RECORD)


def maps(folder: Path) -> None:
    with MapWriter(folder / "a.parquet", Axes(tuple(range(64)), 10.0, 64, "dB"), RECORD) as writer:
        for number in range(100):
            writer.append([str(number)], RNG.standard_normal((1, 64, 64)))


def checkpoint(folder: Path) -> None:
    save_checkpoint(folder / "a.pt", "fingerprint", {"weights": torch.randn(N)})


def weights(folder: Path) -> None:
    with whole_file(folder / "a.safetensors") as partial:
        save_file({"weights": torch.randn(N)}, partial)


def picture(folder: Path) -> None:
    figure = Figure(figsize=(6, 6), dpi=300)
    figure.subplots().imshow(RNG.standard_normal((900, 900)))
    with whole_file(folder / "a.png") as partial:
        figure.savefig(partial)


def text(folder: Path) -> None:
    with whole_file(folder / "a.md") as partial:
        partial.write_text("a" * 8 * N, encoding="utf-8")


writers = pytest.mark.parametrize("write", [table, maps, checkpoint, weights, picture, text])
Writer = Callable[[Path], None]


@writers
def test_a_full_disk_is_named_with_what_to_do_and_nothing_is_left(write: Writer, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(100_000))
    with pytest.raises(StorageError) as caught:
        write(small_disk)
    assert f"write {small_disk}/a." in caught.value.asked
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    assert caught.value.found == f"the disk is full: {free} bytes are free there, and the file needs more"
    assert "free some room" in caught.value.remedy and "kept" in caught.value.remedy
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@writers
def test_a_read_only_disk_is_named(
    write: Writer, tmp_path: Path, make_read_only: Callable[[Path], None]
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    make_read_only(folder)
    with pytest.raises(StorageError, match="a read-only file system") as caught:
        write(folder / "deep")
    assert "make the folder writable" in caught.value.remedy
    with pytest.raises(StorageError, match=r"results.* is read-only"):
        require_writable(folder / "bench")


def test_a_full_disk_keeps_the_checkpoint_before(small_disk: Path) -> None:
    path = small_disk / "a.pt"
    save_checkpoint(path, "fingerprint", {"weights": torch.ones(10_000)})
    with pytest.raises(StorageError, match="the disk is full"):
        save_checkpoint(path, "fingerprint", {"weights": torch.ones(N)})
    state = load_checkpoint(path, "fingerprint")
    assert state is not None and torch.equal(state["weights"], torch.ones(10_000))


def test_a_limit_on_file_sizes_is_named(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageError, match="the file is too big"):
            text(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_an_input_without_permission_is_not_taken_for_the_output(tmp_path: Path) -> None:
    elsewhere = tmp_path / "recordings" / "a.wav"
    with pytest.raises(PermissionError), whole_file(tmp_path / "results" / "a.parquet"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(elsewhere))


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    study = tmp_path / "bench" / "p1"
    study.mkdir(parents=True)
    kept = [study / name for name in ("a.parquet", ".hidden", "b.part.parquet", "c.zip.part")]
    left = [study / ".a.12.part.parquet", study.parent / ".metrics.9.part.json"]
    for path in (*kept, *left):
        path.touch()
    assert [is_partial(path) for path in (*kept, *left)] == [False] * 4 + [True] * 2
    assert remove_partials(tmp_path) == 2
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
