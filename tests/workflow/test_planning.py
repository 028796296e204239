"""What Snakemake plans, and what it refuses to plan. Nothing here runs a job."""

from __future__ import annotations

import json
import re
import sys
from itertools import chain
from pathlib import Path

import pytest
import yaml
from checkout import DEFAULT_STUDIES, TINY, per_rule

from soundproof.config import load_config
from soundproof.config.stages import Stages
from soundproof.runs.expected import expected_files

REPOSITORY = Path(__file__).parents[2]
STUDIES = sorted((REPOSITORY / "config/studies").glob("*.yaml"))
RUNS = sorted(set((REPOSITORY / "config").glob("*.yaml")) - {REPOSITORY / "config/datasets.yaml"})
MEASURED = """
import cProfile, json, pstats, sys
from snakemake.cli import main
profile = cProfile.Profile()
try:
    profile.runcall(main, ["--dry-run", "--quiet", "all", *sys.argv[2:]])
finally:
    calls = pstats.Stats(profile).total_calls
    with open(sys.argv[1], "w") as file:
        json.dump({"calls": calls, "modules": sorted(sys.modules)}, file)
"""


def default_config():
    return yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_validates(path, tmp_path):
    values = {**default_config(), "studies": [path.stem]}
    if path.stem.startswith("recordings"):
        values |= {"studies": ["p1"], "recordings": str(tmp_path)}
    _, studies = load_config(values, REPOSITORY / "config/studies")
    assert path.stem in studies


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_shipped_run_can_be_planned(path, fresh):
    assert fresh.planned("--configfile", str(path))


EXPLAIN = ("attribute_clips", "measure_faithfulness")


def test_the_default_run_has_one_job_per_cell(fresh):
    fresh.replace("config/config.yaml", TINY, DEFAULT_STUDIES)
    counts = per_rule(fresh.planned())
    _, studies = load_config(default_config(), REPOSITORY / "config/studies")

    def trainings(study, labels):
        seeds = [study.detectors[label].seeds or study.seeds for label in labels]
        return len(study.parts()) * sum(map(len, seeds))

    at_once = {name: Stages(study).fitted_at_once() for name, study in studies.items()}
    fitted = sum(
        trainings(study, [label for label in study.detectors if label not in at_once[name]])
        for name, study in studies.items()
    )
    together = {name: Stages(study).explained_together() for name, study in studies.items()}
    sharing = {name: set(chain.from_iterable(shared.values())) for name, shared in together.items()}
    explained = {
        name: trainings(study, [label for label in study.explained if label not in sharing[name]])
        for name, study in studies.items()
    }
    parts = sum(len(study.parts()) for study in studies.values())
    expected = {
        "list_clips": len(studies),
        "extract_features": parts,
        "train_detector": fitted,
        # the simple detectors of a part in one job
        **{f"fit_detectors_{name}": len(study.parts()) for name, study in studies.items()},
        "score_clips": parts,
        # all explainers of a study in one job, and where few clips are explained all detectors on one network
        **{f"{rule}_{name}": n for rule in EXPLAIN for name, n in explained.items()},
        **{
            f"{rule}_{name}_{network}": len(studies[name].parts())
            for rule in EXPLAIN
            for name, shared in together.items()
            for network in shared
        },
        "measure_localisation": parts,
        # detectors that are explained and trained with several seeds, where weights are redrawn
        "compare_trainings": sum("randomisation" in study.faithfulness for study in studies.values()),
        "remove_bands": sum(len(study.parts()) for study in studies.values() if study.bands),
        "collect_measurements": len(studies),
        # of what each asks for
        **{f"{rule}_{name}": 1 for rule in ("build_tables", "draw_figures") for name in studies},
        "explore_clips": len(studies),
        "write_report": len(studies),
        "index_studies": 1,
        # weights that are not here yet
        "fetch_weights": len({name for study in studies.values() for name in Stages(study).all_weights()}),
    }
    assert {rule: counts.get(rule) for rule in expected} == expected
    # a page of clips for each study computes nothing, and is counted above
    of_p4 = per_rule(fresh.planned("--config", "studies=[p4]"))
    few = "jobs are to be chunks of minutes, not clips or explainers"
    assert set(together["p2"]) == {"cnn9", "random", "none"} and not together["p1"]
    others = (
        sum(counts.values()) - sum(of_p4.values()) + 2
    )  # weights and the page of the run are planned once
    assert others - (counts["explore_clips"] - 1) < 118, few
    # p4 has fifteen families to explain, and the longer half of them to train
    assert sum(of_p4.values()) < 60, few


def test_studies_are_finished_in_the_order_in_which_they_are_listed(fresh):
    said = fresh.dry_run("--config", "studies=[p3,tiny]")
    of_jobs = re.findall(r"^ {4}output: results/bench/(p3|tiny)/(?:.*\n)*? {4}priority: (\d+)$", said, re.M)
    priorities = {name: sorted({int(n) for study, n in of_jobs if study == name}) for name in ("p3", "tiny")}
    # maps and trainings that are explained, then the rest
    (rest_of_p3, first_of_p3), (rest_of_tiny, first_of_tiny) = priorities.values()
    assert first_of_p3 > first_of_tiny > rest_of_p3 > rest_of_tiny > 0
    # each job of a study has one
    jobs = fresh.planned("--config", "studies=[p3,tiny]")
    made = sum(job.outputs[0].startswith(("results/bench/p3/", "results/bench/tiny/")) for job in jobs)
    assert len(of_jobs) == made


