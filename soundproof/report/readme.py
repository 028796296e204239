"""The README's headline table, made from the results: no number in it is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from soundproof.analysis.favours import favours
from soundproof.core.errors import ArtefactError
from soundproof.exhibits.writing import read_finished_table
from soundproof.report.cautions import detector_cautions
from soundproof.report.headline import AXES, DETECTION, QUALITY
from soundproof.storage.files import whole_file

START, END = "<!-- headline:", "<!-- /headline -->"


def headline_table(tables: Path) -> str:
    """Markdown of a study's headline: detection in a sentence, explanations in a table with chance lines."""
    detection = read_finished_table(tables, DETECTION).frame
    quality = read_finished_table(tables, QUALITY).frame
    axes = {axis: title for axis, title in AXES.items() if axis in quality}
    rows = [
        [row["detector_title"], row["explainer_title"], *(_cell(row, axis) for axis in axes)]
        for row in quality.to_dict("records")
    ]
    headers = ["detector", "explainer", *axes.values()]
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    aucs = ", ".join(f"{row['detector_title']} {_number(row['auc'])}" for row in detection.to_dict("records"))
    cautions = "".join(f"{caution}\n\n" for caution in detector_cautions(detection))
    return (
        f"{cautions}{table}\n\n"
        "In brackets: 95 % interval over clips, for these machines and trainings; after the slash: what a map "
        "without knowledge reaches on "
        "the same clips; for segment F1 also, after a second slash, what flagging every segment reaches. Lower "
        "is better "
        f"for deletion AUC.{favours(axes)}\n"
        f"Detection AUC (chance 0.50): {aucs}.\n"
    )


def _cell(row: dict[Any, Any], axis: str) -> str:
    low, high, chance = (row.get(f"{axis}_{name}") for name in ("ci_low", "ci_high", "chance_uniform"))
    interval = "" if pd.isna(low) else f" [{_number(low)}, {_number(high)}]"
    rival = row.get(f"{axis}_flag_all")
    beside = "" if pd.isna(rival) else f" / {_number(rival)}"
    return f"{_number(row[axis])}{interval} / {_number(chance)}{beside}"


def _number(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def refreshed(text: str, tables: Path) -> str:
    """Return a README's text with the block between the markers made anew.

    Raises:
        ArtefactError: The markers are missing.
    """
    start, end = text.find(START), text.find(END)
    if start < 0 or end < start:
        raise ArtefactError("the markers of the headline table", f"no '{START} ... {END}'", "put them back")
    first_line = text[start : text.index("\n", start) + 1]
    return f"{text[:start]}{first_line}{headline_table(tables)}{text[end:]}"


def refresh_readme(readme: Path, tables: Path) -> bool:
    """Rewrite the README's headline block; tell whether it changed."""
    text = readme.read_text(encoding="utf-8")
    made = refreshed(text, tables)
    if made == text:
        return False
    with whole_file(readme) as partial:
        partial.write_text(made, encoding="utf-8", newline="\n")
    return True
