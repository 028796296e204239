from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.core.errors import ArtefactError
from soundproof.storage.measurements import COLUMNS, Block, blocks_of, collect, complete, rows_of
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table

CLIPS = pd.DataFrame(
    {
        "clip_id": ["a", "b", "c"],
        "dataset": "bench",
        "machine": ["fan", "fan", "valve"],
        "snr_db": [0.0, 6.0, None],
    }
)


def rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"metric": ["m", "m", "m"], "clip_id": ["c", "a", None], "value": [1.0, 2.0, 3.0]} | columns
    )


def completed(frame: pd.DataFrame) -> pd.DataFrame:
    return complete(frame, CLIPS, study="s", detector="ae", seed=4, machine="all")


def test_rows_are_completed_by_what_was_measured() -> None:
    out = completed(rows(explainer=["x", "x", "x"], parameter=[90, 95, None]))
    assert list(out.columns) == MEASUREMENTS.names
    assert out["machine"].tolist() == ["valve", "fan", "all"]
    assert out["snr_db"].isna().tolist() == [True, False, True]
    assert out.loc[1, "snr_db"] == 0.0
    assert out["parameter"].tolist()[:2] == [90.0, 95.0]
    for name, value in {"study": "s", "dataset": "bench", "detector": "ae", "seed": 4}.items():
        assert set(out[name]) == {value}


def test_columns_that_a_metric_does_not_have_are_null_and_fit_the_schema(tmp_path: Path) -> None:
    out = completed(rows())
    assert out[["explainer", "parameter"]].isna().all(axis=None)
    path = tmp_path / "m.parquet"
    write_table(out, path, Provenance(stage="x"), MEASUREMENTS)
    assert len(read_table(path)) == 3


@pytest.mark.parametrize("protocols", [None, ["", None, float("nan")], ["", "", ""]])
def test_no_protocol_is_written_in_one_way_whatever_a_metric_hands_in(protocols: list[object] | None) -> None:
    out = completed(rows() if protocols is None else rows(protocol=protocols))
    assert out["protocol"].tolist() == ["", "", ""]


def test_no_rows_fit_the_schema_too(tmp_path: Path) -> None:
    out = completed(rows().iloc[:0])
    write_table(out, tmp_path / "m.parquet", Provenance(stage="x"), MEASUREMENTS)
    assert len(read_table(tmp_path / "m.parquet")) == 0


def test_the_frame_that_is_handed_in_stays_as_it_is() -> None:
    frame = rows()
    before = frame.copy()
    completed(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_an_unknown_clip_is_refused() -> None:
    with pytest.raises(ArtefactError, match=r"clip 'x'.*\n.*2 measured clips unknown"):
        completed(rows(clip_id=["a", "y", "x"]))


def test_collected_rows_do_not_depend_on_the_order_of_jobs() -> None:
    parts = [completed(rows(value=[float(n), 2.0, 3.0], metric=[f"m{n}"] * 3)) for n in range(3)]
    first = collect(parts)
    assert len(first) == 9
    for order in itertools.permutations(parts):
        pd.testing.assert_frame_equal(collect(list(order)), first)


def test_blocks_become_rows_in_order_with_whole_sets_beside_clips() -> None:
    blocks = [
        Block("m", "", 0.9, np.array([1.0, np.nan]), "x"),
        Block("m", None, None, 3.0),
    ]
    frame = rows_of(blocks, ["a", "b"])
    assert tuple(frame.columns) == COLUMNS
    assert frame["clip_id"].tolist()[:2] == ["a", "b"] and frame["clip_id"].isna().tolist() == [
        False,
        False,
        True,
    ]
    assert frame["protocol"].isna().tolist() == [False, False, True]
    assert frame["explainer"].isna().tolist() == [False, False, True]
    np.testing.assert_array_equal(frame["parameter"], [0.9, 0.9, np.nan])
    np.testing.assert_array_equal(frame["value"], [1.0, np.nan, 3.0])


def test_no_block_has_the_same_columns_and_types() -> None:
    one = rows_of([Block("m", "", None, np.array([1.0]), "x")], ["a"])
    pd.testing.assert_series_equal(rows_of([], []).dtypes, one.dtypes)


def test_arrays_are_cut_parameter_by_parameter_then_explainer_by_explainer() -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    blocks = blocks_of(values, metric="m", protocol="p", explainers=["x", "y", None], parameters=[1.0, 2.0])
    frame = rows_of(blocks, ["a", "b"])
    assert frame["value"].tolist() == values.ravel().tolist()
    assert frame["parameter"].tolist() == [1.0] * 6 + [2.0] * 6
    assert frame["explainer"].fillna("-").tolist() == ["x", "x", "y", "y", "-", "-"] * 2
    assert frame["clip_id"].tolist() == ["a", "b"] * 6
    with pytest.raises(ValueError, match="longer"):
        blocks_of(values, metric="m", protocol="p", explainers=["x"], parameters=[1.0, 2.0])
