"""What a faithfulness metric is: a function from a detector, maps and their relevance to rows of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.randomness.seeding import seed_from

COLUMNS = ("explainer", "protocol", "metric", "parameter", "clip_id", "value")
"""Columns that a metric fills; the caller adds those that say which study, detector and seed it was."""

CHANCE = "chance_uniform"
"""Protocol of the rows that tell what a map without any knowledge earns."""
SHIFT = "chance_circular_shift"
"""Protocol of the rows that tell what the map itself earns, shifted in time."""

Explain = Callable[[str, Detector, Tensor, Sequence[str]], Tensor | None]
"""``explain(explainer, detector, x[B, n_freq, n_frames], clip_ids)`` -> relevance like ``x``.

None where the maps came from outside and nobody here can make new ones.
"""


InputFactor = Callable[[str, Tensor], Tensor | None]
"""``input_factor(explainer, x[B, n_freq, n_frames])`` -> what its relevance is a multiple of, like ``x``.

None where the relevance is no such product.
"""


@dataclass(frozen=True, kw_only=True)
class FaithfulnessContext:
    """What a faithfulness metric needs beside detector and maps.

    Attributes:
        settings: Validated parameters of the metric's registry entry.
        clip_ids: Ids of the clips in the batch [B].
        annotated: For each clip the frames inside a labelled event, bool [n_frames]; None where nobody
            labelled the clip.
        frames_per_second: Frame rate of the maps.
        segment_frames: Frames in a segment.
        rows_per_pass: Maps that may go through the detector at once.
        seed: Run seed.
        explain: Makes new maps, for metrics that need them; None where that is impossible.
        input_factor: Tells what relevance is a multiple of; None where nobody knows.
        frequencies_hz: Centre frequency of each row [n_freq]; None where nobody told.
        event_bands: For each clip the (low_hz, high_hz) of its labelled events; None where a band is unknown.
            Empty where no clip has any.
    """

    settings: Parameters
    clip_ids: Sequence[str]
    annotated: Sequence[Tensor | None]
    frames_per_second: float
    segment_frames: int
    rows_per_pass: int
    seed: int = 0
    explain: Explain | None = None
    input_factor: InputFactor | None = None
    frequencies_hz: Sequence[float] | None = None
    event_bands: Sequence[Sequence[tuple[float, float]] | None] = ()

    def uniform(self, purpose: str, draw: int, *shape: int) -> Tensor:
        """Uniform random numbers [B, *shape], drawn by clip id so that neither batch nor device changes them.

        They are float64, where ties are out of the question.
        """
        generators = (
            torch.Generator().manual_seed(seed_from("faithfulness", self.seed, purpose, draw, clip_id))
            for clip_id in self.clip_ids
        )
        return torch.stack([torch.rand(shape, generator=g, dtype=torch.float64) for g in generators])


Faithfulness = Callable[[Detector, Tensor, Mapping[str, Tensor], FaithfulnessContext], pd.DataFrame]
"""``measure(detector, x[B, n_freq, n_frames], relevance by explainer, context)`` -> frame of ``COLUMNS``.

The detector is frozen, ``x`` and the maps are on its device.
"""


def long_rows(
    values: Tensor,
    *,
    metric: str,
    protocol: str | None,
    explainers: Sequence[str | None],
    parameters: Sequence[float | None],
    clip_ids: Sequence[str],
) -> pd.DataFrame:
    """Turn an array of values into one row per value.

    Args:
        values: [n_parameters, n_explainers, n_clips].
        metric: Name of the metric.
        protocol: Variant of the metric, None where it has only one.
        explainers: Names along dimension 1; None where a value belongs to no explainer.
        parameters: Values along dimension 0; None where the metric has none.
        clip_ids: Clips along dimension 2.

    Returns:
        Frame of :data:`COLUMNS`.
    """
    axes: list[list[Any]] = [list(parameters), list(explainers), list(clip_ids)]
    names = ["parameter", "explainer", "clip_id"]
    frame: pd.DataFrame = pd.MultiIndex.from_product(axes, names=names).to_frame(index=False)
    frame["value"] = values.detach().double().cpu().numpy().reshape(-1)
    return typed(frame.assign(metric=metric, protocol=protocol))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of :data:`COLUMNS` their order and types, whichever of them are empty."""
    return frame.reindex(columns=list(COLUMNS)).astype(
        {name: "float64" if name in ("parameter", "value") else "str" for name in COLUMNS}
    )
