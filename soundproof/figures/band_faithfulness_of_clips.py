"""How rho spreads over clips, beside what random orders of bands give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from soundproof.analysis.bands import in_order, published_rho, rho_summary
from soundproof.analysis.frames import groups
from soundproof.analysis.measures import titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.figures.band_panels import explainer_panels
from soundproof.figures.curves import explainer_looks, legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import CHANCE, empty, styled
from soundproof.statistics.rank_null import spearman_null

BINS = 10
CAPTION = (
    "Spearman's ρ of relevance and size of effect over {bands} frequency bands, one value per clip and seed. "
    "Filled: the band shows {first}. {others}Dashed: what random orders of the bands give by chance{exact}. "
    "Vertical lines: Fisher-z means over clips (coefficients clipped at 1 - 6/(K³ - K)), "
    " solid for the filled histogram, dotted for outlined ones."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw a panel per detector and explainer."""
    rows = published_rho(results)
    if rows.empty:
        caption = CAPTION.format(bands="K", first="zero", others="", exact="")
        reason = why_missing(results, "band_rho")
        return FinishedFigure(empty(reason), pd.DataFrame(), f"{caption} Not available: {reason}.")
    removals, n_bands = in_order(rows["removal"]), int(rows["n_bands"].iloc[0])
    edges = np.linspace(-1, 1, BINS + 1)
    means = rho_summary(rows, ["detector", "explainer", "removal", "n_bands"], results.recordings)
    frame = _histograms(rows, edges, removals)
    figure, grid = explainer_panels(
        frame, results, row_height_in=1.25, x_label="ρ of a clip", y_label="Share of clips"
    )
    looks = explainer_looks(results, list(frame["explainer"].unique()))
    null = _null(n_bands, edges)
    for detector, explainer, axes in grid:
        part = frame[frame["detector"].eq(detector) & frame["explainer"].eq(explainer)]
        mean = means[means["detector"].eq(detector) & means["explainer"].eq(explainer)]
        for removal in removals:
            of_removal = part[part["removal"].eq(removal)], mean[mean["removal"].eq(removal)]
            if not of_removal[1].empty:
                first = removal == removals[0]
                _histogram(axes, *of_removal, edges, looks[explainer]["color"] if first else "#333333", first)
        axes.stairs(null, edges, color=CHANCE, linestyle="--", linewidth=0.9)
        axes.set_xlim(-1, 1)
    legend_below(figure, _handles(removals), len(removals) + 1)
    return FinishedFigure(figure, titled(frame, results), _caption(n_bands, removals))


def _handles(removals: list[str]) -> list[Artist]:
    """Legend entries in grey: the colours belong to the explainers."""
    filled = Patch(facecolor="#9A9A9A", label=f"replaced by {REMOVAL_TITLES[removals[0]]}")
    outlined = [
        Line2D([], [], color="#333333", label=f"replaced by {REMOVAL_TITLES[name]}") for name in removals[1:]
    ]
    chance = Line2D([], [], color=CHANCE, linestyle="--", linewidth=0.9, label="Chance: random orders")
    return [filled, *outlined, chance]


def _caption(n_bands: int, removals: list[str]) -> str:
    others = " or ".join(REMOVAL_TITLES[removal] for removal in removals[1:])
    return CAPTION.format(
        bands=n_bands,
        first=REMOVAL_TITLES[removals[0]],
        others=f"Outlined: it shows the {others} of each of its rows. " if others else "",
        exact=" (exact)" if spearman_null(n_bands).exact else " (sampled)",
    )


def _histograms(rows: pd.DataFrame, edges: np.ndarray, removals: list[str]) -> pd.DataFrame:
    """Share of clips by bin: detector, explainer, removal, low, high, share, n."""
    parts = []
    keys = ["detector", "explainer", "removal"]
    for key, part in groups(rows, keys):
        counts, _ = np.histogram(part["value"].to_numpy(np.float64).round(9), edges)
        table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "share": counts / len(part)})
        parts.append(table.assign(**dict(zip(keys, key, strict=True)), n=len(part)))
    return pd.concat(parts, ignore_index=True)


def _null(n_bands: int, edges: np.ndarray) -> np.ndarray:
    null = spearman_null(n_bands)
    return np.histogram(np.round(null.rho, 9), edges, weights=null.probabilities)[0]


def _histogram(
    axes: Axes, bins: pd.DataFrame, mean: pd.DataFrame, edges: np.ndarray, colour: str, filled: bool
) -> None:
    axes.stairs(
        bins["share"],
        edges,
        color=colour,
        fill=filled,
        alpha=0.45 if filled else 1.0,
        linewidth=1.0,
    )
    axes.axvline(float(mean["value"].iloc[0]), color=colour, linewidth=1.2, linestyle="-" if filled else ":")
