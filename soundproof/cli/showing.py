"""Print what a result file says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from soundproof.storage.maps import Axes, read_axes
from soundproof.storage.provenance import KEY, Provenance
from soundproof.storage.tables import open_parquet

_LONGEST_CELL = 48
_COLUMNS = 4
"""Tables of more columns are printed on their side."""


def show_table(path: Path, head: int, console: Console) -> None:
    """Print size, schema, provenance, axes (of maps) and the first rows of a Parquet file.

    Raises:
        ArtefactError: The file is missing or not whole Parquet.
    """
    file = open_parquet(path)
    schema, facts = file.schema_arrow, file.metadata
    console.print(
        f"{path}: {facts.num_rows} rows in {facts.num_row_groups} row groups, {path.stat().st_size:,} bytes",
        markup=False,
        soft_wrap=True,
    )
    console.print(_schema_table(schema))
    axes = read_axes(schema)
    if axes is not None:
        _say(console, "Axes", _axes_facts(axes))
    record = (schema.metadata or {}).get(KEY)
    if record is None:
        _say(console, "Provenance", "none: this file was not written by soundproof")
    else:
        _say(console, "Provenance", _provenance_facts(Provenance.decode(record)))
    if head and facts.num_rows:
        console.print(_first_rows(file, head, axes))


def show_model(path: Path, console: Console) -> None:
    """Print kind, settings, map shape and provenance of a fitted detector.

    Raises:
        ArtefactError: The file is missing, cut off or not a detector.
    """
    from soundproof.detectors.storage import read_header

    stored = read_header(path)
    console.print(f"{path}: {path.stat().st_size:,} bytes", markup=False, soft_wrap=True)
    takes = f"{stored.shape[0]} bands x {stored.shape[1]} frames"
    _say(console, "Detector", {"kind": stored.kind, "takes": takes, "settings": stored.settings})
    _say(console, "Provenance", _provenance_facts(stored.provenance))


def _say(console: Console, heading: str, facts: Any) -> None:
    console.print(f"\n[bold]{heading}[/bold]")
    text = facts if isinstance(facts, str) else yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
    console.print(text.rstrip(), markup=False, soft_wrap=True)


def _schema_table(schema: pa.Schema) -> Table:
    table = Table("column", "type", "null?", title="Schema", title_justify="left")
    for field in schema:
        table.add_row(field.name, str(field.type), "yes" if field.nullable else "no")
    return table


def _axes_facts(axes: Axes) -> dict[str, Any]:
    (n_freq, n_frames), rate = axes.shape, axes.frames_per_second
    low, high = axes.frequencies_hz[0], axes.frequencies_hz[-1]
    return {
        "frequency": f"{n_freq} rows, {low:.1f} to {high:.1f} Hz",
        "time": f"{n_frames} frames, {rate:g} per second ({n_frames / rate:g} s)",
        "unit": axes.unit,
    }


def _provenance_facts(provenance: Provenance) -> dict[str, Any]:
    return {
        "stage": provenance.stage,
        "settings_digest": provenance.settings_digest,
        "code": provenance.code,
        "seed": provenance.seed,
        "device": provenance.device,
        "inputs": dict(provenance.inputs),
        "versions": dict(provenance.versions),
        "settings": dict(provenance.settings),
    }


def _first_rows(file: pq.ParquetFile, head: int, axes: Axes | None) -> Table:
    batch = next(file.iter_batches(batch_size=head))
    names, rows = batch.schema.names, batch.to_pylist()
    cells = [[_cell(row[name], is_map=axes is not None) for name in names] for row in rows]
    table = Table(title=f"First {len(rows)} rows", title_justify="left")
    if len(names) <= _COLUMNS:
        for name in names:
            table.add_column(name, overflow="fold")
        for line in cells:
            table.add_row(*line)
        return table
    # too wide for a terminal: a line per column
    table.add_column("column", no_wrap=True)
    for number in range(len(rows)):
        table.add_column(f"row {number}", overflow="fold")
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        table.add_row(name, *column)
    return table


def _cell(value: Any, *, is_map: bool) -> str:
    if is_map and isinstance(value, list):
        numbers = np.array(value)
        return f"min {numbers.min():.4g}, mean {numbers.mean():.4g}, max {numbers.max():.4g}"
    text = f"{value:.6g}" if isinstance(value, float) else "–" if value is None else str(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
