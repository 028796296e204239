"""Test what a run has made: pytest on its result files."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.config import Config
from soundproof.core.errors import ArtefactError
from soundproof.runs.job import job

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake

logger = logging.getLogger(__name__)


def test_results(values: Mapping[str, Any], tests: Path) -> str:
    """Run the tests of results.

    Args:
        values: The run's configuration.
        tests: Folder of the tests.

    Returns:
        Last line of what pytest said: how many tests passed.

    Raises:
        ArtefactError: A test failed.
    """
    done = subprocess.run(
        # options of the tests of the code are no business of these
        [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", str(tests)],
        env={**os.environ, "SOUNDPROOF_RUN": json.dumps(values)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    logger.info("%s", done.stdout)
    if done.returncode:
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        raise ArtefactError(
            "results that pass their tests",
            "\n    ".join(failed) or done.stdout[-2000:],
            "read the log; 'snakemake verify' tells whether a file is stale, and how to have it made anew",
        )
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        # the workflow adds what jobs need beside it
        values = {key: snakemake.config[key] for key in Config.model_fields if key in snakemake.config}
        sys.stdout.write(f"{test_results(values=values, tests=Path(snakemake.params.tests))}\n")
