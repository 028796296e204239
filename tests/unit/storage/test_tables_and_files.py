from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from soundproof.core.errors import ArtefactError
from soundproof.storage.files import whole_file, whole_folder
from soundproof.storage.provenance import KEY, Provenance
from soundproof.storage.tables import read_provenance, read_table, write_table

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("value", pa.float64())])
RECORD = Provenance(stage="scores", settings={"x": 1})


def test_a_table_comes_back_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.parquet"
    write_table(pd.DataFrame({"name": ["a", "b"], "value": [1, None]}, index=[7, 8]), path, RECORD, SCHEMA)
    frame = read_table(path)
    assert frame["name"].tolist() == ["a", "b"] and frame["value"].isna().tolist() == [False, True]
    assert pq.ParquetFile(path).schema_arrow.remove_metadata() == SCHEMA
    assert list(read_table(path, ["value"]).columns) == ["value"]
    assert read_provenance(path) == RECORD


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["a"], "value": [0.1]})
    write_table(frame, tmp_path / "1.parquet", RECORD, SCHEMA)
    write_table(frame.copy(), tmp_path / "2.parquet", RECORD, SCHEMA)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (pd.DataFrame({"name": ["a"], "value": [1.0], "more": [2]}), "more"),
        (pd.DataFrame({"value": [1.0]}), "name"),
        (pd.DataFrame({"name": ["a", None], "value": [1.0, 2.0]}), "had 1 null values"),
        (pd.DataFrame({"name": ["a"], "value": ["high"]}), "high"),
    ],
    ids=["extra column", "missing column", "empty cell", "wrong type"],
)
def test_a_frame_that_does_not_fit_is_refused_and_leaves_nothing(
    tmp_path: Path, frame: pd.DataFrame, found: str
) -> None:
    with pytest.raises(ArtefactError, match="make the frame fit its schema") as caught:
        write_table(frame, tmp_path / "table.parquet", RECORD, SCHEMA)
    assert found in caught.value.found
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_tells_to_run_the_workflow(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="run the workflow"):
        read_table(tmp_path / "nothing.parquet")


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_a_truncated_file_is_not_mistaken_for_a_result(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "table.parquet"
    write_table(pd.DataFrame({"value": range(1000)}), path, RECORD)
    path.write_bytes(path.read_bytes()[:kept])
    for read in (read_table, read_provenance):
        with pytest.raises(ArtefactError, match=r"not whole Parquet.*\n.*delete and regenerate"):
            read(path)


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=str(tmp_path)):
        read_table(tmp_path)


def test_a_table_of_another_origin_has_no_provenance(tmp_path: Path) -> None:
    path = tmp_path / "foreign.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ArtefactError, match="none in its schema metadata"):
        read_provenance(path)
    assert KEY not in (pq.ParquetFile(path).schema_arrow.metadata or {})


@pytest.mark.parametrize("name", ["table.parquet", "figure.pdf", "weights.safetensors", "manifest.json"])
def test_a_file_appears_whole_under_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "folder" / name
    with whole_file(path) as partial:
        partial.write_text("half", encoding="utf-8")
        assert not path.exists()
        assert partial.parent == path.parent and partial.suffix == path.suffix
        assert partial.name.startswith(".")
        partial.write_text("whole", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(failure), whole_file(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise failure
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_neither_a_result_nor_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    leftover = tmp_path / ".table.99999.part.parquet"
    leftover.write_bytes(b"PAR1 half a table")
    with pytest.raises(ArtefactError, match="no such file"):
        read_table(path)
    write_table(pd.DataFrame({"a": [1]}), path, RECORD)
    assert read_table(path)["a"].tolist() == [1]


def test_a_result_is_readable_by_whom_the_folder_allows(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as partial:
        partial.write_text("a")
        partial.chmod(0o600)
    beside = tmp_path / "b.txt"
    beside.write_text("b")
    assert path.stat().st_mode == beside.stat().st_mode


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "tree") as partial:
        (partial / "a").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "tree") as partial:
        (partial / "a").write_text("whole")
        assert not (tmp_path / "tree").exists()
    assert (tmp_path / "tree/a").read_text() == "whole"


def test_a_folder_that_another_process_finished_first_stays(tmp_path):
    with whole_folder(tmp_path / "tree") as partial:
        (partial / "a").write_text("second")
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree/a").write_text("first")
    assert (tmp_path / "tree/a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
