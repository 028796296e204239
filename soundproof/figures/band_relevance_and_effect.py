"""Relevance and effect of frequency bands, side by side for every explainer."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from soundproof.analysis.bands import band_rows, finest, in_order, rho_summary
from soundproof.analysis.frames import means, records
from soundproof.analysis.measures import summarise, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.band_settings import REMOVAL_TITLES
from soundproof.figures.band_panels import band_label, band_ticks, explainer_panels
from soundproof.figures.curves import explainer_looks, legend_below
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import empty, styled

KEYS = ["clip_id", "seed", "detector", "explainer", "n_bands", "removal", "quantity"]
QUIET = ("#BDBDBD", "#6E6E6E", "#2B2B2B")
CAPTION = (
    "Relevance and effect of {count} frequency bands, as shares of each clip's sum over bands, mean "
    "over clips and seeds. Bars: size of the score's change when the band shows {bars}. {lines}Coloured: "
    "relevance, with its 95 % bootstrap interval over clips, for these machines and trainings. Dotted: equal "
    "shares, which a map that knows nothing gives by chance. ρ: Fisher-z mean over clips (coefficients clipped at "
    "1 - 6/(K³ - K)) of the rank correlation of relevance and bars; means over clips "
    "may look alike although single clips do not, so ρ is what counts."
)


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw a panel per detector and explainer."""
    effects = finest(band_rows(results, "band_effect"))
    effects = effects[effects["variant"].eq("absolute")]
    relevance = finest(band_rows(results, "band_relevance"))
    frame = _shares(results, effects, relevance)
    if frame.empty:
        caption = CAPTION.format(count="K", bars="zero", lines="")
        reason = why_missing(results, "band_relevance", "band_effect")
        return FinishedFigure(empty(reason), frame, f"{caption} Not available: {reason}.")
    removals = in_order(effects["removal"])
    rho = _rho(results, removals[0])
    figure, grid = explainer_panels(
        frame, results, row_height_in=1.35, x_label=band_label(results), y_label="Share"
    )
    looks = explainer_looks(results, list(frame["explainer"].dropna().unique()))
    handles: list[Artist] = []
    for detector, explainer, axes in grid:
        part = frame[frame["detector"].eq(detector)]
        handles += _effects(axes, part[part["quantity"].eq("effect")], removals)
        band_ticks(axes, results, effects["scale"].iloc[0], int(effects["n_bands"].iloc[0]))
        curve = part[part["explainer"].eq(explainer)].sort_values("band")
        _relevance(axes, curve, looks[explainer]["color"])
        known = rho.get((detector, explainer))
        text = "ρ undefined" if known is None else f"ρ = {known:.2f}"
        # room for the number above the curves
        axes.set_ylim(0, 1.2 * axes.dataLim.y1)
        axes.text(0.97, 0.97, text, ha="right", va="top", transform=axes.transAxes, fontsize=7)
    handles.append(Line2D([], [], color="#0072B2", marker="o", label="relevance (coloured)"))
    legend_below(figure, handles, 4)
    lines = "Grey curves: the same with other replacements. " if len(removals) > 1 else ""
    return FinishedFigure(
        figure,
        titled(frame, results),
        CAPTION.format(count=int(effects["n_bands"].iloc[0]), bars=REMOVAL_TITLES[removals[0]], lines=lines),
    )


def _rho(results: StudyResults, removal: str) -> dict[tuple[str, str], float]:
    rows = finest(band_rows(results, "band_rho"))
    rows = rows[rows["variant"].eq("absolute") & rows["removal"].eq(removal)]
    summary = rho_summary(rows, ["detector", "explainer", "n_bands"], results.recordings)
    return {(row["detector"], row["explainer"]): row["value"] for row in records(summary)}


def _shares(results: StudyResults, effects: pd.DataFrame, relevance: pd.DataFrame) -> pd.DataFrame:
    """Mean share of each band; only relevance, which is drawn with its interval, is resampled."""
    rows = pd.concat([effects.assign(quantity="effect"), relevance.assign(quantity="relevance")])
    rows = rows.rename(columns={"parameter": "band"})
    total = rows.groupby(KEYS, dropna=False)["value"].transform("sum")
    # a clip without any relevance or effect has no shares
    shares = rows.assign(value=rows["value"] / total)[total > 0]
    by = [*KEYS[2:], "band"]
    of_relevance = shares[shares["quantity"].eq("relevance")]
    parts = [
        means(shares[shares["quantity"].eq("effect")], by),
        summarise(of_relevance, by, results.study, "band_shares", units=results.recordings),
    ]
    return pd.concat(parts, ignore_index=True).astype({"band": "int64"})


def _effects(axes: Axes, part: pd.DataFrame, removals: list[str]) -> list[Artist]:
    handles: list[Artist] = []
    for removal, colour in zip(removals, QUIET, strict=False):
        rows = part[part["removal"].eq(removal)].sort_values("band")
        label = f"effect, replaced by {REMOVAL_TITLES[removal]}"
        if removal == removals[0]:
            handles.append(
                axes.bar(rows["band"], rows["value"], width=0.8, color=colour, label=label).patches[0]
            )
            handles[-1].set_label(label)
        else:
            handles += axes.plot(rows["band"], rows["value"], color=colour, linewidth=0.9, label=label)
    n_bands = int(part["n_bands"].iloc[0])
    handles.append(
        axes.axhline(1 / n_bands, color="#222222", linestyle=":", linewidth=0.9, label="Chance: equal shares")
    )
    return handles


def _relevance(axes: Axes, curve: pd.DataFrame, colour: str) -> None:
    axes.plot(curve["band"], curve["value"], color=colour, marker="o", label="relevance")
    known = curve["ci_low"].notna()
    axes.fill_between(
        curve["band"], curve["ci_low"], curve["ci_high"], where=known, color=colour, alpha=0.18, linewidth=0
    )
