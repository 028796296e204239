"""All axes side by side: which explanation to trust. What it costs stands in a table of its own (``cost``)."""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.against_input import (
    COLUMN,
    WORDS,
    against_input,
    input_warnings,
    no_better_than_input,
)
from soundproof.analysis.axes import AXES, measure_axes
from soundproof.analysis.favours import favours
from soundproof.analysis.frames import groups
from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import titled
from soundproof.analysis.notes import aupro_note, band_note
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

_RIVALS = ("chance_uniform", "chance_shift", "flag_all")
NUMBERS = (
    *("value", "ci_low", "ci_high", "sd_seeds", *_RIVALS, "n_clips", "n_seeds"),
    *("interval", "machines_ci_low", "machines_ci_high", "machines_interval", "n_machines"),
)
_LEADING = (Column("Detector", "detector_title"), Column("Explainer", "explainer_title"))
CAPTION = (
    "Quality of the explanations on every axis, with what a map without knowledge reaches on the same clips "
    "(chance; for segment F1 and FF also the curve itself shifted in time). Segment F1 has a rival that needs no "
    "map: flagging every segment (flag all); what does not exceed that is no success. Every map marks equally many "
    "frames and cells, ties split at random. An axis on which an explainer does not exceed chance says nothing in "
    f"its favour. Lower is better for: {{lower}}. {OVER_CLIPS} The Parquet file adds it, the numbers of clips and "
    "seeds, and an interval over machines and their clips: FF and deletion vary from machine to machine more than "
    "from clip to clip."
)

CAPTION_INPUT = (
    f" {WORDS[0].upper()}{WORDS[1:]}: axes on which the explainer does not beat the better one of the two input "
    "controls (the clip's own map and its absolute value), by the paired 95 % interval over clips."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer."""
    long = measure_axes(results)
    present = set(long["axis"]) if len(long) else {axis.name for axis in AXES}
    lower = ", ".join(axis.title for axis in AXES if not axis.higher_is_better and axis.name in present)
    caption = CAPTION.format(lower=lower)
    if long.empty:
        return absent("no explanation of the study was measured", _LEADING, caption)
    keys = ["detector", "explainer"]
    wide = pd.concat(
        [
            part.set_index(keys)[list(NUMBERS)].rename(
                columns={name: _column(axis, name) for name in NUMBERS}
            )
            for (axis,), part in groups(long, ["axis"])
        ],
        axis=1,
        # in one piece, since so many columns are put in front of
    ).copy()
    wide = wide.reset_index().copy()
    caption += favours(long["axis"]) + aupro_note(results) + band_note(results)
    measured = {axis.metric for axis in AXES if axis.name in set(long["axis"])}
    # what was measured with one background is not missing with another, and names none where it is
    titles = {axis.metric: axis.title for axis in AXES}
    titles |= {metric: titles[metric].split(" (")[0] for metric in ("deletion_auc", "insertion_auc")}
    missing = [title for metric, title in titles.items() if metric not in measured]
    if missing:
        caption += f" Not measured here: {', '.join(missing)}."
    compared = against_input(results)
    if not compared:
        return FinishedTable(titled(wide, results), caption, _formats(wide))
    lost = no_better_than_input(compared)
    pairs = zip(wide["detector"], wide["explainer"], strict=True)
    wide = wide.assign(**{COLUMN: [lost.get(pair, "") for pair in pairs]})
    formats = (*_formats(wide), Column(f"{WORDS[0].upper()}{WORDS[1:]}", COLUMN))
    return FinishedTable(
        titled(wide, results), caption + CAPTION_INPUT, formats, input_warnings(results, compared)
    )


def _column(axis: str, number: str) -> str:
    return axis if number == "value" else f"{axis}_{number}"


def _formats(wide: pd.DataFrame) -> tuple[Column, ...]:
    columns = list(_LEADING)
    for axis in AXES:
        if axis.name not in wide.columns:
            continue
        columns.append(Column(axis.title, axis.name, f"{axis.name}_ci_low", f"{axis.name}_ci_high"))
        rivals = {"chance": "chance_uniform", "shifted": "chance_shift", "flag all": "flag_all"}
        chances = {word: f"{axis.name}_{column}" for word, column in rivals.items()}
        columns += [
            Column(f"{axis.title}: {word}", name)
            for word, name in chances.items()
            if wide[name].notna().any()
        ]
    return tuple(columns)
