"""One map per family of explainable detectors on a clip of each fault, the truth outlined, and in words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.detectors.registry import one_of_each_family
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.own_maps import own_map
from soundproof.figures.pictures import bracket_events, outline, picture, relevance_picture
from soundproof.figures.style import PAGE_IN, Space, empty, placed_blocks, styled, without_ticks
from soundproof.illustrations.table import Illustration
from soundproof.tables import sentences

MISSING = "no clip of a known fault is illustrated with the own map of a detector"
CAPTION = (
    "A clip of each fault ({unit}), and the own map of one member of each family: the first in the study's file, "
    "whatever it reaches. Clips are of median score by {chooser}, of a machine or of all clips of the fault; no "
    "map chose them. Maps from dark to bright, signed ones red and blue around white, each on its own scale up to "
    "its 99.5th percentile. Green outline: cells that the fault dominates. Dashed blue: labelled time. Pictures of "
    "single clips show what maps look like, not how good they are; the tables do."
)
IN_WORDS = (
    " Below each row: what the true cells and each map mark of the sound, in one sentence whose every number was "
    "measured, as in the table of sentences; any map earns a sentence, a wrong one as well."
)
_SIZE = 6.0
"""Of sentences, points."""
_LINE_IN = 0.1
_LETTERS = 160
"""Of a line: as many as a page takes at that size."""

Said = Mapping[tuple[str, str], tuple[str, str]]
"""Whose map, and the sentence, by clip and detector; an empty detector: the true cells, or the whole clip."""


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw a row per fault: the clip, then one map per family; below it what they mark, where the study says it."""
    faults = results.clips.set_index("clip_id")["anomaly_type"].to_dict()
    explained = [one for one in illustrations if own_map(results, one) is not None]
    labels = one_of_each_family(results.families, results.detectors(one.detector for one in explained))
    found: dict[str, dict[str, Illustration]] = {}
    for one in explained:
        fault = faults.get(one.clip_id)
        if one.detector in labels and isinstance(fault, str):
            found.setdefault(fault, {}).setdefault(one.detector, one)
    if not found:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Gallery. Not available: {MISSING}.")
    rows = sorted(found.items())
    said = _said(results)
    texts = [_lines(said, of_fault, labels) for _, of_fault in rows]
    words_in = _LINE_IN * max(map(len, texts))
    figure, (grid,) = placed_blocks(
        [""],
        len(rows),
        1 + len(labels),
        width_in=PAGE_IN,
        row_in=0.6 if words_in else 0.72,
        space=Space(
            left=0.85, right=0.1, top=0.62, bottom=0.42 + words_in, columns=0.1, rows=0.14 + words_in
        ),
    )
    frames = []
    for row, (fault, of_fault), lines in zip(grid, rows, texts, strict=True):
        first, last = next(iter(of_fault.values())), fault == rows[-1][0]
        picture(row[0], first.input, first)
        row[0].set_ylabel(f"{textwrap.fill(fault.replace('_', ' '), 10)}\nkHz")
        _truth(row[0], first)
        _write(row[0], lines, below_in=0.4 if last else 0.06)
        cells = first.cells({"input": first.input}).assign(detector="", fault=fault)
        frames.append(_with_words(cells, said, first.clip_id))
        for axes, label in zip(row[1:], labels, strict=True):
            own = of_fault.get(label)
            values = None if own is None else own_map(results, own)
            if own is None or values is None:
                axes.set_axis_off()
                continue
            relevance_picture(axes, values, own)
            _truth(axes, own)
            without_ticks(axes, along="frequency")
            cells = own.cells({"own_map": values}).assign(fault=fault)
            frames.append(_with_words(cells, said, own.clip_id, label))
    _title(
        grid, ["Input", *(f"{results.families[label]}: {results.detector_title(label)}" for label in labels)]
    )
    caption = CAPTION.format(unit=first.axes.unit, chooser=results.detector_title(labels[0]))
    return FinishedFigure(
        figure, pd.concat(frames, ignore_index=True), caption + (IN_WORDS if any(texts) else "")
    )


def _truth(axes: Axes, one: Illustration) -> None:
    bracket_events(axes, one.events)
    outline(axes, one, one.mask)


def _title(grid: np.ndarray, titles: Sequence[str]) -> None:
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(textwrap.fill(title, 15))
    for axes in grid[:-1].flat:
        without_ticks(axes, along="time")
    for axes in grid[-1]:
        axes.set_xlabel("Time (s)")


def _said(results: StudyResults) -> Said:
    """Sentences of the table, of true cells and own maps."""
    if results.reasons is None:
        return {}
    table = sentences.build(results).frame
    shown = table["detector"].isna() | table["explainer"].map(results.explainer_kind, na_action="ignore").eq(
        OWN_MAP
    )
    rows = table.loc[shown & table["said"].notna(), ["clip_id", "detector", "detector_title", "said"]]
    rows = rows.fillna({"detector": "", "detector_title": ""}).astype(str)
    return {
        (clip_id, detector): (whose, sentence)
        for clip_id, detector, whose, sentence in rows.itertuples(index=False)
    }


def _lines(said: Said, of_fault: Mapping[str, Illustration], labels: Sequence[str]) -> list[str]:
    """What stands below a row: a sentence per map, none cut off, that of the true cells first."""
    keys = [(next(iter(of_fault.values())).clip_id, "")]
    keys += [(of_fault[label].clip_id, label) for label in labels if label in of_fault]
    return [
        line
        for whose, sentence in (said[key] for key in keys if key in said)
        for line in textwrap.wrap(
            f"{whose}: {sentence}" if whose else sentence, _LETTERS, subsequent_indent="    "
        )
    ]


def _write(axes: Axes, lines: Sequence[str], below_in: float) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    height_in = figure.get_size_inches()[1]
    top = axes.get_position().y0 - below_in / height_in
    for number, line in enumerate(lines):
        figure.text(0.02, top - number * _LINE_IN / height_in, line, fontsize=_SIZE, va="top")


def _with_words(cells: pd.DataFrame, said: Said, clip_id: str, label: str = "") -> pd.DataFrame:
    """The cells, and beside each what is said of their map, where the study says anything."""
    return cells.assign(sentence=said.get((clip_id, label), ("", ""))[1]) if said else cells
