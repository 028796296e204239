"""A run of every rule, killed twenty times, loses nothing. Takes some minutes on two cores.

Not part of a plain ``./run pytest``; ``./run pytest -m endurance`` runs it, as does continuous integration.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from checkout import NOTHING, differing, per_rule, timed
from interruption import Interruptions

from soundproof.storage.files import is_partial

KILLS = 20
SEED = 20
LONGEST_WAIT_S = 0.4
# what the tiny study leaves out: several trainings of one detector, bands, sounds, and words
MORE = {
    "faithfulness": {"band_removal": {}},
    "bands": {},
    "listen": {"clips": 1},
    "reasons": {"per_machine": 1},
}
SEEDS = [0, 1]
# downloads need a server, and the checks make nothing
ELSEWHERE = {"all", "download_dataset", "fetch_weights", "verify", "test_results"}


def with_every_rule(checkout):
    """The checkout, with its tiny study extended so that every rule has a job."""
    study = checkout.study()
    study["detectors"]["ae"]["seeds"] = SEEDS
    study["faithfulness"] |= MORE["faithfulness"]
    checkout.set_study(
        detectors=study["detectors"],
        faithfulness=study["faithfulness"],
        bands=MORE["bands"],
        listen=MORE["listen"],
        reasons=MORE["reasons"],
    )
    return checkout


@pytest.fixture(scope="module")
def undisturbed(finished, tmp_path_factory):
    """The same run left in peace, which goes on from the tiny run."""
    checkout = with_every_rule(finished.copy_to(tmp_path_factory.mktemp("undisturbed") / "checkout"))
    checkout.snakemake("--cores", "2")
    return checkout


@pytest.mark.endurance
@pytest.mark.timeout(1800)
def test_a_run_of_every_rule_survives_twenty_kills(undisturbed, fresh, tmp_path):
    checkout = with_every_rule(fresh)
    jobs = {rule: count for rule, count in per_rule(checkout.planned()).items() if rule != "all"}
    text = "".join(path.read_text() for path in (checkout.path / "rules").glob("*.smk"))
    # some are made for each study, and named after it
    rules = {*re.findall(r"^rule (\w+):", text, re.M), *re.findall(r'f"(\w+_)\{NAME\}"', text)}
    assert set(jobs) == {f"{rule}tiny" if rule.endswith("_") else rule for rule in rules} - ELSEWHERE

    whole = undisturbed.digests_of_run()
    contents = set(whole.values())
    broken = []

    def on_its_way(name, found):
        """Whether a file is what a job keeps of what it has finished: that of the run in peace, or with seconds."""
        path = Path(name)
        kept = found in contents or path.stem == "timing" or path.suffix == ".pt"
        return name.startswith("checkpoints/") and kept

    def look():
        # whatever has its final name is whole, however the run ended
        for name, found in checkout.digests_of_run().items():
            if is_partial(Path(name)) or on_its_way(name, found):
                continue
            if name not in whole or (found != whole[name] and not timed(name)):
                broken.append(name)

    kills = Interruptions.spread(jobs, KILLS, SEED, LONGEST_WAIT_S)
    said = kills.run_to_the_end(checkout, tmp_path, "--cores", "2", look=look)

    lost = differing(checkout.digests_of_run(), whole)
    print(f"{len(said) - 1} kills; meant and hit: {dict(kills.hit)}; died: {dict(kills.died)}; lost: {lost}")  # noqa: T201 (shown with -rP)
    assert kills.hit.total() == KILLS and set(kills.hit) == set(jobs)
    assert broken == lost == []
    # what had ended was not made again
    assert kills.repeated == []
    # nobody had to unlock anything, and nobody was told to
    assert len(kills.resumed) >= KILLS
    for attempt in kills.resumed:
        text = attempt.read_text()
        assert "The last run here was killed" in text and "--unlock" not in text
    assert not [path for path in (checkout.path / "results").rglob("*") if is_partial(path)]
    assert NOTHING in checkout.dry_run()
    report = checkout.snakemake("verify", "--cores", "1")
    assert "fit their configuration, code and inputs" in report
    assert "left over" not in report and "foreign" not in report
