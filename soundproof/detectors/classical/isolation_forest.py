"""Isolation forest over flattened clips: fitted by scikit-learn, stored as plain tensors, scored in PyTorch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import IsolationForest
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

_EULER = 0.5772156649015329


class IsolationForestDetector(Detector):
    """Isolation forest (Liu et al. 2008).

    Each tree is a row of the buffers, padded to the largest tree; leaves are their own children, so that all
    trees are walked in step. The score ``2^(-mean path length / expected path length)`` is scikit-learn's
    ``-score_samples``; it is piecewise constant, hence without a useful gradient.
    """

    feature: Tensor
    threshold: Tensor
    child: Tensor
    path_length: Tensor
    expected: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        self.register_buffer("feature", torch.zeros(0, 0, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(0, 0, dtype=torch.float64))
        self.register_buffer("child", torch.zeros(0, 0, 2, dtype=torch.int64))
        self.register_buffer("path_length", torch.zeros(0, 0, dtype=torch.float64))
        self.register_buffer("expected", torch.zeros((), dtype=torch.float64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Fit on all clips at once (held in memory, as scikit-learn needs them)."""
        x = clips.read(list(range(len(clips)))).flatten(1).numpy()
        settings: Any = self.settings
        fixed = settings.random_state
        forest = IsolationForest(
            n_estimators=settings.trees,
            max_samples=min(settings.samples, len(x)),
            random_state=seed_from("isolation forest", run.seed) % 2**32 if fixed is None else fixed,
        ).fit(x)
        trees = [_walkable(estimator.tree_) for estimator in forest.estimators_]
        self.feature = _stack([tree[0] for tree in trees])
        self.threshold = _stack([tree[1] for tree in trees])
        self.child = _stack([tree[2] for tree in trees])
        self.path_length = _stack([tree[3] for tree in trees])
        self.expected = torch.from_numpy(_average_path_length(np.array([forest.max_samples_])))[0]
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Anomaly score of each clip [B], between 0 and 1, float64."""
        cells = x.detach().flatten(1)
        tree = torch.arange(len(self.feature), device=x.device)
        node = torch.zeros(len(x), len(tree), dtype=torch.int64, device=x.device)
        settings: Any = self.settings
        # scikit-learn grows trees no deeper than this
        for _ in range(math.ceil(math.log2(max(settings.samples, 2)))):
            value = cells.gather(1, self.feature[tree, node])
            right = (value.double() > self.threshold[tree, node]).long()
            node = self.child[tree, node, right]
        lengths = self.path_length[tree, node].mean(dim=1)
        # trees grown on a single clip expect no path at all; scikit-learn then scores 1/2
        relative = torch.where(self.expected > 0, lengths / self.expected, 1.0)
        return torch.exp2(-relative)


def _walkable(tree: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Feature, threshold and children of each node, and the path length of each leaf, of a scikit-learn tree."""
    own = np.arange(tree.node_count)
    leaf = tree.children_left < 0
    children = np.stack([tree.children_left, tree.children_right], axis=1).astype(np.int64)
    depth = np.zeros(tree.node_count)
    # parents come before their children
    for parent in own[~leaf]:
        depth[children[parent]] = depth[parent] + 1
    children[leaf] = own[leaf, None]
    lengths = np.where(leaf, depth + _average_path_length(tree.n_node_samples), 0.0)
    return np.where(leaf, 0, tree.feature).astype(np.int64), tree.threshold.copy(), children, lengths


def _average_path_length(samples: np.ndarray) -> np.ndarray:
    """Mean length of an unsuccessful search among ``samples`` keys of a binary tree (Liu et al., eq. 1)."""
    n = samples.astype(np.float64)
    above = np.maximum(n, 3.0)
    harmonic = np.log(above - 1.0) + _EULER
    return np.where(n > 2, 2.0 * harmonic - 2.0 * (above - 1.0) / above, np.where(n == 2, 1.0, 0.0))


def _stack(parts: list[np.ndarray]) -> Tensor:
    """Stack arrays of unequal length along a new first dimension, padding their ends with zeros."""
    return torch.nn.utils.rnn.pad_sequence([torch.from_numpy(part) for part in parts], batch_first=True)
