"""A run that was killed, in another folder and with another number of cores, ends with the same numbers."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from checkout import NOTHING, differing, per_rule
from interruption import Interruptions


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(finished, fresh, tmp_path):
    # early, in the middle of the work, and while pages are written
    due = Counter(["extract_features", "train_detector", "attribute_clips_tiny", "build_tables_tiny"])
    kills = Interruptions(due, Counter(per_rule(fresh.planned())), random.Random(1), longest_s=2.5)
    # two cores made the finished run
    kills.run_to_the_end(fresh, tmp_path, "--cores", "1")
    assert set(kills.hit) == set(due) and kills.hit.total() == 4
    # nobody had to unlock anything, and nobody was told to
    for attempt in kills.resumed:
        text = attempt.read_text()
        assert "The last run here was killed" in text and "--unlock" not in text
    assert NOTHING in fresh.dry_run()
    assert differing(fresh.digests(), finished.digests()) == []
