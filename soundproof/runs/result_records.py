"""Read what a result file says of its origin, whatever its format. Importing this loads no numerical library."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from soundproof.core.errors import ArtefactError
from soundproof.storage.provenance import KEY, Provenance, canonical_json
from soundproof.storage.tables import open_parquet, read_provenance


def read_record(path: Path) -> Provenance:
    """Read the provenance record of a Parquet or safetensors file.

    Raises:
        ArtefactError: The file is not whole, or carries no record.
    """
    if path.suffix != ".safetensors":
        return read_provenance(path)
    try:
        # the framework matters for tensors only, and none is read
        with safe_open(path, framework="numpy") as file:
            header = json.loads(file.metadata()[KEY.decode()])
        return Provenance.decode(canonical_json(header["provenance"]).encode())
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            f"provenance of {path}", f"not a whole detector file ({error})", "delete and regenerate it"
        ) from error


def read_listed(path: Path) -> dict[str, str]:
    """Read a table of files (:data:`soundproof.storage.schemas.PAGE_FILES`): digest by name.

    Raises:
        ArtefactError: The table is not whole.
    """
    table = open_parquet(path).read(columns=["file", "digest"])
    return dict(zip(table["file"].to_pylist(), table["digest"].to_pylist(), strict=True))
