"""What an explainer is: a function from a detector and maps to one relevance value per cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.replacement import NormalClips
from soundproof.randomness.seeding import seed_from

S_co = TypeVar("S_co", bound=Parameters, covariant=True)


@dataclass(frozen=True, kw_only=True)
class ExplainContext(Generic[S_co]):
    """What an explainer needs beside detector and maps.

    Attributes:
        settings: Validated parameters of the explainer's registry entry.
        clip_ids: Ids of the clips in the batch [B].
        rows_per_pass: Maps that may go through the detector at once.
        method: Name under which the explainer runs (part of the random seed).
        seed: Run seed.
        normal: Normal training clips of the same part; None where nobody gave any.
    """

    settings: S_co
    clip_ids: Sequence[str]
    rows_per_pass: int
    method: str
    seed: int = 0
    normal: NormalClips | None = None

    def generator(self, clip_id: str) -> torch.Generator:
        """Random numbers of one clip: by name and on the CPU, so that neither batch nor device changes them."""
        return torch.Generator().manual_seed(seed_from("explain", self.seed, self.method, clip_id))


@dataclass(frozen=True)
class Explanation:
    """Relevance and what the method can say about itself.

    Attributes:
        relevance: Signed relevance [B, n_freq, n_frames] for the anomaly score; positive = raises the score.
        per_clip: Further numbers per clip [B] by metric name (such as ``completeness_gap``); a NaN has no row.
    """

    relevance: Tensor
    per_clip: dict[str, Tensor] = field(default_factory=dict)


Explainer = Callable[[Detector, Tensor, ExplainContext[Any]], Explanation]
"""``explain(detector, x[B, n_freq, n_frames], context)``; the detector is frozen, ``x`` is on its device.

An explainer annotates ``context`` with the class of its settings: ``ExplainContext[SmoothGradSettings]``.
"""
