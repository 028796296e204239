"""An anomalous clip with what the annotation marks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.pictures import bracket_events, colour_bar, name_axes, outline, picture
from soundproof.figures.style import EVENT, PAGE_IN, empty, panels, styled
from soundproof.illustrations.table import Illustration

MISSING = "no illustrated clip has labelled events"


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw the first illustration that has labelled events."""
    chosen = next((one for one in illustrations if one.events), None)
    if chosen is None:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Annotated sample. Not available: {MISSING}.")
    figure, grid = panels(2, 1, width_in=PAGE_IN, height_in=2.6, sharex=True, height_ratios=(1, 14))
    bar, axes = grid[:, 0]
    image = picture(axes, chosen.input, chosen)
    bracket_events(axes, chosen.events)
    outline(axes, chosen, chosen.mask)
    name_axes(axes)
    for onset, offset in chosen.events:
        bar.axvspan(onset, offset, color=EVENT, linewidth=0)
    bar.set(yticks=[], ylabel="label", ylim=(0, 1))
    bar.yaxis.label.set(rotation=0, ha="right", va="center")
    bar.grid(visible=False)
    bar.tick_params(bottom=False)
    colour_bar(figure, image, axes, chosen.axes.unit)
    spans = ", ".join(f"{onset:.2f}–{offset:.2f} s" for onset, offset in chosen.events)
    caption = f"Features of the anomalous clip {chosen.clip_id}{_kind(results, chosen)}. "
    caption += f"Blue bar and dashed lines: time labelled as anomalous ({spans})."
    if chosen.mask is not None:
        caption += " Green outline: cells that the fault dominates, known exactly from the separate stems."
    parts = {name: part for name, part in chosen.parts().items() if name in ("input", "mask")}
    return FinishedFigure(figure, chosen.cells(parts), caption)


def _kind(results: StudyResults, chosen: Illustration) -> str:
    found = results.clips.loc[results.clips["clip_id"].eq(chosen.clip_id), "anomaly_type"].dropna()
    return f" ({found.iloc[0]})" if len(found) else ""
