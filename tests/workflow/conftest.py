"""Checkouts to run the workflow in; one small run is shared, and copied where a test changes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import DEFAULT_STUDIES, SOURCES, TINY, Checkout
from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]

Share = Callable[[str, Callable[[Path], Checkout]], Checkout]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Share:
    """Make a checkout once for all processes that run tests side by side; it is not to be changed afterwards."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "shared"
    folder.mkdir(exist_ok=True)

    def make_once(name: str, make: Callable[[Path], Checkout]) -> Checkout:
        path, whole = folder / name / "checkout", folder / f"{name}.whole"
        with FileLock(folder / f"{name}.lock"):
            if not whole.exists():
                # a failure is met, and told, by every process anew
                subprocess.run(["rm", "-rf", path.parent], check=True)
                path.parent.mkdir()
                make(path)
                whole.touch()
        return Checkout(path)

    return make_once


@pytest.fixture(scope="session")
def sources(share: Share) -> Checkout:
    """A checkout of the working tree without results, whose default run is the tiny study; not to be changed."""

    def make(path: Path) -> Checkout:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
            text=True,
        )
        files = [name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]
        checkout = Checkout.of(REPOSITORY, files, path)
        checkout.replace("config/config.yaml", DEFAULT_STUDIES, TINY)
        # once here instead of once in every copy
        checkout.command(sys.executable, "-m", "compileall", "-q", "soundproof")
        return checkout

    return share("sources", make)


@pytest.fixture
def fresh(sources: Checkout, tmp_path: Path) -> Checkout:
    """A checkout without results."""
    return sources.copy_to(tmp_path / "fresh")


@pytest.fixture(scope="session")
def finished(sources: Checkout, share: Share) -> Checkout:
    """A checkout in which the tiny run has ended; not to be changed."""

    def make(path: Path) -> Checkout:
        checkout = sources.copy_to(path)
        checkout.snakemake("--cores", "2")
        return checkout

    return share("finished", make)


@pytest.fixture
def copy(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished run, time stamps and Snakemake's records included."""
    return finished.copy_to(tmp_path / "copy")
