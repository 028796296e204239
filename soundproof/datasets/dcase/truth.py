"""Labels and domains of evaluation clips, from the repositories of the official evaluators."""

from __future__ import annotations

import csv
from pathlib import Path

from soundproof.core.errors import DataError
from soundproof.datasets.dcase.names import without_split

LABELS = {"0": "normal", "1": "anomaly"}
DOMAINS = {"0": "source", "1": "target"}
LIST_2020 = "eval_data_list.csv"
LAST_SEEN = 2024
"""Last year whose repository has been read; later ones are expected to be alike, and refused where they are not."""

Truth = dict[str, tuple[str, str | None]]
"""(label, domain) by file name; the domain is None where the name tells it, or where there is none."""


def read_truth(folder: Path, year: int, machine: str) -> Truth:
    """Read the truth of one machine.

    The labels are those of ``ground_truth_data``, the files that the evaluator itself reads. (In 2022 the
    attributes beside them carry labels as well, which contradict them in places.)

    Args:
        folder: Copy of the evaluator's repository.
        year: Year of the challenge.
        machine: Machine type.

    Raises:
        DataError: The machine's files are missing, or hold anything but 0 and 1.
    """
    if year == 2020:
        return _from_list(folder / LIST_2020, machine)
    truth: Truth = {}
    for path in sorted((folder / "ground_truth_data").glob(f"ground_truth_{machine}_section_*.csv")):
        labels = _column(path, LABELS)
        domains = _column(folder / "ground_truth_domain" / path.name, DOMAINS) if year >= 2022 else {}
        unlike = sorted(set(labels) ^ set(domains)) if domains else []
        if unlike:
            raise DataError(f"the domains of {path.name}", f"'{unlike[0]}' is in one file only", _REMEDY)
        truth |= {without_split(name): (label, domains.get(name)) for name, label in labels.items()}
    if not truth:
        unseen = " (the format of 2025's repository has not been seen)" if year >= LAST_SEEN + 1 else ""
        found = f"no ground_truth_data/ground_truth_{machine}_section_*.csv{unseen}"
        raise DataError(f"the truth of '{machine}' in {folder}", found, _REMEDY)
    return truth


_REMEDY = "set 'truth' to a copy of the official evaluator's repository of that year"


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return [[cell.strip() for cell in row] for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the truth {path}", str(error), _REMEDY) from error


def _column(path: Path, words: dict[str, str]) -> dict[str, str]:
    return {row[0]: _word(path, row, 1, words) for row in _rows(path)}


def _word(path: Path, row: list[str], column: int, words: dict[str, str]) -> str:
    text = row[column] if column < len(row) else ""
    # some files write 0.0 and 1.0
    word = words.get(text.removesuffix(".0"))
    if word is None:
        raise DataError(f"the row of '{row[0]}' in {path}", f"'{text}' instead of 0 or 1", _REMEDY)
    return word


def _from_list(path: Path, machine: str) -> Truth:
    """Read 2020's single list: a line with the machine's name, then ``name, labelled name, 0 or 1``."""
    truth: Truth = {}
    current = ""
    for row in _rows(path):
        if len([cell for cell in row if cell]) == 1:
            current = row[0]
        elif current == machine:
            truth[row[0]] = (_word(path, row, 2, LABELS), None)
    if not truth:
        raise DataError(f"the truth of '{machine}' in {path}", "no row for it", _REMEDY)
    return truth
