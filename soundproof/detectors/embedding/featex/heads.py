"""Angular-margin classification without hyper-parameters: sub-cluster AdaCos."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Protocol = Literal["as_published", "corrected"]
WIDEST_ANGLE = math.pi / 4
LEAST_SCALE = 1.0
_INSIDE = 1 - 1e-7
"""Largest cosine whose angle is taken, as in the published code."""


class SubClusterAdaCos(nn.Module):
    """Cross entropy over classes of several directions each, at a scale that adapts itself.

    A class is as likely as the sum over its sub-clusters ``c`` of ``exp(scale * cos(embedding, centre_c))``
    (Wilkinghoff, IJCNN 2021). The scale starts at ``sqrt(2) log(n_centres - 1)`` and follows
    ``log(B) / cos(min(pi / 4, m))``:

    * ``corrected`` is AdaCos (Zhang et al., CVPR 2019, equation 15): ``B`` is the mean over clips of the summed
      exponentials of foreign centres, ``m`` the median angle to the nearest own one. With mixed labels, own
      centres are those of all classes that have a part in the clip. Ours: the scale never falls below 1, which
      few classes that lie opposite each other would make it do.
    * ``as_published`` is what FeatEx' public code does: ``B`` sums over all centres, own ones included, and a
      clip's angle is summed over sub-clusters, ``n sum_k y_k sum_c angle_kc`` with ``n`` classes that have a
      part ``y_k``. The sum of several angles of about 90 degrees is far beyond ``pi / 4``, which ``m`` thus
      always is where classes have several sub-clusters.

    Args:
        n_dims: Dimensions of the embedding.
        n_classes: Classes.
        n_clusters: Sub-clusters of each class.
        trained: The centres are learnt; else they stay where they were drawn.
        protocol: How the scale adapts.
    """

    scale: Tensor

    def __init__(
        self,
        n_dims: int,
        n_classes: int,
        n_clusters: int,
        *,
        trained: bool = True,
        protocol: Protocol = "corrected",
    ) -> None:
        super().__init__()
        self.protocol = protocol
        self.centres = nn.Parameter(torch.empty(n_classes, n_clusters, n_dims), requires_grad=trained)
        self.register_buffer("scale", torch.zeros(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the centres evenly over all directions and set the scale to its start."""
        nn.init.normal_(self.centres)
        n_centres = self.centres.shape[0] * self.centres.shape[1]
        self.scale.fill_(math.sqrt(2) * math.log(n_centres - 1))

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """Mean cross entropy of a batch; in training, the scale adapts first.

        Args:
            embedding: [B, n_dims], of any length.
            labels: Parts of the classes [B, n_classes], each row sums to 1.
        """
        cosines = torch.einsum(
            "bd,kcd->bkc", functional.normalize(embedding), functional.normalize(self.centres, dim=2)
        )
        if self.training:
            adapt = self._adapt_as_published if self.protocol == "as_published" else self._adapt
            adapt(cosines.detach(), labels)
        return functional.cross_entropy((self.scale * cosines).logsumexp(dim=2), labels)

    def _adapt(self, cosines: Tensor, labels: Tensor) -> None:
        own = labels > 0
        foreign = (self.scale * cosines).masked_fill(own[:, :, None], -torch.inf)
        log_mean = foreign.flatten().logsumexp(dim=0) - math.log(len(cosines))
        nearest = cosines.masked_fill(~own[:, :, None], -1).amax(dim=(1, 2))
        angle = nearest.clamp(-1, 1).acos().median().clamp_max(WIDEST_ANGLE)
        scale = (log_mean / angle.cos()).clamp_min(LEAST_SCALE)
        # a batch whose clips have a part in every class has no foreign centre to learn from
        self.scale.copy_(torch.where(log_mean.isfinite(), scale, self.scale))

    def _adapt_as_published(self, cosines: Tensor, labels: Tensor) -> None:
        log_mean = (self.scale * cosines).flatten().logsumexp(dim=0) - math.log(len(cosines))
        angles = cosines.clamp(-_INSIDE, _INSIDE).acos().sum(dim=2)
        of_clip = (labels > 0).sum(dim=1) * (labels * angles).sum(dim=1)
        self.scale.copy_(log_mean / of_clip.median().clamp_max(WIDEST_ANGLE).cos())
