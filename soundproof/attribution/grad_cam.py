"""Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2) without its ReLU, as P1 uses it."""

from __future__ import annotations

from collections.abc import Sequence

from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor

from soundproof.attribution.captum_passes import by_clips
from soundproof.core.errors import ConfigError
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return signed relevance of the detector's ``cam_layer``, upsampled to [B, n_freq, n_frames].

    Each channel of the layer is weighted with its mean gradient, the channels are summed.

    Raises:
        ConfigError: The detector names no layer.
    """
    layer = detector.cam_layer
    if layer is None:
        raise ConfigError(
            f"explainer '{context.method}'",
            f"{type(detector).__name__} has no layer for Grad-CAM",
            "explain it with another explainer",
        )
    grad_cam = LayerGradCam(detector.score, layer)

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        # the weights are frozen: without a gradient at the input there would be none at the layer
        coarse = grad_cam.attribute(
            clips.requires_grad_(), attr_dim_summation=True, relu_attributions=False
        ).detach()
        relevance: Tensor = LayerAttribution.interpolate(coarse, x.shape[1:], interpolate_mode="bilinear")
        return relevance[:, 0]

    return Explanation(by_clips(attribute, x, context, copies=1))
