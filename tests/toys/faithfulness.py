"""Detectors whose scores can be worked out by hand, and a context with short clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from soundproof.core.registry import Parameters
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


class Toy(Detector):
    """Counts the rows that it scores, call by call."""

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape, Parameters())
        self.passes: list[int] = []
        self.rows: list[Tensor] = []

    def fit(self, clips: Any, run: Any) -> Any:
        raise NotImplementedError

    def _seen(self, x: Tensor) -> None:
        self.passes.append(len(x))
        self.rows.extend(x.detach().clone())


class Constant(Toy):
    """Reconstructs every cell as ``level``; scores by the mean squared error."""

    def __init__(self, shape: tuple[int, int], level: float = 0.0) -> None:
        super().__init__(shape)
        self.level = level

    def reconstruct(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.level)

    def score(self, x: Tensor) -> Tensor:
        self._seen(x)
        return ((self.reconstruct(x) - x) ** 2).mean(dim=(1, 2))


class Mixing(Toy):
    """Reconstructs a frame as a fixed random mixture of all frames: replacing some moves all errors."""

    def __init__(self, shape: tuple[int, int], seed: int = 0, scale: float = 0.4) -> None:
        super().__init__(shape)
        generator = torch.Generator().manual_seed(seed)
        self.mix = scale * torch.randn(shape[1], shape[1], generator=generator, dtype=torch.float64)

    def reconstruct(self, x: Tensor) -> Tensor:
        return x @ self.mix.to(x.dtype)

    def score(self, x: Tensor) -> Tensor:
        self._seen(x)
        return ((self.reconstruct(x) - x) ** 2).mean(dim=(1, 2))


class Linear(Toy):
    """Scores by a weighted sum of the cells; reconstructs nothing."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__((weights.shape[0], weights.shape[1]))
        self.weights = nn.Parameter(weights)

    def score(self, x: Tensor) -> Tensor:
        self._seen(x)
        return (x * self.weights).sum(dim=(1, 2))


def context(
    metric: str,
    n_clips: int,
    *,
    annotated: Sequence[Tensor | None] | None = None,
    segment_frames: int = 2,
    rows_per_pass: int = 1000,
    clip_ids: Sequence[str] | None = None,
    explain: Any = None,
    normal: Any = None,
    seed: int = 0,
    **settings: Any,
) -> FaithfulnessContext:
    return FaithfulnessContext(
        settings=FAITHFULNESS[metric].settings(settings),
        clip_ids=clip_ids or [f"clip{i}" for i in range(n_clips)],
        annotated=annotated or [None] * n_clips,
        frames_per_second=1.0,
        segment_frames=segment_frames,
        rows_per_pass=rows_per_pass,
        seed=seed,
        explain=explain,
        normal=normal,
    )
