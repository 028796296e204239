"""What all tests share: seeds, no clock on generated examples, and disks that fill up or cannot be written.

The disks are real ones, since a library's own error is what is to be understood.
"""

from __future__ import annotations

import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# how long an example takes says how busy the machine is
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

Mount = Callable[..., None]
MINUTES = ("test_endurance.py", "test_own_guides.py", "test_slurm.py")
"""Files that take longest: where several processes share the tests, none waits for one of these at the end."""


def _seed_by(name: str) -> None:
    """Let what draws without a seed draw the same in any order of tests and in any process."""
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    # a library that is not loaded yet begins from a seed of its own
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        if item.path.name in MINUTES:
            return MINUTES.index(item.path.name)
        return len(MINUTES) + ("workflow" not in item.path.parts)

    items.sort(key=turn)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    _seed_by(f"{fixturedef.argname} of {request.node.nodeid}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    _seed_by(item.nodeid)


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Call it with arguments of mount(8) that end with a folder; the folder is released afterwards."""
    with ExitStack() as mounted:

        def mount(*arguments: str | Path) -> None:
            done = subprocess.run(
                ["mount", *map(str, arguments)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"this user may not mount: {done.stderr.strip()}")
            mounted.callback(subprocess.run, ["umount", "--lazy", str(arguments[-1])], check=True)

        yield mount


@pytest.fixture
def small_disk(mount: Mount, tmp_path: Path) -> Path:
    """A folder on a disk of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=256k", "none", folder)
    return folder


@pytest.fixture
def make_read_only(mount: Mount) -> Callable[[Path], None]:
    """Call it with a folder, which cannot be written from then on, not even by root."""

    def make(folder: Path) -> None:
        mount("--bind", folder, folder)
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)

    return make
