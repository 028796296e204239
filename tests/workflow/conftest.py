"""Checkouts to run the workflow in; one small run is shared, and copied where a test changes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import DEFAULT_STUDIES, SOURCES, TINY, Checkout

REPOSITORY = Path(__file__).parents[2]
# the file server and the toy data sets of the unit tests
sys.path.append(str(REPOSITORY / "tests/unit/datasets"))


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> Checkout:
    """A checkout of the working tree without results, whose default run is the tiny study; not to be changed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    files = [name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]
    checkout = Checkout.of(REPOSITORY, files, tmp_path_factory.mktemp("sources") / "checkout")
    checkout.replace("config/config.yaml", DEFAULT_STUDIES, TINY)
    return checkout


@pytest.fixture
def fresh(sources, tmp_path) -> Checkout:
    """A checkout without results."""
    return sources.copy_to(tmp_path / "fresh")


@pytest.fixture(scope="session")
def finished(sources, tmp_path_factory) -> Checkout:
    """A checkout in which the tiny run has ended; not to be changed."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("finished") / "checkout")
    checkout.snakemake("--cores", "2")
    return checkout


@pytest.fixture
def copy(finished, tmp_path) -> Checkout:
    """A copy of the finished run, time stamps and Snakemake's records included."""
    return finished.copy_to(tmp_path / "copy")
