"""What the package declares, what the locks are resolved from, and what the code imports are one list."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
UNLOCKED = {"clap", "onnx", "quantus"}
"""Extras that are too large for the locks (but for what tests need)."""


def read(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    named = {canonicalize_name(one.name): one for one in found}
    assert len(named) == len(found)
    return named


DECLARED = read(PROJECT["project"]["dependencies"])
LOCKED_EXTRAS = read([line for name, lines in EXTRAS.items() if name not in UNLOCKED for line in lines])
DEVELOPMENT = read([line for lines in PROJECT["dependency-groups"].values() for line in lines])
BASE = read(
    [line for line in (ROOT / "requirements/base.in").read_text().splitlines() if line and line[0] != "#"]
)


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_each_requirement_stands_in_one_place() -> None:
    places = [set(DECLARED), set(LOCKED_EXTRAS), set(DEVELOPMENT)]
    assert sum(map(len, places)) == len(set().union(*places))


def test_the_locks_are_resolved_from_what_is_declared() -> None:
    assert set(BASE) == {*DECLARED, *LOCKED_EXTRAS, *DEVELOPMENT}


@pytest.mark.parametrize("lock", ["cpu.lock", "gpu.lock"])
def test_locked_versions_are_among_the_declared_ones(lock: str) -> None:
    pinned = pins(lock)
    for name, requirement in {**DECLARED, **LOCKED_EXTRAS, **DEVELOPMENT, **BASE}.items():
        assert pinned[name] in requirement.specifier, name


def test_what_the_package_imports_is_declared() -> None:
    owners = importlib.metadata.packages_distributions()
    declared = {*DECLARED, *read([line for lines in EXTRAS.values() for line in lines])}
    # parts of those that are named
    brought = {"contourpy": "matplotlib", "urllib3": "requests"}
    for path in (ROOT / "soundproof").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - {"soundproof"} - sys.stdlib_module_names:
                found = {canonicalize_name(owner) for owner in owners.get(top, [top])}
                assert {brought.get(owner, owner) for owner in found} & declared, (path, top)
