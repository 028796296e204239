"""Digests of the code that a job runs: reruns follow what the code says, not when a file was touched.

The digest of a script covers the script and every module of this package that it imports, directly or through
others (read off the syntax tree, function-level imports included), and the templates that a package fills in.
Left out, as rooms, is what shapes no number: words and messages, downloads (whose files are checked by their
checksums), the machinery of a run, and what only declares what exists (registries, classes of settings, the
configuration's model). What a declaration contributes reaches a job as settings, which are parameters of its
rule; adding an explainer must not rerun every other one.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from soundproof.folders.own_code import code_files
from soundproof.runs.import_notes import noted

PACKAGE = "soundproof"
_ROOT = Path(__file__).resolve().parents[2]
_LIBRARY = b"\n# The library: "
"""Begins what the file of the package itself offers to users of the library, which no stage runs."""
TEMPLATES = "templates"
"""Folder of what a package fills in; it belongs to the code of the package."""
NO_NUMBERS = ("core", "downloads", "config", "runs", "datasets.miniatures")
"""Rooms that shape no number, and what they import stays out with them."""
DECLARED = ("training", "backbones", "detectors", "attribution", "localisation", "faithfulness")
"""Rooms whose classes of settings do nothing but declare: their values are a job's parameters."""


def code_digest(script: Path, implementations: Iterable[str] = ()) -> str:
    """Digest a script, what it imports of this package, and further modules it loads by name.

    Args:
        script: Script of a rule.
        implementations: Dotted names of modules that a registry loads for this job; code of one's own that
            settings name, as a module or as a file.

    Returns:
        16 hexadecimal digits.

    Raises:
        ConfigError: Code of one's own that cannot be parsed.
    """
    # hundreds of jobs run the same code: a dry run lists, reads and digests it once
    return _digest(script, tuple(implementations))


@cache
def _digest(script: Path, implementations: tuple[str, ...]) -> str:
    files, own = {script.resolve()}, set[Path]()
    for name in (*_imports(script), *implementations):
        if name.partition(".")[0] == PACKAGE:
            files |= _closure(name)
        else:
            own |= code_files(name)
    # where one's own code lies must not change the order of this package's files
    content = hashlib.sha256()
    for path in (*sorted(files, key=str), *sorted(own, key=str)):
        content.update(path.name.encode() + b"\0" + _content(path) + b"\0")
    return content.hexdigest()[:16]


@cache
def _closure(module: str) -> frozenset[Path]:
    found: set[Path] = set()
    # the packages that a module stands in are loaded with it
    fresh = set(_and_packages(module))
    seen = set(fresh)
    while fresh:
        imported: set[str] = set()
        for name in fresh:
            path = _file(name)
            if path is None or shapes_no_number(name):
                continue
            found.add(path)
            if templates := _templates(path):
                found.update(templates)
            imported.update(_imports(path))
        fresh = imported - seen
        seen |= fresh
    return frozenset(found)


@cache
def _templates(path: Path) -> tuple[Path, ...]:
    """Files that a package fills in, which say what its pages say."""
    folder = path.parent / TEMPLATES
    return tuple(sorted(folder.iterdir())) if path.name == "__init__.py" and folder.is_dir() else ()


@cache
def shapes_no_number(module: str) -> bool:
    """Whether a module of this package stays out of digests."""
    if module.endswith(".registry"):
        return True
    if module.endswith(".settings"):
        return module.split(".")[1] in DECLARED
    return any(f"{module}.".startswith(f"{PACKAGE}.{room}.") for room in NO_NUMBERS)


@cache
def _file(module: str) -> Path | None:
    base = _ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return content.partition(_LIBRARY)[0] if path == _ROOT / PACKAGE / "__init__.py" else content


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Modules of this package that a file names in any import statement."""
    return noted(_content(path), lambda content: sorted(set(_named(ast.parse(content)))))


_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, however deep; imports are statements, so that nobody need look into expressions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in _BLOCKS:
            inner = getattr(node, block, ())
            # a lambda's and a conditional expression's parts are no blocks
            waiting += inner if isinstance(inner, list) else ()


def _named(tree: ast.AST) -> Iterator[str]:
    for node in _statements(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # "from package import name": the name may be a module of its own
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] == PACKAGE:
                yield from _and_packages(name)


def _and_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
