"""The scale benchmark: what it counts, and that a line through two sizes is drawn and followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rows import BenchmarkError
from benchmarks.scale import STUDIES, run_study
from benchmarks.scale_cost import Cost, Size, cost_of
from benchmarks.scale_model import Line, Model, jobs, published_size, times, units
from benchmarks.scale_table import checked, extrapolated
from soundproof.config.load import load_study
from soundproof.runs.plan import jobs_per_step


def study(name="planer"):
    return load_study(name, STUDIES)


def test_a_line_goes_through_both_points_and_not_below_nothing():
    line = Line.through((2.0, 7.0), (4.0, 11.0))
    assert (line.fixed, line.slope) == (3.0, 2.0)
    assert line.at(10) == 23.0
    assert Line(-5.0, 1.0).at(2) == 0.0


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("planer", Size(4327, 3130 + 105, 46)),
        # 7 machines x 3 sections (2023: 1) of 990 + 10 training clips and 50 per domain and label
        ("dcase2022", Size(21_000, 4200, 2100)),
        ("dcase2023", Size(7000, 1400, 700)),
    ],
)
def test_sizes_are_the_published_ones(name, size):
    assert published_size(study(name)) == size


@pytest.mark.parametrize(
    ("job", "worked_through"),
    [
        ("extract_features", 15),
        ("train_detector/ae", 5000),
        ("train_detector/isolation_forest", 10),
        ("train_detector/one_class_svm", 100),
        ("score_clips/ae", 5),
        ("attribute_clips/saliency", 30),
        ("measure_faithfulness/ff", 30),
        ("measure_faithfulness/randomisation", 20),
        ("build_tables", 7),
    ],
)
def test_a_job_works_through_its_clips_epochs_or_numbers(job, worked_through):
    assert units(job, study(), Size(train=10, test=5, explained=30), rows=7).seconds == worked_through


def test_weights_do_not_grow_with_epochs_nor_support_vectors_with_squares():
    for label in ("ae", "one_class_svm"):
        assert units(f"train_detector/{label}", study(), Size(10, 5, 3), rows=7).n_bytes == 10


def test_work_is_done_once_for_each_detector_and_seed():
    # five seeds, two explained detectors
    assert times("train_detector/cae", study()) == times("score_clips/cae", study()) == 5
    assert times("attribute_clips/saliency", study()) == times("measure_localisation", study()) == 10
    assert times("list_clips", study()) == times("build_tables", study()) == 1


@pytest.mark.parametrize("name", ["planer", "dcase2023"])
def test_jobs_are_those_that_a_dry_run_announces(name):
    planned = jobs_per_step({name: study(name)}, Path("run"))[name]
    assert planned["features"] == jobs("list_clips", study(name)) + jobs("extract_features", study(name))
    assert planned["training"] == jobs("train_detector", study(name)) + jobs("score_clips", study(name))
    assert planned["attribution"] == jobs("attribute_clips", study(name))
    compared = jobs("compare_trainings", study(name))
    # several seeds of each detector; only the first paper's study redraws weights
    assert compared == (name == "planer")
    assert planned["faithfulness"] == jobs("measure_faithfulness", study(name)) + compared
    assert planned["localisation"] == jobs("measure_localisation", study(name))


def made_up(size):
    """Costs that are lines exactly: a second and a kilobyte, and a tenth of each for every clip."""
    return {
        name: Cost(1 + 0.1 * n, 1000 + 100 * n, n, 50.0)
        for name, n in {
            "extract_features": size.train + size.test,
            "attribute_clips/saliency": size.explained,
            "collect_measurements": size.train + size.test + size.explained,
            "build_tables": 0,
        }.items()
    }


def test_two_sizes_predict_a_third_and_the_papers():
    sizes = [Size.of(n) for n in (2, 4, 8)]
    tables = [(rows, Cost(2 + 0.5 * rows, 0, 0, 80.0)) for rows in (10, 20, 40)]
    model = Model(study(), {size: made_up(size) for size in sizes[:2]}, tables[:2])
    lines = checked(model, study(), sizes[2], made_up(sizes[2]), tables[2])
    # 256 + 16 clips: 1 + 27.2 s; 1000 + 27200 bytes
    values = [cell.strip() for cell in lines[2].split("|")]
    assert values[2:6] == ["28.2", "28.2", "0.03", "0.03"]
    assert lines[-1].split()[1] == "all" and lines[-1].split()[-2] == "80"
    # 46 clips x 10 jobs: 10 x (1 + 4.6) s
    table = extrapolated(model, study())
    assert "46 explained" in table[0]
    [row] = [line.split() for line in table if "attribute_clips" in line]
    assert (row[3], row[5]) == ("10", f"{56 / 3600:.2f}")


def test_a_cost_is_time_size_and_memory(tmp_path):
    def work():
        held = bytearray(b"x") * (1 << 28)
        assert held[-1]
        (tmp_path / "out").write_bytes(b"12345")

    cost = cost_of(work, [tmp_path / "out"])
    assert cost.n_bytes == 5 and cost.rows == 0
    assert 0 < cost.seconds < 60
    assert cost.peak_mib > 256


def test_work_that_fails_ends_the_benchmark(tmp_path, capfd):
    def work():
        raise OSError("disk full")

    with pytest.raises(BenchmarkError, match="exit status 1"):
        cost_of(work, [])
    assert "disk full" in capfd.readouterr().err


@pytest.mark.slow
def test_every_stage_of_a_paper_runs_at_toy_size(tmp_path):
    costs = run_study("dcase2023", 1, tmp_path / "run").costs
    assert {name.partition("/")[0] for name in costs} == {
        *("list_clips", "extract_features", "train_detector", "score_clips", "attribute_clips"),
        *("remove_bands", "measure_faithfulness", "measure_localisation", "collect_measurements"),
        "build_tables",
    }
    assert all(cost.seconds > 0 for cost in costs.values())
    numbers = sum(cost.rows for name, cost in costs.items() if name != "collect_measurements")
    assert costs["collect_measurements"].rows == numbers > 0
