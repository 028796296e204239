"""Detectors whose explanations are known by hand, and short ways to run an explainer on them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation
from toys.detectors import HeldClips

# an overlapping stride that does not divide the map; few samples keep the tests fast
SMALL = {
    "integrated_gradients": {"steps": 7, "baseline": "clip_mean"},
    "smooth_grad": {"samples": 5},
    "gradient_shap": {"samples": 5, "baseline": "clip_min"},
    "captum": {"method": "InputXGradient", "noise": {"samples": 3}},
    "rise": {"masks": 10, "cell": (2, 3)},
    "repair_mask": {"steps": 5, "replacement": "clip_median"},
    "occlusion": {"window": (3, 4), "stride": (2, 3), "baseline": "clip_mean"},
}


class Toy(Detector):
    """Counts the maps it sees: in all, differentiated or not, and at once."""

    def __init__(self, shape):
        super().__init__(shape, Parameters())
        self.forward_rows = self.gradient_rows = self.most_rows = 0

    def fit(self, clips, run):
        raise NotImplementedError

    def count(self, x: Tensor) -> None:
        self.most_rows = max(self.most_rows, len(x))
        if torch.is_grad_enabled() and x.requires_grad:
            self.gradient_rows += len(x)
        else:
            self.forward_rows += len(x)


class Linear(Toy):
    """score = sum of w * x."""

    def __init__(self, weights: Tensor):
        super().__init__(tuple(weights.shape))
        self.register_buffer("weights", weights)

    def score(self, x):
        self.count(x)
        return (self.weights * x).sum(dim=(1, 2))


class Quadratic(Linear):
    """score = sum of w * x^2."""

    def score(self, x):
        return super().score(x**2)


class SmallAutoEncoder(Toy):
    """Convolutional auto-encoder with a smooth, non-linear score."""

    def __init__(self, shape=(6, 10)):
        super().__init__(shape)
        self.encode = nn.Conv2d(1, 3, 3, padding=1, stride=2)
        self.norm = nn.BatchNorm2d(3)
        self.decode = nn.ConvTranspose2d(3, 1, 2, stride=2)
        self.randomise(3)
        self.freeze()

    def reconstruct(self, x):
        return self.decode(torch.tanh(self.norm(self.encode(x[:, None]))))[:, 0]

    def anomaly_map(self, x):
        self.count(x)
        return (self.reconstruct(x) - x) ** 2

    def score(self, x):
        return self.anomaly_map(x).mean(dim=(1, 2))

    def latents(self, x):
        self.count(x)
        activations = self.encode(x[:, None])
        return activations, torch.tanh(self.norm(activations)).flatten(1)

    @property
    def cam_layer(self):
        return self.encode


class TwoChannels(Toy):
    """Two channels 2x and -3x at every other cell; score = 5 mean(channel 1) + 7 mean(channel 2)."""

    def __init__(self, shape):
        super().__init__(shape)
        self.layer = nn.Conv2d(1, 2, 1, stride=2, bias=False)
        self.layer.weight.data = torch.tensor([2.0, -3.0]).view(2, 1, 1, 1)

    def score(self, x):
        return self.layer(x[:, None]).mean(dim=(2, 3)) @ torch.tensor([5.0, 7.0])

    @property
    def cam_layer(self):
        return self.layer


class HeldNormals:
    """Normal clips in memory, the same for every clip; what it costs to score them is counted nowhere."""

    def __init__(self, maps: Tensor):
        self.maps = maps

    def nearest(self, x):
        maps = self.maps.to(x.device)
        distances = ((x[:, None] - maps) ** 2).sum(dim=(2, 3))
        return maps[distances.argmin(dim=1)]

    def training_clips(self):
        return HeldClips(self.maps)

    def scores(self, detector, clip_id, rows_per_pass):
        some = next(iter((*detector.parameters(), *detector.buffers())), self.maps)
        with torch.no_grad():
            return copy.deepcopy(detector).score(self.maps.to(some.device)).double()


class QuietNormals(HeldNormals):
    """Quiet clips, with scores so low that no repair comes near: a search for it uses all its steps."""

    def scores(self, detector, clip_id, rows_per_pass):
        return super().scores(detector, clip_id, rows_per_pass) - 1000


def clips(n: int, shape=(6, 10)) -> tuple[Tensor, list[str]]:
    x = torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))
    return x, [f"clip{i}" for i in range(n)]


def context_for(name: str, clip_ids, *, rows=16, seed=0, normal=None, **settings) -> ExplainContext:
    return ExplainContext(
        settings=EXPLAINERS[name].settings(settings),
        clip_ids=clip_ids,
        rows_per_pass=rows,
        method=name,
        seed=seed,
        normal=normal,
    )


def explain(detector, name, x, clip_ids, normal=None, **options) -> Explanation:
    """Explain clips; what is normal are quiet maps where nobody says so."""
    normal = normal or QuietNormals(torch.zeros(2, *x.shape[1:]))
    return EXPLAINERS[name].load()(detector, x, context_for(name, clip_ids, normal=normal, **options))
