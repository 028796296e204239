"""A copy of a detector that knows clips with cells missing.

Source: Zheng et al. 2025, ICLR, F-Fidelity, arXiv 2410.02970: a model that never saw a clip with holes may answer
to the holes. A copy is trained on for a few epochs on normal training clips whose cells are missing at random, so
that such clips are none of the unknown; where nothing is trained by epochs it is fitted anew to them. The detector
itself is left as it is.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Hashable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.detectors.background import background
from soundproof.faithfulness.settings import FFidelitySettings
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.replacement import Background
from soundproof.interfaces.wrapped_clips import WrappedClips
from soundproof.randomness.seeding import seed_from
from soundproof.training.loop import GradientTrained

_LOG = logging.getLogger(__name__)
_TUNED: WeakKeyDictionary[Detector, dict[Hashable, Detector]] = WeakKeyDictionary()
"""A detector is tuned once for all its batches of clips."""


class ClipsWithHoles(WrappedClips):
    """Training clips with cells missing.

    Which cells, hangs on the clip's id and the seed, so that neither order nor batch changes them.

    Args:
        clips: The clips as they are.
        detector: Detector that they are meant for.
        share: Part of each clip's cells that is missing.
        replacement: What stands in their place.
        seed: Run seed.
    """

    def __init__(
        self, clips: TrainingClips, detector: Detector, share: float, replacement: Background, seed: int
    ) -> None:
        super().__init__(clips)
        self._detector = detector
        self._share = share
        self._replacement = replacement
        self._seed = seed

    def read(self, rows: list[int]) -> Tensor:
        """Return maps float32 [n, n_freq, n_frames] of the given rows, on the CPU."""
        x = self._clips.read(rows)
        ids = self.frame["clip_id"].iloc[rows]
        missing = torch.stack([self._missing(clip_id, x.shape[1:]) for clip_id in ids])
        return torch.where(missing, background(self._detector, x, self._replacement, len(x)), x)

    def _missing(self, clip_id: str, shape: torch.Size) -> Tensor:
        generator = torch.Generator().manual_seed(seed_from("holes", self._seed, clip_id))
        order = torch.rand(shape.numel(), generator=generator, dtype=torch.float64).argsort(stable=True)
        holes = torch.zeros(shape.numel(), dtype=torch.bool)
        holes[order[: round(self._share * shape.numel())]] = True
        return holes.reshape(shape)


def mask_tuned(
    detector: Detector, x: Tensor, context: FaithfulnessContext[FFidelitySettings]
) -> Detector | None:
    """A copy of the detector that knows clips with cells missing; None where there can be none, which the log says.

    Args:
        detector: Frozen detector.
        x: Clips that it scores, on its device.
        context: Settings, seed and the normal training clips.

    Raises:
        ConfigError: Nobody gave training clips.
        DataError: There are none, or too few to train on.
    """
    if context.normal is None:
        raise ConfigError(
            "F-Fidelity", "no training clips to tune on", "run it where training clips are known"
        )
    kind = type(detector)
    if why := _untunable(detector):
        _LOG.warning("F-Fidelity left out: %s %s, so that no copy can be tuned", kind.__name__, why)
        return None
    settings = context.settings
    known = _TUNED.setdefault(detector, {})
    key = (context.seed, settings.model_dump_json())
    if key not in known:
        clips = context.normal.training_clips()
        holes = ClipsWithHoles(clips, detector, settings.missing, settings.replacement, context.seed)
        tuned = copy.deepcopy(detector)
        if isinstance(tuned, GradientTrained):
            _thaw(tuned)
            tuned.settings = tuned.settings.model_copy(update={"epochs": settings.epochs})
        seed = seed_from("mask tuning", context.seed)
        tuned.fit(holes, TrainingRun(seed=seed, device=x.device, goes_on=True))
        known[key] = tuned.to(x.device).freeze()
    return known[key]


def _untunable(detector: Detector) -> str:
    """Why no copy can be tuned; empty: one can."""
    kind = type(detector)
    if detector.scored_elsewhere:
        return "has no model"
    if detector.hears:
        return "learns from sounds, and not from cells that could be missing"
    if kind.for_individual is not Detector.for_individual or kind.for_context is not Detector.for_context:
        return "compares clips with those of their individual"
    return ""


def _thaw(detector: GradientTrained) -> None:
    """Let those weights be trained that a new detector of the kind trains."""
    new = type(detector)(detector.shape, detector.settings)
    for weight, of_new in zip(detector.parameters(), new.parameters(), strict=True):
        weight.requires_grad_(of_new.requires_grad)
