"""Toys shared by the tests of detectors on patches: small real backbones, and clips."""

import pandas as pd
import torch
from torch import nn

from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.backbone import Backbone, Layer
from soundproof.interfaces.detector import TrainingRun
from soundproof.randomness.seeding import seed_from
from soundproof.storage.maps import Axes
from toys.detectors import noise

KINDS = ["patchcore", "padim", "cfa", "stfpm", "band_memory", "few_shot_memory"]
SHAPE = (16, 24)
FAST = {
    "cfa": {"nearest": 1, "negatives": 1, "epochs": 2, "batch_size": 2},
    "stfpm": {"epochs": 2, "batch_size": 2, "learning_rate": 0.05},
    "patchcore": {"neighbours": 3},
}


class Ripples(Backbone):
    """Two strided convolutions with weights drawn by name: grids of a half and a quarter of the map."""

    layers = (Layer("half", 6, (2, 2), (0.0, 0.0)), Layer("quarter", 10, (4, 4), (0.0, 0.0)))

    def __init__(self, shape=SHAPE):
        super().__init__(shape)
        self.first = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 10, 3, stride=2, padding=1)
        for name, weight in self.named_parameters():
            if not name.startswith("norm"):
                generator = torch.Generator().manual_seed(seed_from("ripples", name))
                weight.data = torch.randn(weight.shape, generator=generator) / weight[0].numel() ** 0.5 / 2
        self.eval()
        self.requires_grad_(False)

    def forward(self, x):
        half = torch.relu(self.norm(self.first(x[:, None])))
        return [half, torch.relu(self.second(half))]


class Cells(Backbone):
    """The map itself, one channel."""

    layers = (Layer("cells", 1, (1, 1), (0.0, 0.0)),)

    def forward(self, x):
        return [x[:, None]]


class Columns(Backbone):
    """All bands of a frame as one vector: patches can be written down by hand."""

    def __init__(self, n_freq):
        super().__init__((n_freq, 1))
        self.layers = (Layer("columns", n_freq, (n_freq, 1), ((n_freq - 1) / 2, 0.0)),)

    def forward(self, x):
        return [x[:, :, None]]


class Clips:
    """Clips given as a tensor [n, n_freq, n_frames], bands 100 Hz apart, 40 frames a second."""

    def __init__(self, maps, frames_per_second=40.0):
        self.maps = maps
        self.frame = pd.DataFrame({"clip_id": [f"clip{row}" for row in range(len(maps))]})
        frequencies = tuple(100.0 * (band + 1) for band in range(maps.shape[1]))
        self.axes = Axes(frequencies, frames_per_second, maps.shape[2], "dB")

    def __len__(self):
        return len(self.maps)

    def read(self, rows):
        return self.maps[rows]


def new(kind, shape=SHAPE, backbone=None, **settings):
    entry = DETECTORS[kind]
    chosen = entry.settings({"backbone": "none", **FAST.get(kind, {}), **settings})
    return entry.load()(shape, chosen, Ripples(shape) if backbone is None else backbone)


def fit(kind, maps, backbone=None, seed=0, budget=1 << 30, **settings):
    detector = new(kind, tuple(maps.shape[1:]), backbone, **settings)
    detector.fit(Clips(maps), TrainingRun(seed=seed, memory_budget_bytes=budget))
    return detector.freeze()


def clips(n, seed=0, shape=SHAPE):
    """Noise with a spectrum of its own, the same for all."""
    tilt = torch.linspace(2, -2, shape[0])[:, None]
    return noise(n, *shape, seed=seed) * 0.5 + tilt


def columns(*vectors):
    """One clip whose frames are these vectors: [1, n_dims, n_vectors]."""
    return torch.tensor(vectors, dtype=torch.float32).T[None]
