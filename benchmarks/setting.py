"""What the benchmarks run on: P1's detector and maps made from names."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from soundproof.attribution.registry import EXPLAINERS
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explainer
from soundproof.randomness.seeding import seed_from
from soundproof.storage.maps import ROWS_PER_GROUP, Axes

SIX = ("error_map", "saliency", "integrated_gradients", "smooth_grad", "gradient_shap", "grad_cam")
"""P1's explainers."""


@dataclass(frozen=True)
class Setting:
    """Sizes and device of a run.

    Attributes:
        device: Where detectors run.
        shape: (n_freq, n_frames) of the maps.
        clips: Clips per measurement; methods of one pass per clip take :attr:`many`.
        repeats: Timed rounds.
        batch_size: Clips of a training step.
        stored_clips: Clips in a file of maps, and the fewer clips of the memory benchmark.
        memory_budget_bytes: Memory that a pass may fill (the default of the pipeline's configuration).
        download_mib: Sizes of a small and a large file to download.
        fit_clips: Clips that detectors on patches are fitted on.
        fit_seconds: Their length.
        kind: Detector, by its name in the registry.
    """

    device: torch.device
    shape: tuple[int, int] = (80, 400)
    clips: int = 4
    repeats: int = 5
    batch_size: int = 32
    stored_clips: int = ROWS_PER_GROUP
    memory_budget_bytes: int = 1 << 30
    download_mib: tuple[int, int] = (16, 512)
    fit_clips: int = 112
    fit_seconds: int = 10
    kind: str = "skip_cae_transformer"

    @property
    def many(self) -> int:
        """Clips for methods of one pass per clip: as few as ``clips`` would not fill a pass."""
        return 8 * self.clips

    @cached_property
    def detector(self) -> Detector:
        """Detector as every job has it: frozen, and laid out as it prefers."""
        return self.new_detector().freeze()

    @cached_property
    def plain(self) -> Detector:
        """The same weights as a plain script has them: tracked, and in PyTorch's default layout."""
        return default_layout(copy.deepcopy(self.detector).requires_grad_(True))

    def new_detector(self, **settings: Any) -> Detector:
        """Detector with weights as training starts from, on the device."""
        entry = DETECTORS[self.kind]
        detector: Any = entry.load()(self.shape, entry.settings(settings))
        detector.initialise(seed_from("benchmark", self.kind))
        made: Detector = detector.to(self.device)
        return made

    def maps(self, n: int) -> Tensor:
        """Some maps [n, n_freq, n_frames] on the device: noise around a level per band."""
        generator = torch.Generator().manual_seed(seed_from("benchmark maps"))
        noise = torch.randn(n, *self.shape, generator=generator)
        return (noise + torch.linspace(2, -2, self.shape[0])[:, None]).to(self.device)

    @property
    def axes(self) -> Axes:
        """The grid of the maps, 40 frames a second."""
        frequencies = tuple(100.0 * (band + 1) for band in range(self.shape[0]))
        return Axes(frequencies, 40.0, self.shape[1], "dB")

    def rows_per_pass(self, *, gradients: bool) -> int:
        """Size of a pass, as jobs choose it."""
        return rows_per_pass(self.detector, self.device, self.memory_budget_bytes, gradients=gradients)

    def context(self, explainer: str, clip_ids: Sequence[str], **settings: Any) -> ExplainContext[Any]:
        """Context of an explainer with P1's settings, which are its defaults."""
        entry = EXPLAINERS[explainer]
        return ExplainContext(
            settings=entry.settings(settings),
            clip_ids=clip_ids,
            rows_per_pass=self.rows_per_pass(gradients="gradients" in entry.needs),
            method=explainer,
        )

    def relevance(self, x: Tensor) -> dict[str, Tensor]:
        """Maps of the six explainers for metrics to judge; two steps or samples are enough for that."""
        few = {
            "integrated_gradients": {"steps": 2},
            "smooth_grad": {"samples": 2},
            "gradient_shap": {"samples": 2},
        }
        found = {}
        for name in SIX:
            explain: Explainer = EXPLAINERS[name].load()
            context = self.context(name, clip_names(len(x)), **few.get(name, {}))
            found[name] = explain(self.detector, x, context).relevance
        return found


def default_layout(detector: Detector) -> Detector:
    """Lay the weights of a detector out as PyTorch does by itself."""
    detector.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in the stub
    return detector


def clip_names(n: int) -> list[str]:
    """Ids of ``n`` clips."""
    return [f"clip_{number:06d}" for number in range(n)]
