"""What the Captum methods share: passes of bounded memory, baselines, and noise that belongs to a clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from captum._utils.gradient import compute_gradients
from captum.attr import NoiseTunnel
from torch import Tensor

from soundproof.attribution.settings import AnyBaseline
from soundproof.core.registry import Parameters
from soundproof.detectors.background import nearest_normal
from soundproof.detectors.batching import in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext
from soundproof.interfaces.replacement import NormalClips


def gradients_in_passes(rows_per_pass: int) -> Callable[..., tuple[Tensor, ...]]:
    """Gradient function for Captum's ``gradient_func`` that holds the activations of few rows at a time.

    Captum's methods line up all steps and samples of their clips and differentiate them at once; here the
    rows exist together, but go through the detector ``rows_per_pass`` at a time.
    """

    def gradients(
        forward_fn: Callable[[Tensor], Tensor],
        inputs: tuple[Tensor, ...],
        target_ind: None = None,
        additional_forward_args: None = None,
    ) -> tuple[Tensor, ...]:
        def gradient(rows: Tensor) -> Tensor:
            found: Tensor = compute_gradients(forward_fn, (rows.requires_grad_(),))[0]
            return found

        return (in_passes(gradient, inputs[0].detach(), rows_per_pass),)

    return gradients


def by_clips(
    attribute: Callable[[Tensor, Sequence[str]], Tensor],
    x: Tensor,
    context: ExplainContext[Parameters],
    copies: int,
) -> Tensor:
    """Attribute few clips per call, so that their ``copies`` rows each fill about one pass.

    Args:
        attribute: Maps clips [n, n_freq, n_frames] and their ids [n] to relevance of the same shape.
        x: Clips [B, n_freq, n_frames].
        context: Gives the ids and the size of a pass.
        copies: Rows that the method makes of each clip.
    """
    size = max(1, context.rows_per_pass // copies)
    # Captum switches requires_grad of what it is given: a detached alias keeps the caller's tensor as it is
    x = x.detach()
    groups = [slice(start, start + size) for start in range(0, len(x), size)]
    return torch.cat([attribute(x[group], context.clip_ids[group]) for group in groups])


def baseline_of(x: Tensor, kind: AnyBaseline, normal: NormalClips | None = None) -> Tensor:
    """Map that stands for "nothing there", or "nothing wrong", [B, n_freq, n_frames].

    Args:
        x: Clips [B, n_freq, n_frames].
        kind: Which baseline.
        normal: Normal clips, for the one that is nearest.

    Raises:
        ConfigError: The nearest normal clip, where nobody gave any.
    """
    if kind == "nearest_normal":
        return nearest_normal(x, normal)
    if kind == "zero":
        return torch.zeros_like(x)
    level = x.mean(dim=(1, 2), keepdim=True) if kind == "clip_mean" else x.amin(dim=(1, 2), keepdim=True)
    return level.expand_as(x)


def completeness(
    detector: Detector, x: Tensor, baseline: Tensor, relevance: Tensor, rows_per_pass: int
) -> dict[str, Tensor]:
    """How far relevance is from adding up to the score's difference from the baseline.

    Args:
        detector: Frozen detector.
        x: Clips [B, n_freq, n_frames].
        baseline: What they are compared with, the same shape.
        relevance: The same shape.
        rows_per_pass: Maps that may go through the detector at once.

    Returns:
        By name [B], float64: ``completeness_gap``, what the sum has too much; ``completeness_error``, the gap's
        size relative to ``|score(x) - score(baseline)|``, NaN where the two scores are equal: there is nothing to
        explain.
    """
    with torch.no_grad():
        ends = torch.cat([x, baseline])
        at_clip, at_baseline = in_passes(detector.score, ends, rows_per_pass).double().chunk(2)
    difference = at_clip - at_baseline
    gap = relevance.double().sum(dim=(1, 2)) - difference
    relative = torch.where(difference != 0, gap.abs() / difference.abs(), torch.nan)
    return {"completeness_gap": gap, "completeness_error": relative}


class ClipNoiseTunnel(NoiseTunnel):  # type: ignore[misc]
    """Captum's NoiseTunnel with noise that depends on the clip alone.

    Args:
        method: Attribution method to average over noisy copies.
        generators: Source of random numbers of each clip of the batch, on the CPU.
    """

    def __init__(self, method: Any, generators: Sequence[torch.Generator]) -> None:
        super().__init__(method)
        self._generators = generators

    def _add_noise_to_input(self, input: Tensor, stdev: float, nt_samples_partition: int) -> Tensor:
        noise = torch.stack(
            [
                # one draw per copy: a longer draw need not begin with the same numbers
                torch.randn(input.shape[1:], generator=generator, dtype=input.dtype)
                for generator in self._generators
                for _ in range(nt_samples_partition)
            ]
        )
        return torch.add(
            input.repeat_interleave(nt_samples_partition, dim=0), noise.to(input.device), alpha=stdev
        )
