"""Clips on file with their sounds, for models that take sound."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sound_layer import SoundForm, SoundLayer
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.training.clips import MapClips

RATE_HZ = 8000


def on_file(path: Path, samples: Tensor, keep: bool = True, **values: Any) -> MapReader:
    """Write maps of sounds [n, n_samples] at 8 kHz, with the sounds beside them where ``keep`` says so.

    Clips are ``clip00``, ``clip01``, ...; the recipe is ``audio``, but for ``values``.
    """
    recipe = FeatureSettings(**resolve({"recipe": "audio", "sample_rate_hz": RATE_HZ, **values}))
    form = SoundForm(recipe, math.inf, None, samples.shape[-1])
    maps = SoundLayer(form).maps(samples)
    frequencies = tuple(float(row) for row in range(maps.shape[1]))
    axes = Axes(frequencies, recipe.frames_per_second, maps.shape[2], "dB")
    n_samples = samples.shape[-1] if keep else None
    with MapWriter(path, axes, Provenance(stage="test"), n_samples=n_samples) as writer:
        ids = [f"clip{number:02d}" for number in range(len(samples))]
        writer.append(ids, maps.numpy(), sounds=samples.numpy() if keep else None)
        if keep:
            writer.note_sound(form.encode())
    return MapReader(path)


def training_clips(reader: MapReader) -> MapClips:
    """All of a file's clips, to fit a detector to."""
    return MapClips(reader, clip_table(reader))


def clip_table(reader: MapReader) -> pd.DataFrame:
    """Rows of the ``clips`` table of a file: normal training clips of one fan."""
    return pd.DataFrame(
        {
            "clip_id": reader.clip_ids,
            "split": "train",
            "label": "normal",
            "machine": "fan",
            "machine_id": "00",
        }
    )
