"""A small folder of one's own recordings, and a table of its labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundproof.core.choice import choose
from soundproof.datasets.registry import DATASETS

LAYOUT = ("train/normal/a.wav", "train/normal/b.wav", "test/normal/c.wav", "test/anomaly/d.wav")
ROWS = "path,split,label\ntrain/normal/a.wav,train,normal\n./test/normal/c.wav,test,normal\n{more}"


def sound(path: Path, seed: int | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, str(path))) if seed is None else seed
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, 8_000)
    if options or path.suffix.lower() in (".wav", ".flac", ".ogg"):
        soundfile.write(str(path), noise, 8_000, **options)
    else:
        with path.open("wb") as stream:
            soundfile.write(stream, noise, 8_000, format="WAV")
    return path


def layout(folder: Path) -> Path:
    for number, name in enumerate(LAYOUT):
        sound(folder / name, number)
    return folder


def choice(folder: Path, kind: str = "recordings", **settings: Any):
    return choose(DATASETS, {"kind": kind, "folder": str(folder), **settings})


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder.parent / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path
