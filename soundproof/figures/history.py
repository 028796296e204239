"""Training history: did training converge, and where was it stopped?"""

from __future__ import annotations

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import COLOURS, PAGE_IN, empty, panels, styled

MISSING = "no detector of the study is trained epoch by epoch"
PER_ROW = 3
CAPTION = (
    "Loss by epoch, one colour per seed: on the training clips (thin) and on the clips kept for "
    "validation (bold). Dots: the epoch whose weights are used. Dotted: validation loss of an auto-encoder "
    "whose answer to every clip is the mean of each band; whoever does not get below it has learnt nothing "
    "about single clips. The losses of differently trained detectors (all cells, masked cells) are not "
    "comparable."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one panel per detector."""
    histories = [
        history.assign(detector=label, seed=seed)
        for (label, seed), history in sorted(results.histories.items())
    ]
    if not histories:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"{CAPTION} Not available: {MISSING}.")
    frame = pd.concat(histories, ignore_index=True)
    detectors = results.detectors(frame["detector"])
    columns = min(PER_ROW, len(detectors))
    rows = -(-len(detectors) // columns)
    width = min(PAGE_IN, max(3.5, 2.6 * columns))
    figure, grid = panels(rows, columns, width_in=width, height_in=2.1 * rows + 0.4)
    seeds = sorted(set(frame["seed"]))
    for axes, detector in zip(grid.flat, detectors, strict=False):
        for index, seed in enumerate(seeds):
            part = frame[frame["detector"].eq(detector) & frame["seed"].eq(seed)]
            colour = COLOURS[index % len(COLOURS)]
            # a single epoch is a point
            alone = "_" if len(part) == 1 else ""
            axes.plot(part["epoch"], part["train_loss"], color=colour, linewidth=0.7, marker=alone)
            axes.plot(part["epoch"], part["validation_loss"], color=colour, linewidth=1.6)
            used = part[part["best"]].tail(1)
            axes.plot(used["epoch"], used["validation_loss"], "o", color=colour, markersize=4)
            if "trivial_loss" in part:
                axes.plot(part["epoch"], part["trivial_loss"], color=colour, linewidth=0.9, linestyle=":")
        axes.set(title=results.detector_title(detector), xlabel="Epoch", ylabel="Loss", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    for axes in grid.flat[len(detectors) :]:
        axes.set_axis_off()
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4 if columns > 1 else 2)
    return FinishedFigure(figure, frame, CAPTION)


def _legend() -> list[Line2D]:
    grey = "#444444"
    return [
        Line2D([], [], color=grey, linewidth=0.7, label="training"),
        Line2D([], [], color=grey, linewidth=1.6, label="validation"),
        Line2D([], [], color=grey, linewidth=0, marker="o", markersize=4, label="weights used"),
        Line2D([], [], color=grey, linewidth=0.9, linestyle=":", label="mean of each band"),
    ]
