"""Typed Parquet tables with provenance in their schema metadata."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from soundproof.core.errors import ArtefactError
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import KEY, Provenance

if TYPE_CHECKING:
    import pandas as pd

COMPRESSION = "zstd"


def write_table(
    frame: pd.DataFrame, path: Path, provenance: Provenance, schema: pa.Schema | None = None
) -> None:
    """Write a frame as Parquet.

    Args:
        frame: What to write; the index is dropped.
        path: Where; it appears whole or not at all.
        provenance: Record for the schema metadata.
        schema: Columns, types and nullability to enforce (extra columns are refused); inferred if None.

    Raises:
        ArtefactError: The frame does not fit the schema.
    """
    try:
        table = _to_arrow(frame, schema)
    except (ValueError, pa.ArrowTypeError, KeyError) as error:
        raise ArtefactError(
            f"write {path.name}", str(error), "make the frame fit its schema in soundproof/storage/schemas.py"
        ) from error
    with whole_file(path) as partial:
        pq.write_table(
            table.replace_schema_metadata({KEY: provenance.encode()}), partial, compression=COMPRESSION
        )


def _to_arrow(frame: pd.DataFrame, schema: pa.Schema | None) -> pa.Table:
    if schema is None:
        return pa.Table.from_pandas(frame, preserve_index=False)
    extra = [name for name in frame.columns if name not in schema.names]
    if extra:
        raise ValueError(f"columns that the schema does not have: {', '.join(extra)}")
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table written by :func:`write_table`.

    Raises:
        ArtefactError: The file is missing or is not whole Parquet.
    """
    frame: pd.DataFrame = open_parquet(path).read(columns=columns).to_pandas(ignore_metadata=True)
    return frame


def read_provenance(path: Path) -> Provenance:
    """Read the provenance record of a Parquet file.

    Raises:
        ArtefactError: The file is missing, not whole Parquet, or carries no record.
    """
    record = (open_parquet(path).schema_arrow.metadata or {}).get(KEY)
    if record is None:
        raise ArtefactError(
            f"provenance of {path}", "none in its schema metadata", "delete and regenerate it"
        )
    return Provenance.decode(record)


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file, with an error that says what to do where that fails."""
    if not path.exists():
        raise ArtefactError(f"read {path}", "no such file", "run the workflow that makes it")
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ArtefactError(
            f"read {path}", f"not whole Parquet ({error})", "delete and regenerate it"
        ) from error
