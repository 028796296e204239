"""Findings on hand-made records, and numbers against a hand-made reference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from soundproof.core.errors import ArtefactError
from soundproof.runs.expected import Expected
from soundproof.runs.reference import agrees, compare_with_reference, within_intervals
from soundproof.runs.result_records import read_record
from soundproof.runs.verify import (
    check,
    check_surplus,
    covering,
    differences,
    listed,
    other_versions,
    remedy,
)
from soundproof.storage.provenance import Provenance, digest, file_digest
from soundproof.storage.schemas import PAGE_FILES
from soundproof.storage.tables import write_table

RULE = "score_clips"


@pytest.fixture
def pair(tmp_path) -> tuple[Expected, Path]:
    """A file that fits, and the input it was made from."""
    source = tmp_path / "source"
    source.write_text("one")
    expected = Expected(
        path=tmp_path / "scores.parquet",
        rule=RULE,
        step="training",
        stage="scores",
        settings={"window": (4, 4), "kind": "cae"},
        inputs={"source": source, "all": (source,)},
        seed=3,
    )
    write(expected)
    return expected, source


def write(expected: Expected, **changes: object) -> None:
    source = expected.inputs["source"]
    assert isinstance(source, Path)
    record = {
        "stage": expected.stage,
        "settings": expected.settings,
        "code": expected.code(),
        "inputs": {"source": file_digest(source), "all": digest([file_digest(source)])},
        "seed": expected.seed,
    }
    write_table(pd.DataFrame({"value": [1.0]}), expected.path, Provenance(**{**record, **changes}))


def found(expected: Expected) -> str:
    return "; ".join(f"{finding.problem}: {finding.detail}" for finding in check([expected]))


def test_a_file_that_fits_gives_no_finding(pair):
    assert found(pair[0]) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stage": "training"}, "stale: written by stage 'training'"),
        ({"seed": 4}, "stale: made with seed 4"),
        (
            {"settings": {"window": (4, 8), "kind": "cae"}},
            "stale: window: [4, 8] in the file, [4, 4] in the configuration",
        ),
        ({"code": "0" * 16}, "stale: made by other code"),
        ({"inputs": {}}, "stale: input 'all' is not yet among its inputs"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_difference_is_named(pair, changes, said):
    write(pair[0], **changes)
    assert found(pair[0]) == said


def test_a_changed_or_missing_input_makes_a_file_stale(pair):
    expected, source = pair
    source.write_text("two")
    assert found(expected) == "stale: input 'all' has changed since"
    source.unlink()
    assert found(expected).startswith("stale: input 'all' is missing: ")


def test_missing_and_cut_off_files_are_told_apart(pair):
    expected, _ = pair
    expected.path.write_bytes(expected.path.read_bytes()[:-20])
    assert found(expected).startswith("unreadable: not whole Parquet")
    expected.path.unlink()
    assert found(expected) == f"missing: rule {RULE} makes it"


def test_weights_are_read_without_their_tensors(tmp_path):
    path = tmp_path / "model.safetensors"
    record = Provenance(stage="training", settings={"epochs": 2}, seed=1)
    header = {"kind": "cae", "provenance": json.loads(record.encode())}
    save_file({"w": np.zeros(3, np.float32)}, path, metadata={"soundproof": json.dumps(header)})
    assert read_record(path) == record
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ArtefactError, match="not a whole detector file"):
        read_record(path)


def test_surplus_files_are_named_by_their_kind(pair, tmp_path):
    expected, source = pair
    source.rename(tmp_path / ".scores.12.part.parquet")
    (tmp_path / "old.parquet").touch()
    problems = {finding.path.name: finding.problem for finding in check_surplus([expected], tmp_path)}
    assert problems == {".scores.12.part.parquet": "left over", "old.parquet": "foreign"}


@pytest.fixture
def page(tmp_path) -> tuple[Expected, Path]:
    """A table that lists the two files of a folder."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<p>page</p>")
    (folder / "data.js").write_text("one = 1")
    rows = [
        {"file": path.name, "n_bytes": path.stat().st_size, "digest": file_digest(path)}
        for path in sorted(folder.iterdir())
    ]
    expected = Expected(
        path=tmp_path / "page.parquet", rule="explore_clips", step="explorer", stage="explorer", folder=folder
    )
    record = Provenance(stage="explorer", code=expected.code(), settings={}, inputs={}, seed=expected.seed)
    write_table(pd.DataFrame(rows), expected.path, record, PAGE_FILES)
    return expected, folder


def test_files_of_a_page_are_told_one_by_one(page):
    expected, folder = page
    assert found(expected) == ""
    (folder / "data.js").write_text("one = 2")
    assert found(expected) == "stale: not as page.parquet says"
    (folder / "data.js").unlink()
    assert found(expected) == "missing: rule explore_clips makes it"


