"""Results travel with DVC: what is pulled needs no run, and a change after that reruns its stages only."""

from __future__ import annotations

import pytest
from checkout import NOTHING, SOURCES, Checkout, per_rule


@pytest.mark.slow
def test_pulled_results_need_no_run_and_take_part_in_later_changes(copy, tmp_path):
    for words in (
        "git init -q",
        # all but the link to the environment
        f"git add -- {' '.join(SOURCES)}",
        "git commit -q -m sources",
        f"dvc remote add -q -d storage {tmp_path / 'storage'}",
    ):
        copy.command(*words.split())
    assert copy.command("dvc", "config", "cache.type").stdout.strip() == "reflink,copy"

    # the results are there already: DVC's stage finds nothing to run and takes them over
    assert NOTHING in copy.command("dvc", "repro").stdout
    copy.command("git", "add", "dvc.lock", ".dvc/config")
    copy.command("git", "commit", "-q", "-m", "results")
    copy.command("dvc", "push", "-q")

    clone = Checkout(tmp_path / "clone")
    copy.command("git", "clone", "-q", str(copy.path), str(clone.path))
    (clone.path / ".venv").symlink_to((copy.path / ".venv").readlink())
    clone.command("dvc", "pull", "-q")
    assert clone.digests() == copy.digests()
    assert NOTHING in clone.dry_run()
    assert "up to date" in clone.command("dvc", "status").stdout
    assert "tiny.detection.ae" in clone.command("dvc", "metrics", "show").stdout.replace(" ", "")

    clone.replace("config/studies/tiny.yaml", "epochs: 2", "epochs: 3")
    counts = per_rule(clone.planned())
    assert counts["train_detector"] == 1 and counts["score_clips"] == 1
    assert "extract_features" not in counts
    assert "config/studies" in clone.command("dvc", "status").stdout
