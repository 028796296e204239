from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundproof.core.errors import ArtefactError
from soundproof.storage.maps import ROWS_PER_GROUP, Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import read_provenance, write_table

GRID = Axes((50.0, 100.0, 150.0), 25.0, 4, "dB")
RECORD = Provenance(stage="features", settings={"b": 1, "a": [2.5, None]}, seed=3)


def some_maps(count: int) -> tuple[list[str], np.ndarray]:
    values = np.random.default_rng(count).normal(size=(count, 3, 4)).astype(np.float32)
    return [f"clip_{index:03d}" for index in range(count)], values


def write(path: Path, count: int, batch: int = 7) -> tuple[list[str], np.ndarray]:
    ids, values = some_maps(count)
    with MapWriter(path, GRID, RECORD) as writer:
        for start in range(0, count, batch):
            writer.append(ids[start : start + batch], values[start : start + batch])
    return ids, values


def test_maps_come_back_in_file_order_with_axes_and_provenance(tmp_path: Path) -> None:
    path = tmp_path / "maps.parquet"
    ids, values = write(path, 10)
    reader = MapReader(path)
    assert reader.clip_ids == ids and len(reader) == 10 and "clip_003" in reader and "x" not in reader
    assert reader.axes == GRID and reader.axes.shape == (3, 4)
    np.testing.assert_array_equal(reader.read(), values)
    assert read_provenance(path) == RECORD


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 149), max_size=30), size=st.integers(1, 40))
def test_any_selection_in_any_order_and_batching(tmp_path: Path, order: list[int], size: int) -> None:
    path = tmp_path / "maps.parquet"
    if not path.exists():
        write(path, 150)
    ids, values = some_maps(150)
    wanted = [ids[index] for index in order]
    reader = MapReader(path)
    np.testing.assert_array_equal(reader.read(wanted), values[order])
    batches = list(reader.batches(size, wanted))
    assert [clip_id for chunk, _ in batches for clip_id in chunk] == wanted
    assert all(len(chunk) == len(maps) <= size for chunk, maps in batches)
    joined = np.concatenate([maps for _, maps in batches]) if batches else np.empty((0, 3, 4))
    np.testing.assert_array_equal(joined, values[order])


def test_bytes_do_not_depend_on_how_maps_are_handed_over(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    write(one, 150, batch=1)
    write(other, 150, batch=149)
    assert one.read_bytes() == other.read_bytes()


def test_row_groups_bound_what_is_held_and_what_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "maps.parquet"
    ids, _ = write(path, 150)
    facts = pq.ParquetFile(path).metadata
    sizes = [facts.row_group(group).num_rows for group in range(facts.num_row_groups)]
    assert sizes == [ROWS_PER_GROUP, ROWS_PER_GROUP, 150 - 2 * ROWS_PER_GROUP]

    decoded: list[int] = []
    original = pq.ParquetFile.read_row_group

    def counting(self: pq.ParquetFile, group: int, **options: object) -> object:
        decoded.append(group)
        return original(self, group, **options)

    reader = MapReader(path)
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    for _ in reader.batches(5, ids[:20] + ids[140:]):
        pass
    assert decoded == [0, 2]


def test_the_writer_lets_go_of_maps_that_are_written(tmp_path: Path) -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0
    with MapWriter(tmp_path / "maps.parquet", GRID, RECORD) as writer:
        for index in range(3 * ROWS_PER_GROUP):
            values = np.full((1, 3, 4), index, np.float32)
            alive.append(weakref.ref(values))
            writer.append([str(index)], values)
            del values
            gc.collect(0)
            most = max(most, sum(ref() is not None for ref in alive))
    assert most <= ROWS_PER_GROUP + 1


def test_masks_are_kept_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "masks.parquet"
    mask = np.zeros((1, 3, 4), bool)
    mask[0, 1, 2] = True
    with MapWriter(path, GRID.with_unit("fault"), RECORD, "uint8") as writer:
        writer.append(["a"], mask)
    reader = MapReader(path)
    assert reader.read().dtype == np.uint8 and reader.axes.unit == "fault"
    np.testing.assert_array_equal(reader.read()[0], mask[0])


def test_a_file_may_be_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "masks.parquet"
    with MapWriter(path, GRID, RECORD):
        pass
    assert len(MapReader(path)) == 0
    assert MapReader(path).read().shape == (0, 3, 4)


@pytest.mark.parametrize("wrong", [np.zeros((1, 4, 3)), np.zeros((2, 3, 4)), np.full((1, 3, 4), np.nan)])
def test_a_map_that_does_not_fit_leaves_no_file(tmp_path: Path, wrong: np.ndarray) -> None:
    path = tmp_path / "maps.parquet"
    with pytest.raises(ArtefactError), MapWriter(path, GRID, RECORD) as writer:
        writer.append(["good"], np.ones((1, 3, 4)))
        writer.append(["bad"], wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_clip_with_a_broken_value_is_named(tmp_path: Path) -> None:
    values = np.zeros((3, 3, 4))
    values[1, 2, 3] = np.inf
    with (
        pytest.raises(ArtefactError, match="NaN or infinity in clip 'b'"),
        MapWriter(tmp_path / "maps.parquet", GRID, RECORD) as writer,
    ):
        writer.append(["a", "b", "c"], values)


def test_an_interrupted_writer_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "maps.parquet"
    write(path, 5)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), MapWriter(path, GRID, RECORD) as writer:
        writer.append(*some_maps(100))
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_last_group_that_cannot_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with (
        pytest.raises(OSError, match="no space"),
        MapWriter(tmp_path / "maps.parquet", GRID, RECORD) as writer,
    ):
        writer.append(*some_maps(3))
        monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    assert list(tmp_path.iterdir()) == []


def test_missing_clips_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path, table = tmp_path / "maps.parquet", tmp_path / "table.parquet"
    write(path, 3)
    with pytest.raises(ArtefactError, match=r"clip 'x'.*\n.*2 are missing"):
        MapReader(path).read(["clip_000", "x", "y"])
    write_table(pd.DataFrame({"a": [1]}), table, RECORD)
    with pytest.raises(ArtefactError, match="a table without axes"):
        MapReader(table)


@given(
    st.builds(
        Axes,
        st.lists(st.floats(0, 1e5), min_size=1, max_size=5).map(tuple),
        st.floats(0.1, 1e4),
        st.integers(1, 10_000),
        st.text(max_size=9),
    )
)
def test_axes_survive_their_encoding(axes: Axes) -> None:
    assert Axes.decode(axes.encode()) == axes