@pytest.mark.parametrize("judged", ["faithfulness", "localisation"])
def test_what_a_study_does_not_ask_for_is_not_planned(fresh, judged):
    rule = {"faithfulness": "measure_faithfulness_tiny", "localisation": "measure_localisation"}[judged]
    before = per_rule(fresh.planned())
    fresh.set_study(**{judged: {}})
    after = per_rule(fresh.planned())
    assert before[rule] > 0 and rule not in after
    # a comparison of trainings belongs to faithfulness; all other jobs stay
    assert after == {name: count for name, count in before.items() if name in after}
    assert set(before) - set(after) <= {rule, "compare_trainings"}
    # verification looks for the same files
    settings = {**default_config(), "studies": ["tiny"]}
    _, studies = load_config(settings, fresh.path / "config/studies")
    folders = {part for file in expected_files(studies, Path()) for part in file.path.parts}
    assert judged not in folders and "attributions" in folders


def test_a_dry_run_takes_little_work_and_loads_no_numerical_library(fresh, tmp_path):
    fresh.replace("config/config.yaml", TINY, DEFAULT_STUDIES)

    def measured():
        fresh.command(sys.executable, "-c", MEASURED, str(tmp_path / "measured.json"))
        return json.loads((tmp_path / "measured.json").read_text())

    # what code imports is noted the first time
    measured()
    found = measured()
    heavy = {"torch", "torchaudio", "captum", "scipy", "sklearn", "matplotlib"}
    assert not heavy & set(found["modules"])
    # function calls, as seconds tell of the machine's other work too: five million take 2.5 s on an idle core
    assert found["calls"] < 5_500_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sedes": [0]}, "seeds"),
        ({"detectors": {"ae": {"kind": "skip_cae_transfomer"}}}, "did you mean 'skip_cae_transformer'"),
        (
            {"detectors": {"isolation_forest": {"explain": True}}, "explainers": {"saliency": {}}},
            "a differentiable score",
        ),
        ({"explainers": {"integrated_gradients": {"steps": 0}}}, "steps"),
    ],
    ids=["unknown key", "unknown detector", "explainer without gradients", "setting out of range"],
)
def test_a_wrong_configuration_stops_before_anything_is_written(fresh, change, said):
    fresh.set_study(**change)
    done = fresh.command("snakemake", "--dry-run", check=False)
    assert done.returncode != 0
    assert "Configuration error" in done.stdout and said in done.stdout
    assert "Traceback" not in done.stdout
    assert not (fresh.path / "results").exists()


def test_an_unknown_key_of_the_run_is_refused(fresh):
    done = fresh.command("snakemake", "--dry-run", "--config", "devize=cpu", check=False)
    assert done.returncode != 0
    assert "did you mean 'device'" in done.stdout


def test_a_dry_run_of_the_papers_tells_downloads_and_jobs_and_loads_no_numerical_library(fresh, tmp_path):
    options = [str(tmp_path / "measured.json"), "--configfile", "config/paper.yaml"]
    said = fresh.command(sys.executable, "-c", MEASURED, *options).stdout
    # pandas comes with Snakemake's plugin for SLURM
    heavy = {"torch", "torchaudio", "captum", "scipy", "sklearn", "matplotlib"}
    assert not heavy & set(json.loads((tmp_path / "measured.json").read_text())["modules"])
    assert "Plan of the run 'paper'" in said and "to download: " in said
    total = int(re.search(r"Plan of the run 'paper', (\d+) jobs in all", said)[1])
    # the plan counts what Snakemake counts, its target aside
    jobs = fresh.planned("--configfile", "config/paper.yaml")
    assert len(jobs) == total
    assert 100 < total < 450, "jobs are to be chunks of minutes, not clips or explainers"


def test_studies_of_one_data_set_with_other_settings_have_manifests_of_their_own(fresh):
    studies = fresh.path / "config/studies"
    for machine in ("fan", "valve"):
        text = f"extends: dcase2022\ndataset: {{machines: [{machine}]}}\n"
        (studies / f"only_{machine}.yaml").write_text(text)
    (studies / "only_fan_again.yaml").write_text("extends: only_fan\n")
    names = "[only_fan,only_valve,only_fan_again]"
    jobs = fresh.planned("--config", f"studies={names}", "run=any")
    manifests = [job.outputs[0] for job in jobs if job.rule == "download_dataset"]
    assert len(set(manifests)) == len(manifests) == 2
    assert all(name.startswith("data/dcase2022/manifest-") for name in manifests)


def test_a_real_run_prints_no_plan(fresh):
    said = fresh.snakemake("--cores", "1", "results/bench/tiny/clips.parquet")
    assert "Plan of the run" not in said
    said = fresh.dry_run()
    assert "Plan of the run 'bench'" in said
