"""What the masked auto-encoder sees while it learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from soundproof.analysis.results import StudyResults
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.pictures import colour_bar, name_axes, outline, picture
from soundproof.figures.style import PAGE_IN, empty, panels, styled
from soundproof.illustrations.table import Illustration

MISSING = "no detector of the study is trained with masked input"
CAPTION = (
    "Masked training ({detector}). Left: features of clip {clip}. Right: the same with {share:.0%} of the "
    "cells hidden in patches (white outlines) and set to 0; the detector learns to fill them in and is "
    "scored on unmasked clips later. 0 is a value that also occurs in sound, not silence."
)


@styled
def draw(results: StudyResults, illustrations: Sequence[Illustration]) -> FinishedFigure:
    """Draw input | masked input of the first illustration that has both."""
    chosen = next((one for one in illustrations if one.masked_input is not None), None)
    if chosen is None or chosen.masked_input is None:
        return FinishedFigure(empty(MISSING), pd.DataFrame(), f"Masked training. Not available: {MISSING}.")
    parts = {"input": chosen.input, "masked_input": chosen.masked_input}
    figure, grid = panels(1, 2, width_in=PAGE_IN, height_in=2.3, sharey=True)
    limits = (min(float(part.min()) for part in parts.values()), float(chosen.input.max()))
    titles = ("Input", "Masked input")
    for axes, values, title in zip(grid[0], parts.values(), titles, strict=True):
        image = picture(axes, values, chosen, limits=limits)
        axes.set_title(title)
        name_axes(axes, frequency=axes is grid[0, 0])
    colour_bar(figure, image, list(grid[0]), chosen.axes.unit)
    hidden = chosen.masked_input != chosen.input
    outline(grid[0, 1], chosen, hidden, "white")
    share = float(np.mean(hidden))
    caption = CAPTION.format(
        detector=results.detector_title(chosen.detector), clip=chosen.clip_id, share=share
    )
    return FinishedFigure(figure, chosen.cells(parts), caption)
