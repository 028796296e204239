"""Failures that a second attempt cannot cure: the first attempt leaves a mark, the second one stops at it at once.

Snakemake makes a failed job again where a rule has ``retries``, whatever the job failed of: that is right for a job
that was killed for its memory or whose host was silent, and wasted on a recording that cannot be read. The mark
names the run, so that the same command, once the cause is gone, begins afresh.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from soundproof.storage.files import whole_file

RUN = "SOUNDPROOF_RUN"
"""Variable by which the jobs of one run of the workflow know each other; jobs inherit it."""


def begin_run() -> None:
    """Name this run of the workflow for its jobs."""
    os.environ[RUN] = uuid.uuid4().hex


def mark(log: Path) -> Path:
    """Where the mark of a job with this log lies."""
    return log.with_name(f".{log.name}.final")


def failed_for_good(log: Path) -> bool:
    """Whether an earlier attempt of this run left its mark; a mark of another run is removed."""
    run = os.environ.get(RUN, "")
    try:
        found = mark(log).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if run and found == run:
        return True
    mark(log).unlink(missing_ok=True)
    return False


def leave_mark(log: Path) -> None:
    """Note that no further attempt of this run can succeed."""
    run = os.environ.get(RUN, "")
    if run:
        with whole_file(mark(log)) as partial:
            partial.write_text(run, encoding="utf-8")
