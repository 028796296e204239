"""The rooms of the package: what stands where, and which way imports point."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "soundproof"
ROOMS = re.findall(
    r"^\| `(\w+)` \| .+ \|$",
    (ROOT / "docs" / "architecture.md")
    .read_text(encoding="utf-8")
    .partition("## Rooms")[2]
    .partition("\n## ")[0],
    re.MULTILINE,
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(text: str) -> Iterator[str]:
    """Modules of the package that a text imports, wherever it does."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def room_of(module: str) -> str:
    return module.split(".")[1]


def upward(module: str, text: str) -> list[str]:
    """Imports of a module that point at a room below its own in the table."""
    own = ROOMS.index(room_of(module))
    return [target for target in imports(text) if "." in target and ROOMS.index(room_of(target)) > own]


def test_the_table_of_rooms_names_each_room_once():
    there = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert len(ROOMS) == len(set(ROOMS))
    assert set(ROOMS) == there


def test_nothing_stands_outside_a_room():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.count(".")])
def test_imports_point_at_rooms_above(module):
    if module == "soundproof.__main__":
        return
    assert not upward(module, MODULES[module].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("soundproof.core.errors", "from soundproof.storage import tables"),
        ("soundproof.downloads.hosts", "def f():\n    from soundproof.datasets.registry import DATASETS"),
        ("soundproof.detectors.storage", "import soundproof.attribution.registry"),
    ],
)
def test_an_import_from_a_room_below_is_found(module, text):
    assert upward(module, text)


def test_no_file_imports_itself_through_others():
    graph = {name: set(imports(path.read_text(encoding="utf-8"))) - {name} for name, path in MODULES.items()}
    while leaves := [name for name, targets in graph.items() if not targets]:
        for name in leaves:
            del graph[name]
        for targets in graph.values():
            targets.difference_update(leaves)
    assert not graph


def test_no_room_holds_more_than_a_fifth_of_the_lines():
    lines = dict.fromkeys(ROOMS, 0)
    for name, path in MODULES.items():
        if name.count(".") and name != "soundproof.__main__":
            lines[room_of(name)] += len(path.read_text(encoding="utf-8").splitlines())
    assert max(lines.values()) <= sum(lines.values()) / 5
