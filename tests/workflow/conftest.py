"""Checkouts to run the workflow in; one small run is shared, and copied where a test changes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import Checkout

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def fresh_checkout() -> Callable[[Path], Checkout]:
    """Make a checkout of the working tree whose default run is the tiny study."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    # the reference numbers are of the real default run
    files = [
        name
        for name in listed.stdout.split("\0")
        if (REPOSITORY / name).is_file() and not name.startswith("results/")
    ]

    def make(folder: Path) -> Checkout:
        checkout = Checkout.of(REPOSITORY, files, folder)
        checkout.replace("config/config.yaml", "studies: [p1, p1_domains]", "studies: [tiny]")
        return checkout

    return make


@pytest.fixture
def fresh(fresh_checkout, tmp_path) -> Checkout:
    """A checkout without results."""
    return fresh_checkout(tmp_path / "fresh")


@pytest.fixture(scope="session")
def finished(fresh_checkout, tmp_path_factory) -> Checkout:
    """A checkout in which the tiny run has ended; not to be changed."""
    checkout = fresh_checkout(tmp_path_factory.mktemp("finished") / "checkout")
    checkout.snakemake("--cores", "2")
    return checkout


@pytest.fixture
def copy(finished, tmp_path) -> Checkout:
    """A copy of the finished run, time stamps and Snakemake's records included."""
    return finished.copy_to(tmp_path / "copy")
