"""Where do a clip's latents look? Grad-CAM of their sum (Liu et al. 2020, arXiv 1911.07389: expVAE).

With F_k the maps of a convolution of the encoder and S the sum of the means of all latents, the attention is
``A = |sum_k a_k F_k|``, ``a_k`` the mean of ``dS / dF_k`` over the map. This is what the authors' code computes,
but for the scale of the gradients, which there hangs on the other clips of the batch; the paper's text has one
map for each latent, rectified instead of absolute, and their mean.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def attention(activations: Tensor, latents: Tensor, *, differentiable: bool = False) -> Tensor:
    """Attention of each clip on the grid of the activations, [B, f, t], not negative.

    Args:
        activations: F, [B, channels, f, t], tracked by autograd.
        latents: [B, n_latents], computed from them, each clip's from its own alone.
        differentiable: The attention itself can be differentiated (twice backward).
    """
    (slopes,) = torch.autograd.grad(latents.sum(), activations, create_graph=differentiable)
    weights = slopes.mean(dim=(2, 3), keepdim=True)
    seen = (weights * activations).sum(dim=1).abs()
    return seen if differentiable else seen.detach()


def scaled(seen: Tensor) -> Tensor:
    """Attention [B, f, t] of each clip over its largest value, 0..1; where there is none at all it covers all: 1.

    Scaled from its smallest value as well, a cell would always be at 0, and no weight could teach it to cover a
    clip.
    """
    high = seen.amax(dim=(1, 2), keepdim=True)
    looks = high > 0
    return torch.where(looks, seen / torch.where(looks, high, 1), 1)


def on_map(seen: Tensor, shape: tuple[int, int]) -> Tensor:
    """Attention [B, f, t] on the cells of the map, bilinear, [B, n_freq, n_frames]."""
    return functional.interpolate(seen[:, None], size=shape, mode="bilinear", align_corners=False)[:, 0]
