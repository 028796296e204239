"""Which run the results of a folder of recordings belong to: one per folder, so that none replaces another's."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from soundproof.core.errors import ConfigError, StorageError
from soundproof.folders.settings import MACHINE_ID
from soundproof.storage.files import whole_file

OWNERS = Path(".snakemake", "soundproof.recordings.json")
"""Which recordings the results of a run are of, below the folder that the workflow runs in."""
_LONGEST = 60


def run_of(recordings: Path) -> str:
    """Name a run after a folder of recordings (or the folder and name of a label table).

    A name that file names had better not hold is spelt otherwise and gets six digits of its own SHA-256, so that no
    two names become one. Of a folder named as an id (``id_00``) the one above is named as well.
    """
    path = _spelt_out(recordings)
    named = [path.parent, path.with_suffix("")] if path.is_file() else [path]
    if MACHINE_ID.fullmatch(named[0].name):
        named.insert(0, named[0].parent)
    name = "-".join(part.name for part in named)
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:_LONGEST]
    if plain != name or not name:
        plain += f"-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"
    return f"recordings-{plain}"


def refuse_others(run: Path, recordings: Path, *, by_default: bool, owners: Path = OWNERS) -> str:
    """Refuse to replace the results of other recordings unasked.

    Args:
        run: Folder of the run.
        recordings: Folder or label table of this run.
        by_default: Whether nobody named the run.
        owners: Notes of earlier runs.

    Returns:
        What to say: that the results of other recordings are replaced, where the run was named; else nothing.

    Raises:
        ConfigError: The run is named after the folder, and its results are of another folder of that name.
    """
    owner = _read(owners).get(str(run))
    if owner is None or not run.exists() or not Path(owner).exists() or recordings.samefile(owner):
        return ""
    if not by_default:
        return f"The results in {run} are of {owner}; what is made now is of {recordings}."
    raise ConfigError(
        f"results of {recordings} in {run}",
        f"those of other recordings, {owner}",
        f"give this run a name of its own, as in --config recordings={recordings} run={run.name}_2, "
        f"or remove {run} if it is not wanted any more",
    )


def claim(run: Path, recordings: Path, owners: Path = OWNERS) -> None:
    """Note that the results of a run are of these recordings; where no note can be written, none is."""
    known = {name: owner for name, owner in _read(owners).items() if Path(name).exists()}
    with suppress(StorageError, OSError, UnicodeEncodeError), whole_file(owners) as partial:
        partial.write_text(json.dumps({**known, str(run): str(_spelt_out(recordings))}), encoding="utf-8")


def _spelt_out(path: Path) -> Path:
    """The path from the root, without ``..``; links keep their names."""
    return Path(os.path.normpath(path.absolute()))


def _read(owners: Path) -> Mapping[str, str]:
    try:
        known = json.loads(owners.read_text(encoding="utf-8"))
        return {name: owner for name, owner in known.items() if isinstance(owner, str)}
    except (OSError, ValueError, AttributeError):
        return {}
