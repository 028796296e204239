"""What a faithfulness metric is: a function from a detector, maps and their relevance to rows of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.replacement import NormalClips
from soundproof.interfaces.sounds import Sounds
from soundproof.randomness.seeding import seed_from
from soundproof.storage.measurements import blocks_of, rows_of

Explain = Callable[[str, Detector, Tensor, Sequence[str]], Tensor | None]
"""``explain(explainer, detector, x[B, n_freq, n_frames], clip_ids)`` -> relevance like ``x``.

None where the maps came from outside and nobody here can make new ones.
"""


InputFactor = Callable[[str, Tensor], Tensor | None]
"""``input_factor(explainer, x[B, n_freq, n_frames])`` -> what its relevance is a multiple of, like ``x``.

None where the relevance is no such product.
"""


Normals = Callable[[Detector, str, int], Sequence[tuple[Detector, Tensor]]]
"""``normals(detector, clip_id, n)`` -> n or fewer normal clips of the clip's machine, drawn by id.

Maps [m, n_freq, n_frames], each with the detector as it scores them: all at once, or clip by clip where it hears.
"""


S_co = TypeVar("S_co", bound=Parameters, covariant=True)


@dataclass(frozen=True, kw_only=True)
class FaithfulnessContext(Generic[S_co]):
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
        anomalous: Whether each clip is anomalous; empty where nobody told.
        snr_db: SNR of each clip, None where it is unknown; empty where no clip has any.
        backgrounds: What the detector would see of each clip without its event, like ``x``; None where stems are
            unknown.
        sounds: Sound of the clips; None where no metric listens, or the data set has none.
        normal: Normal training clips of the same part; None where nobody gave any.
        beside: Reads normal clips of a clip's machine; None where there are none.
    """

    settings: S_co
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
    anomalous: Sequence[bool] = ()
    snr_db: Sequence[float | None] = ()
    backgrounds: Tensor | None = None
    sounds: Sounds | None = None
    normal: NormalClips | None = None
    beside: Normals | None = None

    def uniform(self, purpose: str, draw: int, *shape: int) -> Tensor:
        """Uniform random numbers [B, *shape], drawn by clip id so that neither batch nor device changes them.

        They are float64, where ties are out of the question.
        """
        generators = (
            torch.Generator().manual_seed(seed_from("faithfulness", self.seed, purpose, draw, clip_id))
            for clip_id in self.clip_ids
        )
        return torch.stack([torch.rand(shape, generator=g, dtype=torch.float64) for g in generators])

    def gaussian(self, purpose: str, draw: int, *shape: int) -> Tensor:
        """Standard Gaussian random numbers [B, *shape], drawn as :meth:`uniform`."""
        # the normal quantile of 0 is infinite
        noise: Tensor = torch.special.ndtri(self.uniform(purpose, draw, *shape).clamp_min(1e-12))
        return noise


Faithfulness = Callable[[Detector, Tensor, Mapping[str, Tensor], FaithfulnessContext[Any]], pd.DataFrame]
"""``measure(detector, x[B, n_freq, n_frames], relevance by explainer, context)`` -> rows of the long table.

They are a frame of :data:`soundproof.storage.measurements.COLUMNS`. The detector is frozen, ``x`` and the maps are
on its device. A metric annotates ``context`` with the class of its settings:
``FaithfulnessContext[CurveSettings]``.
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
        Frame of :data:`soundproof.storage.measurements.COLUMNS`.
    """
    array = values.detach().double().cpu().numpy()
    blocks = blocks_of(array, metric=metric, protocol=protocol, explainers=explainers, parameters=parameters)
    return rows_of(blocks, clip_ids)
