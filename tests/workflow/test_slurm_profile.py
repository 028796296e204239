"""The cluster profile beside the default one, and what it would submit. Needs no Slurm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cluster import PROFILE

REPOSITORY = Path(__file__).parents[2]
PAPERS = ("--configfile", "config/paper.yaml")
TORCH = {"train_detector", "score_clips", "attribute_clips", "measure_faithfulness", "remove_bands"}
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
    rules = set(
        re.findall(r"^rule (\w+):", "".join(p.read_text() for p in REPOSITORY.glob("rules/*.smk")), re.M)
    )
    assert slurm["groups"].keys() <= rules
    assert slurm["group-components"].keys() <= set(slurm["groups"].values())
    # a group that fails is made again as a whole, which no training should be
    assert "train_detector" not in slurm["groups"]
    partitions = yaml.safe_load((REPOSITORY / slurm["slurm-partition-config"]).read_text())["partitions"]
    assert any(limits.get("max_gpu") for limits in partitions.values())
    assert any(not limits.get("max_gpu") for limits in partitions.values())


def test_the_papers_run_is_less_than_half_as_many_submissions_as_jobs(fresh):
    said = fresh.dry_run(*PROFILE, *PAPERS)
    plan = said[: said.rindex("Job stats")]
    jobs = per_rule_of(plan)
    assert 100 < sum(jobs.values()) < 1000
    local = {"all", "download_dataset", "fetch_weights", "write_report", "index_studies"}
    alone = {rule: count for rule, count in jobs.items() if rule not in {*profile("slurm")["groups"], *local}}
    submitted = sum(alone.values()) + len(re.findall(r"Group job \w+ \(", plan))
    assert submitted < sum(jobs.values()) / 2
    # one explanation group per explained detector, part and seed
    assert len(re.findall(r"Group job explain \(", plan)) == jobs["measure_faithfulness"]


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
