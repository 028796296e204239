"""What a figure function hands over: the drawing, the frame behind it and the words below it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class FinishedFigure:
    """A figure ready to be written.

    Attributes:
        figure: The drawing.
        frame: What it draws, one row per point, bar or cell.
        caption: Sentences that make the figure understandable without the page around it.
        warnings: Sentences that a reader must not miss.
    """

    figure: Figure
    frame: pd.DataFrame
    caption: str
    warnings: tuple[str, ...] = ()