def test_a_foreign_file_of_a_page_is_surplus_and_its_own_are_not(page, tmp_path):
    expected, folder = page
    (folder / "notes.txt").touch()
    assert found(expected) == ""
    assert [str(finding.path.relative_to(tmp_path)) for finding in check_surplus([expected], tmp_path)] == [
        "page/notes.txt"
    ]


def test_what_is_wrong_in_a_page_is_made_anew_with_the_table_that_lists_it(page, tmp_path):
    expected, folder = page
    (folder / "data.js").unlink()
    assert remedy(check([expected]), [expected], tmp_path) == (
        f"rm -r {expected.path}\n    snakemake --cores all"
    )


def test_other_versions_are_reported(pair):
    write(pair[0], versions={"numpy": "0.1"})
    assert other_versions([pair[0]]) == {"numpy": {"0.1"}}


def test_differences_name_the_whole_key():
    before, now = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 5}, "e": 4}
    assert list(differences(before, now)) == [
        "a.c: 2 in the file, 5 in the configuration",
        "d: removed",
        "e: added",
    ]


def test_a_folder_stands_for_its_files_only_if_all_are_meant(tmp_path):
    for name in ("a/x/1", "a/x/2", "a/y/1", "b/1"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    chosen = [tmp_path / name for name in ("a/x/1", "a/x/2", "b/1")]
    assert covering(chosen, tmp_path) == [tmp_path / "a/x", tmp_path / "b"]


def test_the_remedy_removes_what_was_made_from_a_stale_file_too(pair, tmp_path):
    expected, source = pair
    printed = Expected(path=tmp_path / "page.html", rule="write_report", step="report", also=(expected.path,))
    printed.path.touch()
    source.write_text("two")
    files = [expected, printed]
    assert remedy(check(files), files, tmp_path) == (
        f"rm -r {printed.path} {expected.path}\n    snakemake --cores all"
    )
    expected.path.unlink()
    printed.path.unlink()
    assert remedy(check(files), files, tmp_path) == "snakemake --cores all"


def test_long_lists_are_counted(pair):
    findings = list(check([Expected(path=Path(f"{n}"), rule=RULE, step="training") for n in range(50)]))
    assert listed(findings).endswith("... and 10 more")


@pytest.mark.parametrize(
    ("ours", "reference", "same"),
    [
        (0.50, 0.55, True),  # allowed: 0.03 + 0.0275
        (0.50, 0.57, False),  # allowed: 0.0585
        (-1.0, -1.07, True),  # allowed: 0.0835
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
    ],
)
def test_the_tolerance(ours, reference, same):
    assert agrees(ours, reference) is same


def test_tables_and_numbers_are_compared_with_the_reference(tmp_path):
    theirs, ours = tmp_path / "reference", tmp_path / "run"
    for folder, auc, clips, count in ((theirs, 0.8, "5 / 5", 3), (ours, 0.6, "5 / 6", 4)):
        (folder / "p1/tables").mkdir(parents=True)
        table = pd.DataFrame({"detector": ["ae", "mae"], "auc": [auc, 0.7], "clips": clips, "n": count})
        table.to_csv(folder / "p1/tables/T1.csv", index=False)
        (folder / "metrics.json").write_text(json.dumps({"p1": {"ae": auc, "mae": 0.7}}))
    itself = compare_with_reference(theirs, theirs)
    assert (itself.same, itself.moved, itself.differ) == (4, {}, [])
    found = compare_with_reference(theirs, ours)
    assert [finding.detail for finding in found.differ] == [
        "p1.ae: 0.6 for 0.8",
        "auc in row 1: 0.6 for 0.8",
        "clips in row 1: 5 / 6 for 5 / 5, and 1 more rows",
        "n in row 1: 4 for 3, and 1 more rows",
    ]
    assert (found.same, found.moved) == (2, {})
    (ours / "metrics.json").unlink()
    assert compare_with_reference(theirs, ours).differ[0].problem == "missing"


@pytest.mark.parametrize(
    ("ours", "reference", "within"),
    [
        # the sides that face each other are 0.3 and 0.4, their root of squares 0.5
        ((0.0, -9.0, 0.3), (0.49, 0.09, 9.0), True),
        ((0.0, -9.0, 0.3), (0.51, 0.11, 9.0), False),
        ((0.49, 0.09, 9.0), (0.0, -9.0, 0.3), True),
        ((0.2, 0.2, 0.2), (0.2, 0.2, 0.2), True),
    ],
)
def test_the_interval_of_a_difference_by_hand(ours, reference, within):
    assert within_intervals(ours, reference) is within


def tables_with_intervals(folder, **changed):
    """A table of two explainers, with the number of the first in ``metrics.json``."""
    row = {"detector": "ae", "explainer": "saliency", "iou": 0.4, "iou_ci_low": 0.2, "iou_ci_high": 0.6}
    row |= {"iou_sd_seeds": 0.1, "n_clips": 5, "best": "yes", "cost": 3.0}
    (folder / "p1/tables").mkdir(parents=True, exist_ok=True)
    rows = pd.DataFrame([row | changed, row | {"explainer": "occlusion"}])
    rows.to_csv(folder / "p1/tables/quality.csv", index=False)
    explained = {"ae": {"saliency": {"iou": rows["iou"][0]}}}
    (folder / "metrics.json").write_text(json.dumps({"p1": {"explanation": explained}}))
    return folder


def compared_with_changed(tmp_path, **changed):
    reference = tables_with_intervals(tmp_path / "reference")
    return compare_with_reference(reference, tables_with_intervals(tmp_path / "run", **changed))


def test_another_training_moves_a_number_within_the_intervals_and_what_follows_from_it(tmp_path):
    found = compared_with_changed(
        tmp_path, iou=0.55, iou_ci_low=0.3, iou_ci_high=0.8, iou_sd_seeds=0.4, best="no", cost=9.0
    )
    assert found.differ == []
    assert found.moved == {tmp_path / "run/metrics.json": 1, tmp_path / "run/p1/tables/quality.csv": 1}


def test_intervals_of_another_number_excuse_nothing(tmp_path):
    reference = tables_with_intervals(tmp_path / "reference")
    run = tables_with_intervals(tmp_path / "run")
    numbers = {"p1": {"explanation": {"ae": {"saliency": {"iou": 0.55}}}}}
    (reference / "metrics.json").write_text(json.dumps(numbers))
    found = compare_with_reference(reference, run)
    assert [finding.detail for finding in found.differ] == ["p1.explanation.ae.saliency.iou: 0.4 for 0.55"]


@pytest.mark.parametrize(
    ("changed", "details"),
    [
        # sides of 0.1 and 0.2 cannot explain 0.3
        (
            {"iou": 0.7, "iou_ci_low": 0.6, "iou_ci_high": 0.8},
            ["p1.explanation.ae.saliency.iou: 0.7 for 0.4", "iou in row 1: 0.7 for 0.4"],
        ),
        # without an interval nobody knows
        (
            {"iou": 0.55, "iou_ci_low": None},
            ["p1.explanation.ae.saliency.iou: 0.55 for 0.4", "iou in row 1: 0.55 for 0.4"],
        ),
        (
            {"iou": "none"},
            ["p1.explanation.ae.saliency.iou: none for 0.4", "iou in row 1: none for 0.4"],
        ),
        # other clips are no other training
        ({"iou": 0.45, "n_clips": 6}, ["n_clips in row 1: 6 for 5"]),
        ({"iou": 0.45, "explainer": "input_map"}, ["explainer in row 1: input_map for saliency"]),
        # nothing has moved that the rest could follow from
        ({"best": "no"}, ["best in row 1: no for yes"]),
        ({"iou_sd_seeds": 0.4}, ["iou_sd_seeds in row 1: 0.4 for 0.1"]),
    ],
)
def test_what_another_training_does_not_explain_differs(tmp_path, changed, details):
    found = compared_with_changed(tmp_path, **changed)
    assert [finding.detail for finding in found.differ] == details
    assert found.moved == {}


def test_a_study_that_was_left_out_has_no_numbers_to_compare(tmp_path):
    theirs, ours = tmp_path / "reference", tmp_path / "run"
    numbers = {"p1": {"ae": 0.8}, "p2": {"padim": 0.9}}
    for folder, studies in ((theirs, ("p1", "p2")), (ours, ("p1",))):
        for name in studies:
            (folder / name / "tables").mkdir(parents=True)
            pd.DataFrame({"auc": [0.8]}).to_csv(folder / name / "tables/detection.csv", index=False)
        (folder / "metrics.json").write_text(json.dumps({name: numbers[name] for name in studies}))
    assert compare_with_reference(theirs, ours, {"p2"}).differ == []
    found = compare_with_reference(theirs, ours).differ
    assert [finding.problem for finding in found] == ["differs from the reference", "missing"]
    # what is there is compared whatever was left out
    (ours / "metrics.json").write_text(json.dumps({"p1": {"ae": 0.5}}))
    assert [finding.detail for finding in compare_with_reference(theirs, ours, {"p2"}).differ] == [
        "p1.ae: 0.5 for 0.8"
    ]
