"""Toys shared by the tests of detectors."""

import pandas as pd
import torch

from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import TrainingRun

AUTO_ENCODERS = ["skip_cae_transformer", "skip_cae", "cae", "dense_ae"]


def build(kind, shape, **settings):
    entry = DETECTORS[kind]
    return entry.load()(shape, entry.settings(settings))


def n_parameters(detector):
    return sum(weight.numel() for weight in detector.parameters())


def noise(*size, seed=0, dtype=torch.float32):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class HeldClips:
    """Clips given as a tensor [n, n_freq, n_frames]."""

    def __init__(self, maps):
        self.maps = maps
        self.frame = pd.DataFrame({"clip_id": [f"clip{row}" for row in range(len(maps))]})

    def __len__(self):
        return len(self.maps)

    def read(self, rows):
        return self.maps[rows]


def fitted(kind, maps, seed=0, **settings):
    detector = build(kind, tuple(maps.shape[1:]), **settings)
    detector.fit(HeldClips(maps), TrainingRun(seed=seed))
    return detector
