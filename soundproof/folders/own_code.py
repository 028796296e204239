"""Which files of Python a model of one's own consists of: those that are read are those that are tracked.

A model is named ``path/to/file.py:build`` or ``package.module:build``. It consists of that module and of all that
import statements lead to: from a file, modules and packages that lie beside it; from a package, its own modules.
What is installed is left out, as with the code of this package. Importing this loads no numerical library.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from soundproof.core.errors import ConfigError

_HOUSE = "soundproof"
_WANTED = "name it 'path/to/file.py:build' or 'package.module:build', where build(shape) makes the model"


@dataclass(frozen=True)
class OwnModel:
    """What a model's name stands for.

    Attributes:
        module: Name of the module that holds it.
        attribute: What makes it.
        files: File of each module by its name; None of a package that is a folder without ``__init__.py``.
        installed: The interpreter finds the module by itself.
    """

    module: str
    attribute: str
    files: Mapping[str, Path | None]
    installed: bool


def own_model(model: str) -> OwnModel:
    """Find what a model of one's own consists of.

    Args:
        model: ``path/to/file.py:build`` or ``package.module:build``.

    Raises:
        ConfigError: No such name, no such module, a file that is no Python, or one beside it that is called like a
            module that is installed.
    """
    place, _, attribute = model.rpartition(":")
    if not place or not attribute.isidentifier():
        raise ConfigError(f"the model '{model}'", "no 'where:what'", _WANTED)
    if place.endswith(".py"):
        file = Path(place)
        if not file.is_file():
            raise ConfigError(f"the model '{model}'", f"no file {file.absolute()}", "correct the path")
        return OwnModel(file.stem, attribute, _reached(file.stem, file, file.parent, None), installed=False)
    top = place.partition(".")[0]
    root = _installed_in(top)
    file_of_module = None if root is None else _file(root, place)
    if root is None or file_of_module is None:
        raise ConfigError(f"the model '{model}'", f"no module '{place}' can be imported here", _WANTED)
    return OwnModel(place, attribute, _reached(place, file_of_module, root, top), installed=True)


def code_files(place: str) -> frozenset[Path]:
    """Files that the code of one's own behind ``path/to/file.py`` or ``package.module`` consists of.

    A module that is nowhere to be found has none; whoever loads it says so.

    Raises:
        ConfigError: As :func:`own_model`.
    """
    if not place.endswith(".py") and _installed_in(place.partition(".")[0]) is None:
        return frozenset()
    return frozenset(file for file in own_model(f"{place}:_").files.values() if file is not None)


def _reached(name: str, file: Path, root: Path, top: str | None) -> dict[str, Path | None]:
    """Modules that import statements lead to, from ``file`` on; only those of ``top`` where that is given."""
    found: dict[str, Path | None] = {}
    waiting: list[tuple[str, Path | None]] = [(name, file)]
    while waiting:
        module, path = waiting.pop()
        if module in found:
            continue
        found[module] = path
        if top is None:
            _refuse_clash(module, path or root / module.replace(".", "/"), root)
        if path is not None:
            for target in _imported(module, path):
                waiting += _beside(target, root, top)
    return dict(sorted(found.items()))


def _beside(target: str, root: Path, top: str | None) -> Iterator[tuple[str, Path | None]]:
    """The module and the packages that it stands in, as far as they lie below ``root``."""
    parts = target.split(".")
    first = parts[0]
    if first == _HOUSE or (first in sys.stdlib_module_names if top is None else first != top):
        return
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        file = _file(root, name)
        if file is None and not root.joinpath(*parts[:end]).is_dir():
            return
        yield name, file


def _file(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    # a package before a module of its name, as the interpreter looks
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def _installed_in(top: str) -> Path | None:
    """Folder that holds an installed module or package."""
    spec = PathFinder.find_spec(top)
    if spec is None:
        return None
    if spec.origin is not None:
        file = Path(spec.origin)
        return file.parents[1] if file.name == "__init__.py" else file.parent
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]).parent if places else None


def _refuse_clash(module: str, path: Path, root: Path) -> None:
    top = module.partition(".")[0]
    place = _installed_in(top)
    if place is not None and place.resolve() != root.resolve():
        raise ConfigError(
            f"the module '{top}' that lies beside the model: {path}",
            f"a module of that name is installed ({place / top}), so that an import may mean either",
            "give yours another name",
        )


def _imported(module: str, path: Path) -> Iterator[str]:
    """Modules that a file names in any import statement; of ``from a import b`` both ``a`` and ``a.b``."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, OSError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise ConfigError(f"the code {path}{where}", f"{type(error).__name__}: {error}", "mend it") from error
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            start = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)
