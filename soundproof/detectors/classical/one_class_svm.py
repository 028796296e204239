"""One-class support vector machine over flattened clips, scored in PyTorch so that it has a gradient."""

from __future__ import annotations

import pandas as pd
import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun


class OneClassSvm(Detector):
    """One-class SVM with a Gaussian kernel (Schölkopf et al. 2001), fitted by scikit-learn.

    Support vectors, coefficients, offset and kernel width are buffers; the score is scikit-learn's negative
    decision function ``offset - sum_i coefficient_i * exp(-width * |x - support_i|^2)``.
    """

    support: Tensor
    centre: Tensor
    coefficients: Tensor
    offset: Tensor
    width: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        cells = shape[0] * shape[1]
        self.register_buffer("support", torch.zeros(0, cells))
        self.register_buffer("centre", torch.zeros(cells))
        self.register_buffer("coefficients", torch.zeros(0, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros((), dtype=torch.float64))
        self.register_buffer("width", torch.zeros((), dtype=torch.float64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Fit on all clips at once (held in memory, as scikit-learn needs them)."""
        x = clips.read(list(range(len(clips)))).flatten(1).numpy()
        machine = OneClassSVM(**self.settings.model_dump()).fit(x)
        support = torch.from_numpy(machine.support_vectors_).float()
        # kept as differences from their mean: |x|^2 + |s|^2 - 2 x s loses digits far from the origin
        self.centre = support.mean(dim=0)
        self.support = support - self.centre
        self.coefficients = torch.from_numpy(machine.dual_coef_[0].copy())
        self.offset = torch.tensor(-float(machine.intercept_[0]), dtype=torch.float64)
        self.width = torch.tensor(float(machine._gamma), dtype=torch.float64)
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Negative decision function [B], float64.

        Kernel values of high-dimensional clips are tiny beside the offset; single precision would tie them.
        """
        moved = x.flatten(1) - self.centre
        products = moved @ self.support.T
        squares = self.support.square().sum(dim=1)
        distances = (moved.square().sum(dim=1, keepdim=True) + squares - 2 * products).clamp_min(0)
        return self.offset - torch.exp(-self.width * distances.double()) @ self.coefficients
