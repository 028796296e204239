"""Tests of a run's results, not of the code: `snakemake test_results` runs them and says which run.

A plain `pytest` leaves them out, since it has no run to look at.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from soundproof.config import load_config

REPOSITORY = Path(__file__).parents[2]
# set by the rule: the run's configuration as JSON
RUN = "SOUNDPROOF_RUN"

if RUN not in os.environ:
    collect_ignore_glob = ["test_*.py"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test looks at each study of the run."""
    config, studies = load_config(json.loads(os.environ[RUN]), REPOSITORY / "config" / "studies")
    if "study" in metafunc.fixturenames:
        folder = Path(config.results_dir) / config.run
        metafunc.parametrize(
            ("study", "folder"),
            [(study, folder / name) for name, study in studies.items()],
            ids=list(studies),
        )
