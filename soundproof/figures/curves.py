"""Panels of one curve per explainer with its confidence band and the chance lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soundproof.analysis.results import StudyResults
from soundproof.figures.style import CHANCE, CONTROL, curve_with_band, looks

UNIFORM_LOOK: dict[str, Any] = {"color": CHANCE, "linestyle": "--", "linewidth": 1.4, "zorder": 4}
FLAG_ALL_LOOK: dict[str, Any] = {"color": CHANCE, "linestyle": "-.", "linewidth": 1.4, "zorder": 4}
SHIFT_LOOK: dict[str, Any] = {"color": CHANCE, "linestyle": ":", "linewidth": 1.4, "zorder": 4}

CONTROL_LINES = ((".", "-."), ("+", (0, (1, 1))), ("x", (0, (5, 1))))
"""Marker and line of each control; all controls are grey."""


def explainer_looks(results: StudyResults, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Look of each explainer, the same in all figures of a study; controls are grey."""
    ordered = results.explainers([*results.explainer_titles, *names])
    chosen = looks(name for name in ordered if not results.is_control(name))
    controls = [name for name in ordered if results.is_control(name)]
    for name, (marker, line) in zip(controls, cycle(CONTROL_LINES), strict=False):
        chosen[name] = CONTROL | {"marker": marker, "linestyle": line}
    return {name: chosen[name] for name in ordered if name in set(names)}


def draw_explainers(axes: Axes, frame: pd.DataFrame, results: StudyResults) -> list[Artist]:
    """Draw one curve per explainer.

    Args:
        axes: Where.
        frame: Columns explainer, parameter, value, ci_low, ci_high.
        results: Names and order of the explainers.

    Returns:
        The curves, labelled, for a legend.
    """
    handles: list[Artist] = []
    for name, look in explainer_looks(results, list(frame["explainer"].unique())).items():
        part = frame[frame["explainer"].eq(name)].sort_values("parameter")
        x, *values = [part[name].to_numpy(np.float64) for name in ("parameter", "value", "ci_low", "ci_high")]
        line = curve_with_band(axes, x, values, look)
        line.set_label(results.explainer_title(name))
        handles.append(line)
    return handles


def draw_chance(
    axes: Axes, frame: pd.DataFrame, column: str, label: str, look: dict[str, Any]
) -> list[Artist]:
    """Draw a chance line: the median over explainers of a chance column; nothing where there is none.

    The median, because a single map with ties marks more frames and has another chance than all others.
    """
    middle = frame.groupby("parameter")[column].median().dropna().sort_index()
    if middle.empty:
        return []
    (line,) = axes.plot(middle.index.to_numpy(), middle.to_numpy(), label=label, **look)
    return [line]


def draw_chance_range(axes: Axes, frame: pd.DataFrame, column: str, label: str) -> list[Artist]:
    """Draw chance that differs between explainers: the median as a line, the range as a shade."""
    handles = draw_chance(axes, frame, column, label, SHIFT_LOOK)
    if handles:
        grouped = frame.dropna(subset=[column]).groupby("parameter")[column]
        low, high = grouped.min().sort_index(), grouped.max().sort_index()
        axes.fill_between(low.index.to_numpy(), low, high, color=CHANCE, alpha=0.10, linewidth=0, zorder=1)
    return handles


def legend_below(figure: Figure, handles: Sequence[Artist], columns: int) -> None:
    """One legend for all panels, under them, each label once."""
    unique = {str(handle.get_label()): handle for handle in handles}
    figure.legend(handles=list(unique.values()), loc="outside lower center", ncols=columns, columnspacing=1.2)
