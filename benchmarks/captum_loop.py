"""Explanations as P1's own code makes them: clip by clip, one Captum call each, nothing shared.

Hyper-parameters and batching follow the paper's repository: Integrated Gradients with ``internal_batch_size=1``
(one step per pass), SmoothGrad and GradSHAP with the 25 copies of one clip per pass. Only the noise is drawn as
in the package, so that the results can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
from torch import Tensor

from soundproof.attribution.captum_passes import ClipNoiseTunnel, gradients_in_passes
from soundproof.attribution.gradient_shap import PathPointGradient
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext

OfOneClip = Callable[[Detector, Tensor, Any, torch.Generator], Tensor]
"""``explain(detector, clip[1, n_freq, n_frames], settings, noise)`` -> relevance of the clip's shape."""


def explain_one_by_one(name: str, detector: Detector, x: Tensor, context: ExplainContext) -> Tensor:
    """Explain each clip on its own, [B, n_freq, n_frames]."""
    explain = _EXPLAINERS[name]
    return torch.cat(
        [
            explain(detector, clip[None].clone(), context.settings, context.generator(clip_id)).detach()
            for clip, clip_id in zip(x, context.clip_ids, strict=True)
        ]
    )


def _error_map(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    with torch.no_grad():
        found = detector.anomaly_map(clip)
    assert found is not None  # an auto-encoder's
    return found


def _saliency(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    found: Tensor = Saliency(detector.score).attribute(clip.requires_grad_(), abs=True)
    return found


def _integrated_gradients(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    found: Tensor = IntegratedGradients(detector.score).attribute(
        clip, torch.zeros_like(clip), n_steps=settings.steps, internal_batch_size=1
    )
    return found


def _smooth_grad(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    tunnel = ClipNoiseTunnel(Saliency(detector.score), [noise])
    found: Tensor = tunnel.attribute(
        clip, nt_type="smoothgrad", nt_samples=settings.samples, stdevs=settings.sigma, abs=True
    )
    return found


def _gradient_shap(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    points = torch.rand(settings.samples, generator=noise).to(clip.device)
    method = PathPointGradient(detector.score, points)
    method.gradient_func = gradients_in_passes(settings.samples)  # all in one pass
    found: Tensor = ClipNoiseTunnel(method, [noise]).attribute(
        clip,
        nt_type="smoothgrad",
        nt_samples=settings.samples,
        stdevs=settings.sigma,
        baselines=torch.zeros_like(clip),
    )
    return found


def _grad_cam(detector: Detector, clip: Tensor, settings: Any, noise: torch.Generator) -> Tensor:
    coarse = LayerGradCam(detector.score, detector.cam_layer).attribute(clip, relu_attributions=False)
    found: Tensor = LayerAttribution.interpolate(coarse, clip.shape[1:], interpolate_mode="bilinear")
    return found[:, 0]


_EXPLAINERS: dict[str, OfOneClip] = {
    "error_map": _error_map,
    "saliency": _saliency,
    "integrated_gradients": _integrated_gradients,
    "smooth_grad": _smooth_grad,
    "gradient_shap": _gradient_shap,
    "grad_cam": _grad_cam,
}
