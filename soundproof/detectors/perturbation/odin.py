"""ODIN: is a clip told apart with confidence? (Liang, Li and Srikant 2018, arXiv 1706.02690).

The score is ``-log max softmax(f(x') / T)`` with f the logits of FeatEx' plain head and x' the clip after one step
towards a larger maximum. Published, temperature and step are those that separate given anomalies best, which nobody
has who looks for unknown faults; here both are chosen on normal clips held out of training: the temperature by
cross entropy (Guo et al. 2017, arXiv 1706.04599), the step by the mean of the maximum (Hsu et al. 2020, arXiv
2002.11297).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from soundproof.detectors.embedding.featex.heads import SubClusterAdaCos
from soundproof.detectors.embedding.featex.references import CLASS_COLUMNS, groups
from soundproof.detectors.perturbation.settings import TEMPERATURES, OdinSettings
from soundproof.detectors.perturbation.stepping import Stepping
from soundproof.interfaces.detector import TrainingClips, TrainingRun


class Odin(Stepping):
    """Lack of confidence of a classifier of machines, after one step.

    Attributes:
        centres: Directions of the classes, of length 1, [n_classes, n_sub_clusters, n_dims].
        scale: Factor on cosines.
        temperature: What logits are divided by.
    """

    settings: OdinSettings
    centres: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(self, shape: tuple[int, int], settings: OdinSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("centres", torch.zeros(0, settings.sub_clusters, self.n_dims))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("temperature", torch.ones((), dtype=torch.float64))

    def learn(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Keep the plain head, and choose the temperature."""
        head = self.heads["plain"]
        assert isinstance(head, SubClusterAdaCos)
        self.centres = functional.normalize(head.centres.detach(), dim=2)
        self.scale.copy_(head.scale)
        if self.settings.temperature is not None:
            self.temperature.fill_(self.settings.temperature)
            return
        rows = self.held_out_rows(clips, run)
        labels = torch.from_numpy(groups(clips.frame, CLASS_COLUMNS)[rows]).to(run.device)
        with torch.no_grad():
            logits = self.logits(self.held_out(clips, run))
            losses = [float(functional.cross_entropy(logits / value, labels)) for value in TEMPERATURES]
        self.temperature.fill_(TEMPERATURES[losses.index(min(losses))])

    def logits(self, x: Tensor) -> Tensor:
        """Logits of the classes [B, n_classes], float64: at high temperatures, the digits of a float32 are gone."""
        cosines = torch.einsum("bd,kcd->bkc", self.embed(x), self.centres)
        return (self.scale * cosines).double().logsumexp(dim=2)

    def plain_score(self, x: Tensor) -> Tensor:
        """``-log max softmax`` at the temperature, [B]."""
        return -(self.logits(x) / self.temperature).log_softmax(dim=1).amax(dim=1)
