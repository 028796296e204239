"""Write the generated files, or tell which of them have drifted from the code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from soundproof.config.generated.dataset_pages import dataset_pages
from soundproof.config.generated.default_file import default_file
from soundproof.config.generated.json_schema import json_schema
from soundproof.config.generated.reference_page import reference_page
from soundproof.config.generated.registry_page import registry_page
from soundproof.core.errors import ArtefactError
from soundproof.storage.files import whole_file

COMMAND = "python -m soundproof config write"
FILES: Mapping[str, Callable[[], str]] = {
    "config/config.yaml": default_file,
    "config/schema.json": json_schema,
    "docs/configuration.md": reference_page,
    "docs/registries.md": registry_page,
    **dataset_pages(),
}
_SHOWN = 12
"""Lines of each difference that a message shows."""


def write_generated(root: Path) -> list[Path]:
    """Write the files that differ from what the code says.

    Returns:
        The paths written.
    """
    stale = [name for name in FILES if _difference(root, name)]
    for name in stale:
        with whole_file(root / name) as partial:
            partial.write_text(FILES[name](), encoding="utf-8", newline="\n")
    return [root / name for name in stale]


def check_generated(root: Path) -> None:
    """Compare the files with what the code says.

    Raises:
        ArtefactError: Some differ; the message shows the first differing lines.
    """
    differences = {name: lines for name in FILES if (lines := _difference(root, name))}
    if differences:
        found = "".join(
            f"\n  {name}: {len(lines)} lines differ\n    " + "\n    ".join(lines[:_SHOWN])
            for name, lines in differences.items()
        )
        raise ArtefactError("generated files that say what the code says", found, COMMAND)


def _difference(root: Path, name: str) -> list[str]:
    path = root / name
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = difflib.unified_diff(there, FILES[name]().splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]
