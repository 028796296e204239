"""What files of code import, remembered by their content, so that a dry run parses only what changed.

Parsing the package takes a good part of the time of a dry run that finds nothing to do. An entry goes by the
SHA-256 of the file's bytes: a changed file has another one, whatever its dates say. The notes are a convenience:
without them everything is parsed once more.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from soundproof.core.errors import StorageError
from soundproof.storage.files import whole_file

NOTES = Path(".snakemake", "soundproof.imports.json")
"""Where they are kept, below the folder that the workflow runs in; nothing is written where that was never one."""
_AT_MOST = 10_000
_FRESH: dict[str, list[str]] = {}


def noted(content: bytes, parse: Callable[[bytes], list[str]]) -> tuple[str, ...]:
    """Return what ``parse`` finds in ``content``, from the notes where it was found before."""
    key = sha256(content).hexdigest()
    names = _known().get(key) or _FRESH.get(key)
    if names is None:
        names = parse(content)
        if not _FRESH:
            # once, when all that this process needs is known
            atexit.register(_remember, NOTES.absolute())
        _FRESH[key] = names
    return tuple(names)


@cache
def _known() -> dict[str, list[str]]:
    """Notes made by this very parser: another version of it may find something else."""
    try:
        notes = json.loads(NOTES.read_text(encoding="utf-8"))
        return {
            key: names
            for key, names in notes[_parser()].items()
            if isinstance(names, list) and all(isinstance(name, str) for name in names)
        }
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}


def _remember(notes: Path) -> None:
    known = _known()
    entries = {**(known if len(known) < _AT_MOST else {}), **_FRESH}
    if notes.parent.is_dir():
        with suppress(StorageError, OSError), whole_file(notes) as partial:
            partial.write_text(json.dumps({_parser(): entries}), encoding="utf-8")


@cache
def _parser() -> str:
    return sha256(Path(__file__).with_name("codebase.py").read_bytes()).hexdigest()
