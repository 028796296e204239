"""Compare headline numbers with those that the repository carries in ``results/reference``.

The reference holds files of the default run under the same names (``metrics.json``, ``p1/tables/detection.csv``).
The same code ends trainings elsewhere on another kind of processor, since sums are rounded in another order and
training amplifies that; a number of few clips then moves by more than its last digits. So a number is

* the same, where ``|ours - reference| <= ABSOLUTE + RELATIVE * |reference|``;
* of another training, where both tables state a 95 % interval and that of the difference holds 0
  (:func:`within_intervals`): nothing is wrong, and how many there are is said;
* else different, which is an error.

What follows from such numbers (intervals, spreads, chance lines of a map's own, words such as who is best) must
be the same in tables whose numbers are the same to the last digits, and is not compared in others. What a row is
about, and of how many clips, machines and trainings, must always be the same. A study that a run left out has no
numbers to compare.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.runs.verify import Finding

ABSOLUTE = 0.03
RELATIVE = 0.05
_LAST_DIGITS = 1e-6
_ROUNDING = 1e-4
"""By how much the numbers of ``metrics.json``, of four digits, may differ from those of the tables."""
_COUNTS = ("clips", "n_clips", "n_machines", "n_normal", "n_anomalous", "n_seeds")
_TABLE_OF = {"detection": ("detection", "auc"), "explanation": ("quality", None)}
"""Table and column that a part of ``metrics.json`` is taken from; None: the number's own name."""

Row = Mapping[Hashable, Any]


@dataclass
class Comparison:
    """What a comparison with the reference found.

    Attributes:
        same: How many numbers are the same.
        moved: Numbers of another training within the intervals, by file of the run.
        differ: What differs, at most one finding per file and column.
    """

    same: int = 0
    moved: dict[Path, int] = field(default_factory=dict)
    differ: list[Finding] = field(default_factory=list)

    def count(self, file: Path, verdict: str) -> None:
        """Count a number of ``file`` that is ``same`` or ``moved``."""
        if verdict == "same":
            self.same += 1
        else:
            self.moved[file] = self.moved.get(file, 0) + 1


def compare_with_reference(reference: Path, run: Path, left_out: Collection[str] = ()) -> Comparison:
    """Compare a run with the reference.

    Args:
        reference: Folder of reference files.
        run: Folder of the run.
        left_out: Studies that the run left out.
    """
    found = Comparison()
    for path in sorted(reference.rglob("*")):
        if path.suffix not in (".csv", ".json") or path.relative_to(reference).parts[0] in left_out:
            continue
        ours = run / path.relative_to(reference)
        if not ours.is_file():
            found.differ.append(Finding(ours, "missing", f"to be compared with {path}"))
            continue
        details = (
            _compare_tables(path, ours, found)
            if path.suffix == ".csv"
            else _compare_json(path, ours, left_out, found)
        )
        found.differ += [Finding(ours, "differs from the reference", detail) for detail in details]
    return found


def agrees(ours: float, reference: float) -> bool:
    """Whether two numbers agree within the tolerance; missing ones agree with missing ones."""
    if math.isnan(ours) or math.isnan(reference):
        return math.isnan(ours) and math.isnan(reference)
    return abs(ours - reference) <= ABSOLUTE + RELATIVE * abs(reference)


def within_intervals(ours: Sequence[float], reference: Sequence[float]) -> bool:
    """Whether the 95 % interval of the difference of two numbers holds 0.

    It is put together of the sides that the two intervals turn to each other, as root of the sum of their squares
    (Zou and Donner 2008, doi:10.1002/sim.3095). Both runs heard the same clips, so it is wider than it need be.

    Args:
        ours: Number, lower and upper end of its interval.
        reference: The same of the other; NaN among them: nothing is known, and the answer is no.
    """
    (lower, _, top), (higher, bottom, _) = sorted((tuple(ours), tuple(reference)))
    return higher - lower <= math.hypot(top - lower, higher - bottom)


