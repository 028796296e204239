"""Magnitude maps of toy machines, and FeatEx fitted on them."""

import pandas as pd
import torch
from detector_toys import HeldClips, build

from soundproof.interfaces.detector import TrainingRun

SHAPE = (33, 24)
SMALL = {"width": 0.125, "batch_size": 12, "epochs": 6, "learning_rate": 0.005}


def tones(bins, seed=0, level=4.0):
    """A clip per entry of ``bins``: noise, and a line there that beats with a rhythm of its own."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(len(bins), *SHAPE, generator=generator)
    for row, bin_ in enumerate(bins):
        maps[row, bin_] += level * (1 + torch.sin(torch.arange(SHAPE[1]) * bin_ / 9))
    return maps


class ToyMachines(HeldClips):
    """``per_machine`` normal clips of each machine (a line at its bin)."""

    def __init__(self, bins=(5, 15, 25), per_machine=12, **columns):
        super().__init__(tones([bin_ for bin_ in bins for _ in range(per_machine)]))
        machines = [f"m{bin_}" for bin_ in bins for _ in range(per_machine)]
        self.frame = self.frame.assign(machine=machines, machine_id="00", **columns)


def fit(clips=None, seed=0, run=None, **settings):
    clips = ToyMachines() if clips is None else clips
    detector = build("featex", SHAPE, **{**SMALL, **settings})
    history = detector.fit(clips, TrainingRun(seed=seed) if run is None else run)
    return detector.freeze(), history


def frame_of(**columns):
    n_clips = len(next(iter(columns.values())))
    return pd.DataFrame({"clip_id": [f"clip{row}" for row in range(n_clips)], **columns})
