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
from soundproof.analysis.criteria import all_criteria, criteria_named, measure_criteria
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
    long = measure_criteria(results)
    present = criteria_named(long["axis"]) if len(long) else all_criteria()
    lower = ", ".join(criterion.title for criterion in present if not criterion.higher_is_better)
    caption = CAPTION.format(lower=lower)
    if long.empty:
        return absent("no explanation of the study was measured", _LEADING, caption)
    keys = ["detector", "explainer"]
    wide = pd.concat(
        [
            part.set_index(keys)[list(NUMBERS)].rename(
                columns={name: _column(criterion, name) for name in NUMBERS}
            )
            for (criterion,), part in groups(long, ["axis"])
        ],
        axis=1,
        # in one piece, since so many columns are put in front of
    ).copy()
    wide = wide.reset_index().copy()
    caption += favours(long["axis"]) + aupro_note(results) + band_note(results)
    missing = _missing({criterion.metric for criterion in present})
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


def _missing(measured: set[str]) -> list[str]:
    """Titles of the metrics that were not measured; several criteria of one are named once, without the variant."""
    titles: dict[str, str] = {}
    for criterion in all_criteria():
        several = criterion.metric in titles
        titles[criterion.metric] = criterion.title.split(" (")[0] if several else criterion.title
    return [title for metric, title in titles.items() if metric not in measured]


def _column(criterion: str, number: str) -> str:
    return criterion if number == "value" else f"{criterion}_{number}"


def _formats(wide: pd.DataFrame) -> tuple[Column, ...]:
    columns = list(_LEADING)
    for criterion in criteria_named(wide.columns):
        name = criterion.name
        columns.append(Column(criterion.title, name, f"{name}_ci_low", f"{name}_ci_high"))
        rivals = {"chance": "chance_uniform", "shifted": "chance_shift", "flag all": "flag_all"}
        chances = {word: f"{name}_{column}" for word, column in rivals.items()}
        columns += [
            Column(f"{criterion.title}: {word}", chance)
            for word, chance in chances.items()
            if wide[chance].notna().any()
        ]
    return tuple(columns)
