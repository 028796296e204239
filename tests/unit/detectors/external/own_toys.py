"""Files of a user, written into a folder, and the detector that is made of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import torch
from toys.detectors import HeldClips

from soundproof.detectors.external.detector import ExternalDetector
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import TrainingRun

SHAPE = (6, 10)
HEAD = """
import torch
from torch import nn


"""


def write(folder: Path, body: str, name: str = "mine.py") -> Path:
    """Write a user's file, which begins with the imports of torch."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + dedent(body).strip("\n") + "\n")
    return path


def clips(n: int = 12, seed: int = 1) -> torch.Tensor:
    return torch.randn(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


def made(path: Path, output: str = "score", **settings: Any) -> ExternalDetector:
    """A detector of ``build`` in a file."""
    entry = DETECTORS["external"]
    values = {"model": f"{path}:build", "output": output, **settings}
    detector: ExternalDetector = entry.load()(SHAPE, entry.settings(values))
    return detector


def fitted(path: Path, output: str = "score", seed: int = 0, **settings: Any) -> ExternalDetector:
    detector = made(path, output, **settings)
    detector.fit(HeldClips(clips()), TrainingRun(seed=seed))
    return detector