def _compare_tables(reference: Path, ours: Path, found: Comparison) -> Iterator[str]:
    theirs, mine = pd.read_csv(reference), pd.read_csv(ours)
    if list(theirs) != list(mine) or len(theirs) != len(mine):
        yield f"{len(mine)} rows of other columns" if list(theirs) != list(mine) else f"{len(mine)} rows"
        return
    names = [str(name) for name in theirs]
    ends_of = {name: ends for name in names if (ends := _ends_of(name, names)) is not None}
    floats = {name for name in names if pd.api.types.is_float_dtype(theirs[name])}
    first_float = next((at for at, name in enumerate(names) if name in floats), len(names))
    always = {*names[:first_float], *ends_of, *_COUNTS}
    wrong: dict[str, list[int]] = {name: [] for name in names}
    rows = list(zip(mine.to_dict("records"), theirs.to_dict("records"), strict=True))
    untouched = all(_equal(a[name], b[name]) for a, b in rows for name in ends_of)
    for at, (a, b) in enumerate(rows):
        for name in names:
            verdict = _verdict(a, b, name, ends_of.get(name), name in floats)
            if verdict == "differs":
                if untouched or name in always:
                    wrong[name].append(at)
            elif name in floats:
                found.count(ours, verdict)
    for name, at_rows in wrong.items():
        if at_rows:
            row = at_rows[0]
            more = f", and {len(at_rows) - 1} more rows" if len(at_rows) > 1 else ""
            yield f"{name} in row {row + 1}: {mine[name][row]} for {theirs[name][row]}{more}"


def _ends_of(name: str, names: Collection[str]) -> tuple[str, str] | None:
    """Columns of the interval of a number; None: it has none."""
    prefixes = [f"{name}_ci_", f"{name}_", *(["ci_"] if name == "value" else [])]
    return next(
        ((f"{p}low", f"{p}high") for p in prefixes if f"{p}low" in names and f"{p}high" in names), None
    )


def _verdict(ours: Row, reference: Row, name: str, ends: tuple[str, str] | None, is_float: bool) -> str:
    """``same``, ``moved`` or ``differs``."""
    a, b = ours[name], reference[name]
    if not (is_float and isinstance(a, (int, float))):
        return "same" if str(a) == str(b) else "differs"
    if agrees(float(a), float(b)):
        return "same"
    if ends is None:
        return "differs"
    numbers = [[float(row[column]) for column in (name, *ends)] for row in (ours, reference)]
    known = all(map(math.isfinite, numbers[0] + numbers[1]))
    return "moved" if known and within_intervals(*numbers) else "differs"


def _equal(a: Any, b: Any) -> bool:
    """Whether two numbers, or what stands in their place, are the same to the last digits."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_LAST_DIGITS)
    return str(a) == str(b)


def _compare_json(reference: Path, ours: Path, left_out: Collection[str], found: Comparison) -> Iterator[str]:
    theirs, mine = (dict(_leaves(json.loads(path.read_text(encoding="utf-8")))) for path in (reference, ours))
    for key in sorted({*theirs, *mine}):
        if key[0] in left_out:
            continue
        a, b = mine.get(key), theirs.get(key)
        if isinstance(a, float) and isinstance(b, float):
            verdict = "same" if agrees(a, b) else _by_tables(key, a, b, ours.parent, reference.parent)
        else:
            verdict = "same" if a == b else "differs"
        if verdict == "differs":
            yield f"{'.'.join(key)}: {a} for {b}"
        elif isinstance(b, float):
            found.count(ours, verdict)


def _by_tables(key: tuple[str, ...], a: float, b: float, ours: Path, reference: Path) -> str:
    """Judge a number of ``metrics.json`` by the intervals that the tables beside it state of the same number.

    Args:
        key: Where it stands: study, part, detector and so on.
        a: Ours.
        b: That of the reference.
        ours: Folder of the run.
        reference: Folder of the reference.
    """
    study, *path = key
    if len(path) < 2 or path[0] not in _TABLE_OF:
        return "differs"
    (table, column), labels = _TABLE_OF[path[0]], path[1:]
    name = column or labels.pop()
    mine, theirs = (
        _rows_of(folder / study / "tables" / f"{table}.csv").get(tuple(labels), {})
        for folder in (ours, reference)
    )
    ends = _ends_of(name, [str(column) for column in mine if column in theirs])
    stated = ends is not None and _rounds_to(mine[name], a) and _rounds_to(theirs[name], b)
    return _verdict(mine, theirs, name, ends, True) if stated else "differs"


def _rounds_to(number: Any, rounded: float) -> bool:
    """Whether ``metrics.json`` has this number of a table."""
    return isinstance(number, float) and abs(number - rounded) <= _ROUNDING


def _rows_of(path: Path) -> dict[tuple[str, ...], Row]:
    """Rows of a table by detector, or by detector and explainer; none of a file that is not there."""
    if not path.is_file():
        return {}
    frame = pd.read_csv(path)
    labels = [name for name in ("detector", "explainer") if name in frame]
    return {tuple(str(row[name]) for name in labels): row for row in frame.to_dict("records")}


def _leaves(value: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*key, name))
    else:
        yield key, value
