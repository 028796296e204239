"""What other packages register: entry points of the groups ``soundproof.detectors`` and so on.

An entry point's name is the name of what it registers, and its value leads to a declaration
(:class:`soundproof.core.registry.Entry`), so that nothing is imported of a package that nobody asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path
from typing import Any

from soundproof.core.errors import ConfigError

GROUPS = {
    "data set": "soundproof.datasets",
    "detector": "soundproof.detectors",
    "explainer": "soundproof.explainers",
    "localisation metric": "soundproof.metrics",
    "faithfulness metric": "soundproof.metrics",
}
"""Group of entry points by what a registry holds."""
_TABLE = "entry_points.txt"


@cache
def registered(group: str) -> Mapping[str, EntryPoint]:
    """Entry points of a group by name.

    Raises:
        ConfigError: Two packages register one name.
    """
    found: dict[str, EntryPoint] = {}
    for package in _packages():
        for point in package.entry_points.select(group=group):
            if point.name in found:
                raise ConfigError(
                    f"the name '{point.name}' among '{group}'",
                    f"two packages register it: {package_of(found[point.name])} and {package_of(point)}",
                    "uninstall one of them, or have it use another name",
                )
            found[point.name] = point
    return dict(sorted(found.items()))


def package_of(point: EntryPoint) -> str:
    """Name of the package that an entry point belongs to, as it was installed."""
    return point.dist.name if point.dist is not None else point.value


def load(point: EntryPoint) -> Any:
    """Import what an entry point leads to.

    Raises:
        ConfigError: That fails.
    """
    try:
        return point.load()
    except Exception as error:
        found = f"its import fails: {type(error).__name__}: {error}"
        remedy = "mend the package, or uninstall it"
        raise ConfigError(f"'{point.name}' of the package {package_of(point)}", found, remedy) from error


@cache
def _packages() -> tuple[PathDistribution, ...]:
    """Installed packages that register anything here; of several of one name the one that would be imported."""
    found: dict[str, PathDistribution] = {}
    for table in _tables():
        if b"[soundproof." in table.read_bytes():
            package = PathDistribution(table.parent)
            found.setdefault(package.name, package)
    return tuple(found.values())


def _tables() -> Iterator[Path]:
    # importlib.metadata.entry_points() reads the tables of all packages, and takes 80 ms for 200 of them
    for folder in dict.fromkeys(sys.path):
        yield from sorted(Path(folder or ".").glob(f"*.dist-info/{_TABLE}"))
