"""Angular-margin classification without hyper-parameters: sub-cluster AdaCos."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDEST_ANGLE = math.pi / 4
LEAST_SCALE = 1.0


class SubClusterAdaCos(nn.Module):
    """Cross entropy over classes of several directions each, at a scale that adapts itself.

    A class is as likely as the sum over its sub-clusters ``k`` of ``exp(scale * cos(embedding, centre_k))``
    (Wilkinghoff, IJCNN 2021). The scale starts at ``sqrt(2) log(n_centres - 1)`` and follows AdaCos (Zhang et
    al., CVPR 2019, equation 15): ``log(B) / cos(min(pi / 4, m))`` where ``B`` is the mean over clips of the
    summed exponentials of foreign centres, and ``m`` the median angle to the nearest own one. With mixed labels,
    own centres are those of all classes that have a part in the clip. Ours: the scale never falls below 1, which
    few classes that lie opposite each other would make it do.

    Args:
        n_dims: Dimensions of the embedding.
        n_classes: Classes.
        n_clusters: Sub-clusters of each class.
    """

    scale: Tensor

    def __init__(self, n_dims: int, n_classes: int, n_clusters: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.empty(n_classes, n_clusters, n_dims))
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
            self._adapt(cosines.detach(), labels > 0)
        return functional.cross_entropy((self.scale * cosines).logsumexp(dim=2), labels)

    def _adapt(self, cosines: Tensor, own: Tensor) -> None:
        foreign = (self.scale * cosines).masked_fill(own[:, :, None], -torch.inf)
        log_mean = foreign.flatten().logsumexp(dim=0) - math.log(len(cosines))
        nearest = cosines.masked_fill(~own[:, :, None], -1).amax(dim=(1, 2))
        angle = nearest.clamp(-1, 1).acos().median().clamp_max(WIDEST_ANGLE)
        scale = (log_mean / angle.cos()).clamp_min(LEAST_SCALE)
        # a batch whose clips have a part in every class has no foreign centre to learn from
        self.scale.copy_(torch.where(log_mean.isfinite(), scale, self.scale))
