"""Pictures of one recording: what the detector was given, the explanation, and what knows nothing."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soundproof.figures.pictures import colour_bar, name_axes, outline, picture, relevance_picture
from soundproof.figures.style import PAGE_IN, panels, styled
from soundproof.illustrations.table import Illustration
from soundproof.localisation.cells import binarise
from soundproof.one_recording.explain import Explained
from soundproof.randomness.seeding import seed_from

TOP = 0.98
"""Cells at or above this quantile of the map are outlined."""


@styled
def spectrogram(found: Explained) -> Figure:
    """The clip, with the cells outlined that the explanation marks most."""
    figure, grid = panels(1, 1, width_in=PAGE_IN, height_in=2.4)
    image = picture(grid[0, 0], found.features, _grid_of(found))
    _outlined(grid[0, 0], found, colour="white")
    colour_bar(figure, image, grid[0, 0], found.axes.unit)
    name_axes(grid[0, 0])
    return figure


@styled
def explanation(found: Explained) -> Figure:
    """The map, with the same outline."""
    figure, grid = panels(1, 1, width_in=PAGE_IN, height_in=2.4)
    image = relevance_picture(grid[0, 0], found.relevance, _grid_of(found))
    _outlined(grid[0, 0], found, colour="black" if found.relevance.min() < 0 else "white")
    colour_bar(figure, image, grid[0, 0], "relevance")
    name_axes(grid[0, 0])
    return figure


@styled
def rivals(found: Explained) -> Figure:
    """What the map must beat: the input itself, which knows no detector, and its own values at random cells."""
    figure, grid = panels(1, 2, width_in=PAGE_IN, height_in=2.1)
    rng = np.random.default_rng(seed_from("one_recording", found.clip_id))
    shuffled = rng.permutation(found.relevance.ravel()).reshape(found.relevance.shape)
    for axes, title, values in zip(
        grid[0],
        ("The input itself", "The map's values at random cells"),
        (found.features, shuffled),
        strict=True,
    ):
        relevance_picture(axes, values, _grid_of(found))
        axes.set_title(title)
        name_axes(axes, frequency=axes is grid[0, 0])
    return figure


def _outlined(axes: Axes, found: Explained, colour: str) -> None:
    outline(axes, _grid_of(found), binarise(found.relevance[np.newaxis], TOP)[0], colour)


def _grid_of(found: Explained) -> Illustration:
    return Illustration(
        clip_id=found.clip_id,
        detector=found.trusted.detector,
        axes=found.axes,
        input=found.features,
        maps={},
    )
