"""Benchmarks at toy size: that they run, agree with their counterparts and report usable fields; never how fast."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import benchmarks.__main__ as command
from benchmarks.__main__ import BENCHMARKS
from benchmarks.memory import peak_mib
from benchmarks.rows import Aim, BenchmarkError, Row, check_same
from benchmarks.setting import SIX, Setting
from benchmarks.table import table, write_into
from benchmarks.timing import Timing, interleaved, summed
from soundproof.core.errors import ArtefactError

CPU = torch.device("cpu")
N_ROWS = {
    "attribution": 2 * len(SIX) + 1,
    "faithfulness": 3,
    "bands": 1,
    "masking": 1,
    "training": 3,
    "precision": 4,
    "backbones": 4,
    "features": 1,
    "stored": 2,
    "memory": 2,
    "coreset": 5,
    "fit": 12,
    "ranking": 3,
    "download": 5,
    "job-start": 22,
}


@pytest.fixture(scope="module")
def toy() -> Setting:
    torch.set_num_threads(1)
    return Setting(
        device=CPU,
        shape=(16, 40),
        clips=1,
        repeats=1,
        batch_size=4,
        stored_clips=8,
        kind="skip_cae",
        download_mib=(1, 3),
        fit_clips=24,
        fit_seconds=1,
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("memory", "job-start", "fit") else name
        for name in N_ROWS
    ],
)
def test_each_benchmark_reports_sane_fields(toy, name):
    rows = BENCHMARKS[name](toy)
    assert len(rows) == N_ROWS[name]
    assert {row.benchmark for row in rows} == {name}
    assert len({(row.case, row.against) for row in rows}) == N_ROWS[name]
    for row in rows:
        assert min(row.ours, row.other, row.ratio) > 0
        assert math.isfinite(row.ours + row.other + row.ratio)


@pytest.mark.slow
def test_peak_memory_is_that_of_the_job_not_of_its_parent(toy):
    held = torch.ones(1 << 28)  # 1 GiB in this process
    assert peak_mib(toy, "faithfulness", 4) < 1000
    assert held[0] == 1


def test_every_benchmark_is_tested():
    assert set(BENCHMARKS) == set(N_ROWS)


def test_results_that_differ_are_refused():
    values = torch.arange(6.0).reshape(2, 3) + 1
    check_same("values", values, values * (1 + 5e-5))
    with pytest.raises(BenchmarkError, match="a relative difference"):
        check_same("values", values, values * (1 + 1e-3))
    # one clip that is wrong among many that are right
    broken = values.clone()
    broken[1] = 0
    with pytest.raises(BenchmarkError):
        check_same("values", broken, values)
    with pytest.raises(BenchmarkError):
        check_same("values", torch.full((2, 3), math.nan), values)
    with pytest.raises(BenchmarkError, match="shape"):
        check_same("values", values[:, :2], values)


def test_ratios_are_taken_within_rounds():
    slow_spell = Timing((1.0, 10.0, 1.0), None), Timing((2.0, 20.0, 3.0), None)
    assert slow_spell[1].over(slow_spell[0]) == 2.0
    assert slow_spell[1].seconds == 3.0
    assert summed(list(slow_spell)).rounds == (3.0, 30.0, 4.0)


def test_variants_take_turns_and_directions_alternate():
    calls: list[str] = []
    timings = interleaved({name: lambda n=name: calls.append(n) or n for name in "ab"}, 2, CPU)
    assert "".join(calls) == "ab" + "ab" + "ba"
    assert timings["b"].result == "b"
    assert len(timings["a"].rounds) == 2


def test_work_of_minutes_is_not_run_to_warm_up():
    calls: list[str] = []
    timings = interleaved({name: lambda n=name: calls.append(n) or n for name in "ab"}, 1, CPU, warm_up=False)
    assert calls == ["a", "b"]
    assert timings["b"].result == "b"


def test_aims():
    assert Aim("at most", 1.15).met_by(1.15)
    assert not Aim("at most", 1.15).met_by(1.2)
    assert Aim("at least", 2).met_by(2)
    assert not Aim("at least", 2).met_by(1.9)


def row(**fields) -> Row:
    known = {
        "benchmark": "b",
        "case": "c",
        "unit": "ms",
        "ours": 1.0,
        "against": "d",
        "other": 3.0,
        "ratio": 3.0,
    }
    return Row(**{**known, "sense": "x faster", **fields})


def test_a_table_says_whether_an_aim_is_met():
    shown = table([row(aim=Aim("at least", 2)), row(aim=Aim("at least", 5)), row()], "github").splitlines()
    assert "3.00 x faster" in shown[2]
    assert "at least 2: met" in shown[2]
    assert "at least 5: missed" in shown[3]
    assert "at least" not in shown[4]


def test_a_page_keeps_all_but_the_table_of_its_device(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- cpu: begin -->\nold\n<!-- cpu: end -->\n<!-- cuda: begin -->gpu<!-- cuda: end -->\n"
    )
    write_into(page, "cpu", r"new \1")
    assert page.read_text() == (
        "before\n<!-- cpu: begin -->\nnew \\1\n<!-- cpu: end -->\n<!-- cuda: begin -->gpu<!-- cuda: end -->\n"
    )
    with pytest.raises(ArtefactError, match="tpu"):
        write_into(page, "tpu", "new")


def test_the_command_shows_and_writes_the_table(tmp_path: Path, capsys, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("<!-- cpu: begin --><!-- cpu: end -->")
    monkeypatch.setattr(command, "set_determinism", lambda threads: None)
    command.main(
        ["--only", "masking", "--repeats", "1", "--clips", "1", "--shape", "16x40", "--output", str(page)]
    )
    assert "patch by patch" in capsys.readouterr().out
    assert "| masking" in page.read_text()
    assert "16 x 40" in page.read_text()
