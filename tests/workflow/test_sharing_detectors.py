"""Detectors on one network share the jobs that explain and judge them, and nothing comes out otherwise."""

from __future__ import annotations

import re

import pytest
from checkout import STUDY, Checkout, differing, per_rule

FEW = "soundproof/config/stages.py", "_FEW_CLIPS = 4", "_FEW_CLIPS = 0"
ROWS = str(STUDY / "measurements.parquet")
pytestmark = pytest.mark.slow
LOG = "results/bench/logs/attribute_clips/tiny/all/on_random.log"


def two_on_one_network(checkout: Checkout) -> None:
    checkout.set_study(
        features={"recipe": "cnn9"},
        detectors={
            "patchcore": {"backbone": "random", "explain": True},
            "padim": {"backbone": "random", "explain": True},
            "gaussian": {"explain": True},
        },
        explainers={"error_map": {}, "occlusion": {"window": [35, 40], "stride": [35, 40]}, "input_map": {}},
        explain={"clips": "annotated", "per_machine": 1},
        faithfulness={
            "deletion": {"replacement": "clip_median", "fractions": [0, 0.5, 1]},
            "soft_removal": {"n_clips": 1, "shifts": 0},
        },
        localisation={"frame_auroc": {}},
        reported=None,
    )


@pytest.fixture
def shared(fresh) -> Checkout:
    two_on_one_network(fresh)
    return fresh


def said_of(checkout: Checkout) -> list[tuple[str, str]]:
    """What the last job on the network did, with each detector and explainer."""
    told = re.findall(r"^.* INFO __main__: (.*)$", (checkout.path / LOG).read_text(), re.MULTILINE)
    return [(name, what) for line in told if ": " in line for name, what in [line.split(": ")]]


def test_numbers_and_maps_are_those_of_a_job_for_each(shared, tmp_path):
    each = shared.copy_to(tmp_path / "each")
    each.replace(*FEW)
    planned = per_rule(shared.planned(ROWS))
    assert planned["attribute_clips_tiny_random"] == planned["measure_faithfulness_tiny_random"] == 1
    # the third stands on no network
    assert planned["attribute_clips_tiny"] == planned["measure_faithfulness_tiny"] == 1
    alone = per_rule(each.planned(ROWS))
    assert alone["attribute_clips_tiny"] == alone["measure_faithfulness_tiny"] == 3
    assert sum(alone.values()) == sum(planned.values()) + 2
    for checkout in (shared, each):
        checkout.snakemake("--cores", "2", ROWS)
    together = shared.digests()
    assert len([name for name in together if name.startswith("attributions/")]) == 9
    assert not differing(together, each.digests())
    assert list((shared.path / "results/bench/checkpoints").iterdir()) == []


def test_what_was_finished_before_a_failure_is_kept(shared):
    explainers = shared.study()["explainers"]
    shared.snakemake("--cores", "2", ROWS)
    before = shared.digests()
    maps = (shared.path / STUDY / "attributions/input_map/all/padim/seed0.parquet").read_bytes()
    (shared.path / "mine.parquet").write_bytes(maps[:-100])
    shared.set_study(explainers={**explainers, "mine": {"kind": "external", "path": "mine.parquet"}})
    target = str(STUDY / "attributions/mine/all/padim/seed0.parquet")
    said = shared.snakemake("--cores", "1", target, check=False)
    assert "attribute_clips_tiny_random failed" in said
    # the first detector fails, and what both have is still there
    assert shared.digests() == before

    (shared.path / "mine.parquet").write_bytes(maps)
    shared.snakemake("--cores", "1", target)
    kept = [(name, "maps still fit and are carried over") for name in explainers]
    assert said_of(shared) == 2 * [*kept, ("mine", "explaining 2 clips")]
    after = shared.digests()
    assert {name: after[name] for name in before} == before
