"""What a job has finished stays: over attempts, over failures, and over changes that do not concern it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from soundproof.runs.carry_over import Shelf, fits
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import read_table, write_table

RECORD = Provenance(
    stage="attributions", settings={"steps": (4, 4)}, code="c0de", inputs={"model": "1f"}, seed=3
)


def write(paths: dict[str, Path], value: float, record: Provenance = RECORD) -> None:
    for path in paths.values():
        write_table(pd.DataFrame({"value": [value]}), path, record)


def values(paths: dict[str, Path]) -> list[float]:
    return [float(read_table(path)["value"][0]) for path in paths.values()]


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Path]:
    return {what: tmp_path / "results" / what / "seed3.parquet" for what in ("maps", "timing")}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_nothing_is_held_at_first(shelf: Shelf, outputs: dict[str, Path], tmp_path: Path) -> None:
    assert not shelf.holds("saliency", outputs, RECORD)
    assert not (tmp_path / "shelf").exists()


def test_what_was_finished_outlives_the_attempt(
    shelf: Shelf, outputs: dict[str, Path], tmp_path: Path
) -> None:
    write(shelf.place("saliency", outputs), 1.0)
    # another process
    later = Shelf(tmp_path / "shelf")
    assert later.holds("saliency", outputs, RECORD)
    later.empty({"saliency": outputs})
    assert values(outputs) == [1.0, 1.0]
    assert not (tmp_path / "shelf").exists()


def test_half_of_a_result_is_none(shelf: Shelf, outputs: dict[str, Path]) -> None:
    places = shelf.place("saliency", outputs)
    write({"maps": places["maps"]}, 1.0)
    assert not shelf.holds("saliency", outputs, RECORD)


def test_outputs_that_fit_survive_their_removal(shelf: Shelf, outputs: dict[str, Path]) -> None:
    write(outputs, 2.0)
    before = {path: path.read_bytes() for path in outputs.values()}
    assert shelf.holds("saliency", outputs, RECORD)
    # as Snakemake does where a job fails
    for path in outputs.values():
        path.unlink()
    assert shelf.holds("saliency", outputs, RECORD)
    shelf.empty({"saliency": outputs})
    assert {path: path.read_bytes() for path in outputs.values()} == before


def test_outputs_that_fit_stay_where_a_file_has_one_name_only(
    shelf: Shelf, outputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    write(outputs, 2.0)
    assert shelf.holds("saliency", outputs, RECORD)
    shelf.empty({"saliency": outputs})
    assert values(outputs) == [2.0, 2.0]


def test_a_stale_attempt_gives_way_to_outputs_that_fit(shelf: Shelf, outputs: dict[str, Path]) -> None:
    write(shelf.place("saliency", outputs), 1.0, replace(RECORD, code="other"))
    write(outputs, 2.0)
    assert shelf.holds("saliency", outputs, RECORD)
    shelf.empty({"saliency": outputs})
    assert values(outputs) == [2.0, 2.0]


def test_results_do_not_mix(shelf: Shelf, outputs: dict[str, Path]) -> None:
    others = {what: path.with_name("occlusion.parquet") for what, path in outputs.items()}
    write(shelf.place("saliency", outputs), 1.0)
    assert not shelf.holds("occlusion", others, RECORD)
    write(shelf.place("occlusion", others), 2.0)
    shelf.empty({"saliency": outputs, "occlusion": others})
    assert (values(outputs), values(others)) == ([1.0, 1.0], [2.0, 2.0])


def test_the_same_job_at_work_twice_spoils_nothing(outputs: dict[str, Path], tmp_path: Path) -> None:
    ours, theirs = Shelf(tmp_path / "shelf"), Shelf(tmp_path / "shelf")
    others = {what: path.with_name("occlusion.parquet") for what, path in outputs.items()}
    both = {"saliency": outputs, "occlusion": others}
    write(ours.place("saliency", outputs), 1.0)
    write(theirs.place("occlusion", others), 1.0)
    # they write the third file of their own while we end
    partial = tmp_path / "shelf/occlusion/.maps.77.part.parquet"
    partial.touch()
    ours.empty(both)
    assert partial.is_file()
    partial.unlink()
    assert theirs.holds("saliency", outputs, RECORD)
    write(theirs.place("occlusion", others), 1.0)
    theirs.empty(both)
    assert values(outputs) + values(others) == [1.0] * 4
    assert not (tmp_path / "shelf").exists()


def test_what_nobody_asks_for_any_more_is_removed(
    shelf: Shelf, outputs: dict[str, Path], tmp_path: Path
) -> None:
    write(shelf.place("forgotten", outputs), 1.0)
    write(shelf.place("saliency", outputs), 1.0)
    shelf.empty({"saliency": outputs})
    assert not (tmp_path / "shelf").exists()


def test_a_result_that_was_never_made_is_an_error(shelf: Shelf, outputs: dict[str, Path]) -> None:
    with pytest.raises(FileNotFoundError):
        shelf.empty({"saliency": outputs})


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "scores"},
        {"settings": {"steps": (4, 5)}},
        {"code": "other"},
        {"inputs": {"model": "2e"}},
        {"inputs": {"model": "1f", "external/mine": "3d"}},
        {"seed": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_file_of_another_origin_does_not_fit(outputs: dict[str, Path], change: dict[str, object]) -> None:
    write(outputs, 1.0)
    assert fits(outputs["maps"], RECORD)
    assert not fits(outputs["maps"], replace(RECORD, **change))


def test_another_device_or_version_fits_as_it_reruns_nothing_elsewhere(outputs: dict[str, Path]) -> None:
    write(outputs, 1.0)
    assert fits(outputs["maps"], replace(RECORD, device="cuda", versions={"torch": "9"}))


def test_a_missing_or_broken_file_does_not_fit(outputs: dict[str, Path]) -> None:
    assert not fits(outputs["maps"], RECORD)
    write(outputs, 1.0)
    outputs["maps"].write_bytes(outputs["maps"].read_bytes()[:-9])
    assert not fits(outputs["maps"], RECORD)
