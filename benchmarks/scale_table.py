"""The scale benchmark's tables: prediction beside measurement, and whole studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from tabulate import tabulate

from benchmarks.scale_cost import Cost, Size
from benchmarks.scale_model import REPORT, Model, jobs, published_size
from soundproof.config.model import Study

FACTORS = (1, 10, 100)


def checked(
    model: Model, study: Study, size: Size, costs: Mapping[str, Cost], tables: tuple[int, Cost]
) -> list[str]:
    """Each rule at a size that the model has not seen: predicted, and measured.

    Args:
        model: What smaller sizes say.
        study: The study as measured.
        size: The size.
        costs: What each job cost at that size.
        tables: Measured numbers, and what tables made from them cost.
    """
    total = sum(cost.rows for name, cost in costs.items() if name not in REPORT)
    given = {name: (total, cost) for name, cost in costs.items()} | {"build_tables": tables}
    rows = []
    for name, (numbers, cost) in given.items():
        predicted = model.job(name, study, size, numbers)
        rows.append(
            {
                "rule": name.partition("/")[0],
                "CPU s, predicted": predicted.seconds,
                "CPU s, measured": cost.seconds,
                "MB, predicted": predicted.n_bytes / 1e6,
                "MB, measured": cost.n_bytes / 1e6,
                "peak MiB, measured": cost.peak_mib,
            }
        )
    frame = pd.DataFrame(rows)
    how = {column: "max" if column.startswith("peak") else "sum" for column in frame.columns[1:]}
    summed = frame.groupby("rule", sort=False).agg(how)
    summed.loc["all"] = summed.agg(how)
    return _lines(summed, (".1f", ".1f", ".2f", ".2f", ".0f"))


def extrapolated(model: Model, study: Study) -> list[str]:
    """Each rule of a study at the size of its data set, and at multiples of it."""
    size = published_size(study)
    columns: dict[str, Any] = {}
    numbers, peaks = [], []
    for factor in FACTORS:
        larger = Size(factor * size.train, factor * size.test, factor * size.explained)
        costs = model.study(study, larger)
        frame = pd.DataFrame(
            {
                "rule": name.partition("/")[0],
                "hours": count * one.seconds / 3600,
                "gigabytes": count * one.n_bytes / 1e9,
            }
            for name, (count, one) in costs.items()
        )
        summed = frame.groupby("rule", sort=False).sum()
        columns.setdefault("jobs", summed.index.map(lambda rule: jobs(rule, study)).to_series(summed.index))
        columns[f"CPU h, {factor}x"], columns[f"GB, {factor}x"] = summed["hours"], summed["gigabytes"]
        peaks.append(costs["build_tables"][1].peak_mib / 1024)
        numbers.append(sum(count * one.rows for name, (count, one) in costs.items() if name not in REPORT))
    table = pd.DataFrame(columns)
    table.loc["all"] = table.sum()
    said = ", ".join(
        f"{count:.2g} at {factor}x (tables need {peak:.1f} GiB)"
        for count, peak, factor in zip(numbers, peaks, FACTORS, strict=True)
    )
    clips = f"{size.train} training clips, {size.test} test clips, {size.explained} explained"
    return [
        f"{clips}; measured numbers: {said}.",
        "",
        *_lines(table, (".0f", *([".2f", ".2f"] * len(FACTORS)))),
    ]


def _lines(table: pd.DataFrame, digits: tuple[str, ...]) -> list[str]:
    formatted: str = tabulate(
        table.reset_index().to_numpy().tolist(),
        headers=["rule", *table.columns],
        tablefmt="github",
        floatfmt=("", *digits),
    )
    return formatted.splitlines()
