"""The default run, killed twenty times, loses nothing. Takes the better part of an hour on two cores.

Not part of a plain ``./run pytest``; ``./run pytest -m endurance`` runs it, as does continuous integration.
"""

from __future__ import annotations

import pytest
from checkout import DEFAULT_STUDIES, NOTHING, TINY, differing, per_rule
from interruption import Interruptions

KILLS = 20
SEED = 20
LONGEST_WAIT_S = 6.0


@pytest.fixture(scope="module")
def default_sources(sources, tmp_path_factory):
    """A checkout without results with the default configuration as it is shipped."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("default") / "checkout")
    checkout.replace("config/config.yaml", TINY, DEFAULT_STUDIES)
    return checkout


@pytest.fixture(scope="module")
def undisturbed(default_sources, tmp_path_factory):
    """The default run, left in peace."""
    checkout = default_sources.copy_to(tmp_path_factory.mktemp("undisturbed") / "checkout")
    checkout.snakemake("--cores", "2")
    return checkout


@pytest.mark.endurance
@pytest.mark.timeout(90 * 60)
def test_the_default_run_survives_twenty_kills(default_sources, undisturbed, tmp_path):
    checkout = default_sources.copy_to(tmp_path / "killed")
    jobs = {rule: count for rule, count in per_rule(checkout.planned()).items() if rule != "all"}
    kills = Interruptions.spread(jobs, KILLS, SEED, LONGEST_WAIT_S)
    said = kills.run_to_the_end(checkout, tmp_path, "--cores", "2")

    lost = differing(checkout.digests_of_run(), undisturbed.digests_of_run())
    found = f"{kills.kills} kills, jobs that died: {dict(sorted(kills.hit.items()))}, files lost or changed: {lost}"
    print(found)  # noqa: T201 (shown with -rP)
    assert kills.kills == KILLS and len(said) == KILLS + 1
    assert lost == []
    # a kill may come just after its job has ended, so of twelve stages a few may have been missed
    assert len(kills.hit) >= 0.8 * len(jobs)
    assert NOTHING in checkout.dry_run()
    report = checkout.snakemake("verify", "--cores", "1")
    assert "fit their configuration, code and inputs" in report
    assert "left over" not in report and "foreign" not in report
