from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from soundproof.core.errors import ArtefactError
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.exhibits.printing import latex_text, number, printed, to_latex, to_markdown
from soundproof.exhibits.writing import SUFFIXES, read_finished_table, write_finished_table
from soundproof.storage.provenance import Provenance

FRAME = pd.DataFrame(
    {
        "name": ["a_b & c|d", "50 % #1"],
        "value": [0.6304, np.nan],
        "low": [0.5801, np.nan],
        "high": [0.6799, np.nan],
        "p": [0.00001, 1.0],
        "n": [46, 7],
    }
)
FORMATS = (
    Column("Name_1", "name"),
    Column("F1", "value", "low", "high"),
    Column("p", "p", digits=4),
    Column("n", "n"),
)
TABLE = FinishedTable(FRAME, "Caption with 95 % and x_y.", FORMATS, ("Mind the gap_.",))


def test_cells_join_value_and_interval():
    cells = printed(TABLE)
    assert cells["F1"].tolist() == ["0.63 [0.58, 0.68]", "–"]
    assert cells["p"].tolist() == ["< 0.0001", "1.0000"]
    assert cells["n"].tolist() == ["46", "7"]


def test_a_rounded_negative_zero_has_no_sign():
    assert number(-0.0001, 2) == "0.00"
    assert number(-0.006, 2) == "-0.01"


def test_markdown_keeps_its_columns():
    text = to_markdown(TABLE, "Title")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    # an escaped pipe is no column
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert "> **Caution.** Mind the gap_." in text


def balanced(text):
    depth = 0
    for char in re.sub(r"\\[{}]", "", text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    return depth == 0


def test_latex_is_balanced_and_escaped():
    text = to_latex(TABLE, "T1_x")
    assert balanced(text)
    begins, ends = (re.findall(rf"\\{word}{{(\w+)}}", text) for word in ("begin", "end"))
    assert begins == ["table", "tabular"]
    assert ends == begins[::-1]
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert [len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines() if line.endswith(r"\\")] == [
        3,
        3,
    ]
    assert not re.search(r"(?<!\\)[%#_]", text)
    assert r"\toprule" in text
    assert r"a\_b \& c|d" in text
    assert r"\label{tab:t1-x}" in text


@pytest.mark.parametrize("char", list("\\&%$#_{}~^<>"))
def test_latex_escapes_every_special_character(char):
    escaped = latex_text(f"x{char}y")
    assert escaped != f"x{char}y"
    assert balanced(escaped)


def test_files_and_round_trip(tmp_path):
    paths = write_finished_table(TABLE, tmp_path, "T1", "Title", Provenance(stage="test"))
    assert [path.name for path in paths] == [f"T1{suffix}" for suffix in SUFFIXES]
    again = read_finished_table(tmp_path, "T1")
    pd.testing.assert_frame_equal(again.frame, FRAME, check_dtype=False)
    assert (again.caption, again.formats, again.warnings) == (TABLE.caption, TABLE.formats, TABLE.warnings)
    # full precision, and nothing in place of a missing number
    assert (tmp_path / "T1.csv").read_text().splitlines()[1:] == [
        "a_b & c|d,0.6304,0.5801,0.6799,1e-05,46",
        "50 % #1,,,,1.0,7",
    ]


def test_bytes_are_stable(tmp_path):
    first, second = (
        write_finished_table(TABLE, tmp_path / name, "T1", "Title", Provenance(stage="test")) for name in "ab"
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_damaged_table_is_an_error(tmp_path):
    write_finished_table(TABLE, tmp_path, "T1", "Title", Provenance(stage="test"))
    (tmp_path / "T1.json").write_text("{")
    with pytest.raises(ArtefactError, match=r"T1\.json"):
        read_finished_table(tmp_path, "T1")


def test_absent_tables_keep_their_columns_and_say_why(tmp_path):
    table = absent("no labels", FORMATS, "Caption.")
    assert set(FRAME.columns) <= set(table.frame.columns)
    assert "Not available: no labels." in table.caption
    write_finished_table(table, tmp_path, "T1", "Title", Provenance(stage="test"))
    assert "no labels" in (tmp_path / "T1.md").read_text()


def test_formats_name_columns_that_exist():
    with pytest.raises(ValueError, match="nowhere"):
        FinishedTable(FRAME, "", (Column("x", "nowhere"),))
