"""Methods of Captum by name (Kokhlikyan et al. 2020, arXiv 2009.07896), clip by clip and with draws by clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from captum import attr
from torch import Tensor, nn

from soundproof.attribution.captum_passes import (
    ClipNoiseTunnel,
    baseline_of,
    by_clips,
    completeness,
    gradients_in_passes,
)
from soundproof.attribution.settings import BY_SEGMENTS, BaselineKind, CaptumSettings
from soundproof.attribution.unpooling import unpooling
from soundproof.core.errors import ConfigError, SoundproofError
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation
from soundproof.randomness.drawing import seeded

_THROUGH_LAYERS = ("DeepLift", "DeepLiftShap", "GuidedBackprop", "Deconvolution", "LRP")
"""Methods that change what single layers hand back, and so know layers of certain types only."""
_BASELINES: tuple[BaselineKind, ...] = ("zero", "clip_mean", "clip_min")


class _Score(nn.Module):
    """The detector as a module whose output is the score: what looks at layers wants one."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> Tensor:
        """Scores [B]."""
        return self.detector.score(x)


def explain(detector: Detector, x: Tensor, context: ExplainContext[CaptumSettings]) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames]; of methods that should add up, their completeness, too.

    Methods that blank segments give all cells of a segment the segment's relevance.

    Raises:
        ConfigError: The method cannot go through a layer of the detector.
    """
    settings = context.settings

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        generators = [context.generator(clip_id) for clip_id in clip_ids]
        # methods by segments draw from global generators: their clips come one at a time
        seed = int(torch.randint(2**31, (), generator=context.generator(clip_ids[0])))
        with seeded(seed), unpooling():
            return _attribute(detector, clips, generators, context)

    try:
        relevance = by_clips(attribute, x, context, copies=_rows(context))
    except (RuntimeError, TypeError, AssertionError, AttributeError, KeyError) as error:
        if isinstance(error, SoundproofError) or "out of memory" in str(error):
            raise
        raise ConfigError(
            f"{settings.method} of Captum (explainer '{context.method}') on '{type(detector).__name__}'",
            f"{type(error).__name__}: {' '.join(str(error).split())}",
            "choose a method that needs no rule for each layer: InputXGradient, FeatureAblation, KernelShap",
        ) from error
    relevance = _over_segments(relevance, settings)
    if not settings.adds_up:
        return Explanation(relevance.detach())
    baseline = baseline_of(x, settings.baseline)
    said = completeness(detector, x, baseline, relevance, context.rows_per_pass)
    return Explanation(relevance.detach(), said)


def _rows(context: ExplainContext[CaptumSettings]) -> int:
    """Rows that the method makes of a clip; those that draw globally take a clip at a time."""
    settings = context.settings
    if settings.method in BY_SEGMENTS or settings.method == "DeepLiftShap":
        return context.rows_per_pass
    copies = settings.noise.samples if settings.noise else 1
    return copies * (2 if settings.method == "DeepLift" else 1)


def _attribute(
    detector: Detector,
    clips: Tensor,
    generators: list[torch.Generator],
    context: ExplainContext[CaptumSettings],
) -> Tensor:
    settings = context.settings
    given = dict(settings.parameters)
    made = {name: given.pop(name) for name in ("multiply_by_inputs", "eps") if name in given}
    target = _Score(detector) if settings.method in _THROUGH_LAYERS else detector.score
    method = getattr(attr, settings.method)(target, **made)
    if settings.method == "InputXGradient":
        method.gradient_func = gradients_in_passes(context.rows_per_pass)
    options: dict[str, Any] = {**given}
    if settings.method in BY_SEGMENTS:
        options["feature_mask"] = segments(clips, settings.segment)
        options["perturbations_per_eval"] = context.rows_per_pass
    if settings.method in BY_SEGMENTS or settings.method == "DeepLift":
        options["baselines"] = baseline_of(clips, settings.baseline)
    elif settings.method == "DeepLiftShap":
        options["baselines"] = torch.cat([baseline_of(clips, kind) for kind in _BASELINES])
    if settings.noise is None:
        relevance: Tensor = method.attribute(clips, **options)
        return relevance
    noise = settings.noise
    tunnelled: Tensor = ClipNoiseTunnel(method, generators).attribute(
        clips, nt_type=noise.type, nt_samples=noise.samples, stdevs=noise.sigma, **options
    )
    return tunnelled


def segments(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Number of the segment of each cell, int64 [1, n_freq, n_frames]; those at the far edges may be smaller."""
    rows, columns = (
        torch.arange(n, device=x.device) // side for n, side in zip(x.shape[1:], size, strict=True)
    )
    return (rows[:, None] * (int(columns.max()) + 1) + columns)[None]


def _over_segments(relevance: Tensor, settings: CaptumSettings) -> Tensor:
    """Share what a method says of a segment among its cells, so that a map adds up."""
    if settings.method not in BY_SEGMENTS:
        return relevance
    cells = segments(relevance, settings.segment)[0].flatten()
    return relevance / cells.bincount()[cells].view(relevance.shape[1:])
