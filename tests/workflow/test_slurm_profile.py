"""The cluster profile beside the default one, and what it would submit. Needs no Slurm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cluster import PROFILE

REPOSITORY = Path(__file__).parents[2]
PAPERS = ("--configfile", "config/paper.yaml")
TORCH = {
    *("train_detector", "fit_detectors_p3", "score_clips", "attribute_clips_p3"),
    *("measure_faithfulness_p3", "remove_bands"),
}
_RULE = re.compile(r"^ *(?:local)?rule (\w+):\n((?: +\w.*\n)*)", re.MULTILINE)


def profile(name):
    return yaml.safe_load((REPOSITORY / "profiles" / name / "config.yaml").read_text())


def test_the_cluster_profile_repeats_the_default_one():
    # Snakemake reads one workflow profile, not both
    default, slurm = profile("default"), profile("slurm")
    assert default.keys() <= slurm.keys()
    # cores bound a workstation's jobs in the one, a submission in the other
    shared = {key: value for key, value in default.items() if key != "cores"}
    assert {key: slurm[key] for key in shared} == shared


def test_groups_and_partitions_name_what_exists():
    slurm = profile("slurm")
    text = "".join(path.read_text() for path in REPOSITORY.glob("rules/*.smk"))
    # a rule that is made for each study goes by its name without the study's
    rules = {*re.findall(r"^rule (\w+):", text, re.M), *re.findall(r'f"(\w+)_\{NAME\}"', text)}
    assert slurm["groups"].keys() <= rules
    assert slurm["group-components"].keys() <= set(slurm["groups"].values())
    # a group that fails is made again as a whole, which no training should be
    assert "train_detector" not in slurm["groups"]
    partitions = yaml.safe_load((REPOSITORY / slurm["slurm-partition-config"]).read_text())["partitions"]
    assert any(limits.get("max_gpu") for limits in partitions.values())
    assert any(not limits.get("max_gpu") for limits in partitions.values())


def test_the_short_jobs_of_the_papers_run_share_submissions(fresh):
    said = fresh.dry_run(*PROFILE, *PAPERS)
    plan = said[: said.rindex("Job stats")]
    jobs = per_rule_of(plan)
    assert 100 < sum(jobs.values()) < 450
    local = {"all", "download_dataset", "fetch_weights", "write_report", "index_studies"}
    # rules of one study are grouped under the name that they share
    together = tuple(profile("slurm")["groups"])
    alone = {rule: n for rule, n in jobs.items() if not rule.startswith(together) and rule not in local}
    submitted = sum(alone.values()) + len(re.findall(r"Group job \w+ \(", plan))
    # trainings stand alone; of the others, the second half of what they were before jobs took all explainers
    assert submitted - jobs["train_detector"] < 200
    # one explanation group per explained detector, part and seed
    judged = sum(n for rule, n in jobs.items() if rule.startswith("measure_faithfulness_"))
    assert len(re.findall(r"Group job explain \(", plan)) == judged > 10


@pytest.mark.parametrize(("device", "asked"), [("cuda", "gpu=1"), ("cpu", "gpu=0")])
def test_rules_that_compute_on_it_ask_for_a_gpu(fresh, device, asked):
    said = fresh.dry_run("--config", f"device={device}", "studies=[p3]")
    resources = {rule: re.search(r"resources: (.*)", body)[1] for rule, body in _RULE.findall(said)}
    assert {rule for rule, line in resources.items() if asked in line.split(", ")} == TORCH


def per_rule_of(plan):
    counts = {}
    for rule, _ in _RULE.findall(plan):
        counts[rule] = counts.get(rule, 0) + 1
    return counts
