"""Toys shared by the tests of training (and imported by the subprocess that one of them kills)."""

import numpy as np
import pandas as pd
import torch

from soundproof.detectors.registry import DETECTORS
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.training.clips import MapClips
from soundproof.training.loop import GradientTrained

SHAPE = (16, 32)


def write_maps(path, n_clips, shape=SHAPE, level=0.0):
    """Write clips of smooth ripples; the level of clip i is ``level + i / 100``."""
    grid = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    maps = np.stack([np.sin(grid / 3 + clip) + level + clip / 100 for clip in range(n_clips)]).astype(
        np.float32
    )
    axes = Axes(tuple(float(f) for f in range(shape[0])), 40.0, shape[1], "dB")
    with MapWriter(path, axes, Provenance(stage="features")) as writer:
        writer.append([f"clip{clip:04d}" for clip in range(n_clips)], maps)
    return maps


def open_clips(path, frame=None):
    reader = MapReader(path)
    return MapClips(reader, pd.DataFrame({"clip_id": reader.clip_ids}) if frame is None else frame)


def build(kind, shape=SHAPE, **settings):
    entry = DETECTORS[kind]
    return entry.load()(shape, entry.settings({"batch_size": 8, **settings}))


def same_weights(one, other):
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


class LevelClassifier(GradientTrained):
    """Tells quiet from loud clips: a detector that is no auto-encoder and needs labels."""

    def __init__(self, shape, settings):
        super().__init__(shape, settings)
        self.layer = torch.nn.Linear(shape[0] * shape[1], 2)

    def training_targets(self, frame):
        return torch.tensor((frame["machine"] == "loud").to_numpy()).long()

    def training_loss(self, x, targets, generator):
        return torch.nn.functional.cross_entropy(self.layer(x.flatten(1)), targets)

    def score(self, x):
        return self.layer(x.flatten(1))[:, 1]
