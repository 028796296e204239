"""Compare headline numbers with those that the repository carries in ``results/reference``.

The reference holds files of the default run under the same names (``metrics.json``,
``p1/tables/detection.csv``). Numbers may differ in the last digits between machines, and training amplifies
that; so two numbers agree when

    |ours - reference| <= ABSOLUTE + RELATIVE * |reference|

Words and counts must be equal. A study that a run left out has no numbers to compare.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.runs.verify import Finding

ABSOLUTE = 0.03
RELATIVE = 0.05


def compare_with_reference(reference: Path, run: Path, left_out: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the numbers of a run that differ from the reference, at most one per file and column.

    Args:
        reference: Folder of reference files.
        run: Folder of the run.
        left_out: Studies that the run left out.
    """
    for path in sorted(reference.rglob("*")):
        if path.suffix not in (".csv", ".json") or path.relative_to(reference).parts[0] in left_out:
            continue
        ours = run / path.relative_to(reference)
        if not ours.is_file():
            yield Finding(ours, "missing", f"to be compared with {path}")
            continue
        found = _compare_tables(path, ours) if path.suffix == ".csv" else _compare_json(path, ours, left_out)
        for detail in found:
            yield Finding(ours, "differs from the reference", detail)


def agrees(ours: float, reference: float) -> bool:
    """Whether two numbers agree within the tolerance; missing ones agree with missing ones."""
    if math.isnan(ours) or math.isnan(reference):
        return math.isnan(ours) and math.isnan(reference)
    return abs(ours - reference) <= ABSOLUTE + RELATIVE * abs(reference)


def _compare_tables(reference: Path, ours: Path) -> Iterator[str]:
    theirs, mine = pd.read_csv(reference), pd.read_csv(ours)
    if list(theirs) != list(mine) or len(theirs) != len(mine):
        yield f"{len(mine)} rows of other columns" if list(theirs) != list(mine) else f"{len(mine)} rows"
        return
    for name in theirs:
        both = zip(mine[name], theirs[name], strict=True)
        if pd.api.types.is_float_dtype(theirs[name]) and pd.api.types.is_numeric_dtype(mine[name]):
            wrong = [row for row, (a, b) in enumerate(both) if not agrees(float(a), float(b))]
        else:
            wrong = [row for row, (a, b) in enumerate(both) if str(a) != str(b)]
        if wrong:
            row = wrong[0]
            more = f", and {len(wrong) - 1} more rows" if len(wrong) > 1 else ""
            yield f"{name} in row {row + 1}: {mine[name][row]} for {theirs[name][row]}{more}"


def _compare_json(reference: Path, ours: Path, left_out: Collection[str]) -> Iterator[str]:
    theirs, mine = (dict(_leaves(json.loads(path.read_text(encoding="utf-8")))) for path in (reference, ours))
    for key in sorted({*theirs, *mine}):
        if key.partition(".")[0] in left_out:
            continue
        a, b = mine.get(key), theirs.get(key)
        if isinstance(a, float) and isinstance(b, float):
            if not agrees(a, b):
                yield f"{key}: {a} for {b}"
        elif a != b:
            yield f"{key}: {a} for {b}"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value
