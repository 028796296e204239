"""Tables in blocks, by hand."""

from __future__ import annotations

import pytest

from soundproof.report.blocks import VALUE, blocks, split_interval

HEADERS = ["Detector", "Explainer", "AUROC", "AUROC: chance", "AUROC: shifted", "IoU", "Seeds"]
NUMERIC = [False, False, True, True, True, True, True]
ROWS = [["AE", "Saliency", "0.71 [0.60, 0.80]", "0.50", "0.52", "0.30 [0.20, 0.40]", "2"]]


def columns(block):
    return [heading.column for heading in block.headings]


def test_a_narrow_table_is_one_block_with_grouped_headings():
    (block,) = blocks(HEADERS, NUMERIC, ROWS)
    assert columns(block) == list(range(7))
    assert block.grouped
    assert [title for title, _ in block.groups] == ["", "", "AUROC", "", ""]
    assert [heading.text for heading in block.groups[2][1]] == [VALUE, "chance", "shifted"]
    (plain,) = blocks(HEADERS[:3], NUMERIC[:3], [ROWS[0][:3]])
    assert not plain.grouped and plain.headings[2].text == "AUROC"


@pytest.mark.parametrize("width", [30, 45, 60])
def test_a_wide_table_loses_no_column_and_repeats_what_names_its_rows(width):
    made = blocks(HEADERS, NUMERIC, ROWS, width)
    assert len(made) > 1
    assert all(columns(block)[:2] == [0, 1] for block in made)
    assert [column for block in made for column in columns(block)[2:]] == [2, 3, 4, 5, 6]
    # a group is never torn apart
    assert sum("AUROC" in [title for title, _ in block.groups] for block in made) == 1


def test_columns_that_only_look_alike_are_no_group():
    (block,) = blocks(["Metric", "sd: a", "b: c"], [False, True, True], [["x", "1", "2"]])
    assert [heading.text for heading in block.headings] == ["Metric", "a", "c"] or not block.grouped


def test_an_interval_stands_below_its_value():
    assert split_interval("0.71 [0.60, 0.80]") == ("0.71", "[0.60, 0.80]")
    assert split_interval("< 0.01 [-0.01, 0.02]") == ("< 0.01", "[-0.01, 0.02]")
    assert split_interval("see [1] and [2]") == ("see [1] and [2]", "")
    assert split_interval("–") == ("–", "")
