"""How much of rho an explainer owes to removing bands the way it makes its maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from soundproof.analysis.bands import in_order, published_rho, rho_summary
from soundproof.analysis.measures import titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.figures.curves import legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import COLOURS, MARKERS, PAGE_IN, empty, panels, styled

COLUMNS = 2
CAPTION = (
    "Fisher-z mean over clips of Spearman's ρ between relevance and size of effect of {bands} frequency "
    "bands, by what a removed band shows. Bars: 95 % interval over clips, for these machines and trainings. "
    "Shade: the middle 95 % of what random orders of bands give by chance; dotted: no relation. "
    "Coefficients beyond 1 - 6/(K³ - K) are moved there. Occlusion makes its maps by replacing "
    "windows with zero, so that its ρ with zero measures the explainer with its own tool: what remains with "
    "another replacement is what it knows of the detector.{lead}"
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw a panel per detector, a row per explainer and a mark per replacement."""
    rows = published_rho(results)
    if rows.empty:
        caption = CAPTION.format(bands="K", lead="")
        reason = why_missing(results, "band_rho")
        return FinishedFigure(empty(reason), pd.DataFrame(), f"{caption} Not available: {reason}.")
    frame = rho_summary(rows, ["detector", "explainer", "removal", "n_bands"], results.recordings)
    detectors, explainers = results.detectors(frame["detector"]), results.explainers(frame["explainer"])
    removals = in_order(frame["removal"])
    columns = min(COLUMNS, len(detectors))
    n_rows = -(-len(detectors) // columns)
    height = n_rows * (0.3 * len(explainers) + 0.7) + 0.4
    figure, grid = panels(
        n_rows, columns, width_in=PAGE_IN * (0.6 if columns == 1 else 1), height_in=height, sharex=True
    )
    handles: list[Artist] = []
    for index, axes in enumerate(grid.flat):
        if index >= len(detectors):
            axes.set_axis_off()
            continue
        handles += _panel(axes, frame[frame["detector"].eq(detectors[index])], explainers, removals)
        axes.set_title(results.detector_title(detectors[index]))
        first = index % columns == 0
        axes.set_yticks(
            range(len(explainers)), [results.explainer_title(name) if first else "" for name in explainers]
        )
        axes.set_ylim(len(explainers) - 0.5, -0.5)
        axes.set_ylabel("Explainer" if first else "")
        if index + columns >= len(detectors):
            axes.set_xlabel("Mean ρ over clips")
    legend_below(figure, handles, len(removals) + 1)
    return FinishedFigure(
        figure,
        titled(frame, results),
        CAPTION.format(bands=int(frame["n_bands"].iloc[0]), lead=_lead(results, frame, removals)),
    )


def _panel(axes: Axes, part: pd.DataFrame, explainers: list[str], removals: list[str]) -> list[Artist]:
    low, high = part["null_low"].min(), part["null_high"].max()
    handles: list[Artist] = [
        axes.axvspan(low, high, color="#888888", alpha=0.2, linewidth=0, label="Chance: random orders")
    ]
    axes.axvline(0, color="#222222", linestyle=":", linewidth=0.8)
    axes.grid(visible=False, axis="y")
    for number, removal in enumerate(removals):
        rows = part[part["removal"].eq(removal)].set_index("explainer").reindex(explainers)
        value = rows["value"].to_numpy(np.float64)
        spread = np.abs(rows[["ci_low", "ci_high"]].to_numpy(np.float64).T - value)
        drawn = axes.errorbar(
            value,
            np.arange(len(explainers)) + 0.22 * (number - (len(removals) - 1) / 2),
            xerr=spread,
            color=COLOURS[number],
            marker=MARKERS[number],
            linestyle="none",
            elinewidth=0.9,
        )
        drawn.lines[0].set_label(f"replaced by {REMOVAL_TITLES[removal]}")
        handles.append(drawn.lines[0])
    return handles


def _lead(results: StudyResults, frame: pd.DataFrame, removals: list[str]) -> str:
    """Say how far Occlusion is ahead of the best other explainer with each replacement."""
    kinds = {name: results.explainer_kind(name) for name in frame["explainer"].unique()}
    own = [name for name, kind in kinds.items() if kind == "occlusion"]
    if len(own) != 1 or len(kinds) < 2 or len(removals) < 2:
        return ""
    told = []
    for detector in results.detectors(frame["detector"]):
        gaps = []
        for removal in removals:
            part = frame[frame["detector"].eq(detector) & frame["removal"].eq(removal)].set_index(
                "explainer"
            )["value"]
            if own[0] in part.index and len(part) > 1:
                gap = part[own[0]] - part.drop(own[0]).max()
                gaps.append(f"{gap:+.2f} ({REMOVAL_TITLES[removal]})")
        told.append(f"{results.detector_title(detector)} {', '.join(gaps)}")
    return f" Occlusion minus the best other explainer: {'; '.join(told)}."
