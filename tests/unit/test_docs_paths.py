"""What documentation and docstrings name is there: files, links, modules and what stands in them."""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
GUIDES = sorted(path for kind in ("adding", "own") for path in (ROOT / "docs").glob(f"{kind}-*.md"))
MODULES = sorted(
    path
    for room in ("soundproof", "workflow_scripts", "benchmarks", "tests")
    for path in (ROOT / room).rglob("*.py")
)
TEXTS = [*PAGES, *(ROOT / name for name in ("config/datasets.yaml", "pyproject.toml"))]
TEXTS += [*sorted((ROOT / "config/studies").glob("*.yaml")), *sorted((ROOT / "rules").glob("*.smk"))]

_PATH = re.compile(
    r"(?<![\w/.<-])(?:soundproof|workflow_scripts|rules|tests|benchmarks|scripts|config|docs|profiles|envs)/"
    r"[\w./-]*[\w/]"
)
_DOTTED = re.compile(r"(?<![\w./-])soundproof(?:\.\w+)+(?![\w/-])")
_FILE = re.compile(r"(?<=`)\w+\.(?:py|smk|sh)(?=`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)(?: (\S+))?(?: \((\w+)\))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def made_by(guides: str) -> set[str]:
    """Files that guides have their reader write, with their folders."""
    files = {Path(target) for _, target, how, _ in _FENCE.findall(guides) if target and not how}
    return {str(path) for file in files for path in (file, *file.parents)}


def words_of(path: Path) -> str:
    """Docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    strings = [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return "\n".join([*strings, *comments])


@cache
def exists(dotted: str) -> bool:
    """Whether a dotted name is a module of the package, or something that stands in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        if place.is_dir() or place.with_suffix(".py").is_file():
            found: object = importlib.import_module(".".join(parts[:length]))
            for part in parts[length:]:
                if not _has(found, part):
                    return False
                found = getattr(found, part, None)
            return True
    return False


def _has(owner: object, name: str) -> bool:
    # fields of a class without a default are annotations only
    return hasattr(owner, name) or name in getattr(owner, "__annotations__", {})


@cache
def file_names() -> set[str]:
    """Names of the repository's code files."""
    folders = ("soundproof", "workflow_scripts", "benchmarks", "tests", "rules", "scripts")
    return {path.name for folder in folders for path in (ROOT / folder).rglob("*.*")}


def missing(text: str, allowed: frozenset[str] | set[str] = frozenset()) -> Iterator[str]:
    """Paths and dotted names in a text that lead nowhere."""
    for path in dict.fromkeys(_PATH.findall(text)):
        if not (ROOT / path).exists() and path.rstrip("/") not in allowed:
            yield path
    names = {Path(path).name for path in allowed}
    for name in dict.fromkeys(_FILE.findall(text)):
        if name not in file_names() | names:
            yield name
    modules = {path.removesuffix(".py").replace("/", ".") for path in allowed}
    for dotted in dict.fromkeys(_DOTTED.findall(text)):
        within = {dotted, dotted.rpartition(".")[0]}
        if not exists(dotted) and not within & modules:
            yield dotted


def anchors(page: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(page)]
    return {heading.strip().replace(" ", "-") for heading in plain}


def dead_links(page: Path) -> Iterator[str]:
    """Relative links of a page whose file, or heading, is not there."""
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if ":" in target:
            continue
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            yield link


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
def test_a_page_names_what_is_there(page: Path) -> None:
    # one guide goes on where another ends
    made = made_by("\n".join(map(Path.read_text, GUIDES))) if page in GUIDES else set()
    assert list(missing(page.read_text(encoding="utf-8"), made)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_link_of_a_page_is_dead(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_docstrings_and_comments_name_what_is_there() -> None:
    found = {name_of(path): list(missing(words_of(path))) for path in MODULES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("see `soundproof/core/errors.py` and rules/paths.smk", []),
        ("see soundproof/core/mistakes.py", ["soundproof/core/mistakes.py"]),
        ("`registry.py` and `stand_ins.py`", ["stand_ins.py"]),
        ("`tests/unit/nowhere/`", ["tests/unit/nowhere/"]),
        (":class:`soundproof.core.errors.DataError.asked`", ["soundproof.core.errors.DataError.asked"]),
        (":class:`soundproof.interfaces.backbone.Origin.sha256`", []),
        ("soundproof.nowhere", ["soundproof.nowhere"]),
        ("soundproof.core.errors:DataError", []),
    ],
)
def test_what_leads_nowhere_is_found(text: str, lost: list[str]) -> None:
    assert list(missing(text)) == lost


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Two words\n[here](#two-words) [there](#three) [file](gone.md) [web](https://example.org)"
    )
    assert list(dead_links(page)) == ["#three", "gone.md"]
