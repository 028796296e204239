"""Fits of the detectors on patches, at the size of a machine of MIMII, beside the network that they stand on.

``--fit-clips 896`` is an individual of MIMII: ten seconds, 69 bands (16 kHz), 1.6 million patches of 896 channels.
The coresets are as large a part of the patches as those of the study ``mimii`` are then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.backbones import OF_16_KHZ, maps_of
from benchmarks.rows import Row
from benchmarks.setting import Setting, clip_names
from benchmarks.timing import interleaved
from soundproof.detectors.registry import DETECTORS
from soundproof.features.recipes import RECIPES, FeatureSettings
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.training.clips import MapClips

CORESET = 30000 / (896 * 17 * 107)
"""Part of the patches that the study ``mimii`` keeps of 896 clips."""
CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "PatchCore (as published)": ("patchcore", {"protocol": "as_published", "coreset_fraction": CORESET}),
    "PatchCore (corrected)": ("patchcore", {"coreset_fraction": CORESET}),
    "PaDiM (corrected)": ("padim", {}),
    "Band memory": ("band_memory", {}),
    "CFA, one epoch": ("cfa", {"epochs": 1}),
    "STFPM, one epoch": ("stfpm", {"epochs": 1}),
}
BACKBONE = {"kind": "random", "network": "cnn9"}
"""Random weights cost what trained ones do."""


def fit(setting: Setting) -> list[Row]:
    """Fit each once on clips of a file of maps, and score some clips; the network alone reads them as well."""
    n = setting.fit_clips
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.parquet"
        _write(path, n, setting)
        clips = MapClips(MapReader(path), pd.DataFrame({"clip_id": clip_names(n)}))
        rows = []
        for case, (kind, settings) in CASES.items():
            rows += _rows(case, kind, settings, clips, setting)
    return rows


def _rows(case: str, kind: str, settings: Mapping[str, Any], clips: MapClips, setting: Setting) -> list[Row]:
    entry = DETECTORS[kind]
    chosen = entry.settings({"backbone": BACKBONE, **settings})
    detector: Any = entry.load()(clips.shape, chosen)
    run = TrainingRun(seed=0, device=setting.device, memory_budget_bytes=setting.memory_budget_bytes)
    fitted = interleaved(
        # the fit first: it sets what the network normalises by
        {"fit": lambda: detector.fit(clips, run), "network": lambda: _through(detector, clips, setting)},
        1,
        setting.device,
        warm_up=False,
    )
    detector.freeze().to(setting.device)
    x = clips.read(list(range(min(setting.clips, len(clips))))).to(setting.device)
    scored = interleaved(
        {"network": lambda: detector.backbone(x), "score": lambda: _score(detector, x)},
        setting.repeats,
        setting.device,
    )
    return [
        Row(
            benchmark="fit",
            case=f"{case}: {len(clips)} clips",
            unit="s",
            ours=fitted["fit"].seconds,
            against="clips read and through the network once",
            other=fitted["network"].seconds,
            ratio=fitted["fit"].over(fitted["network"]),
            sense="x of it",
        ),
        Row(
            benchmark="fit",
            case=f"{case}: score",
            unit="ms/clip",
            ours=1e3 * scored["score"].seconds / len(x),
            against="the network alone",
            other=1e3 * scored["network"].seconds / len(x),
            ratio=scored["score"].over(scored["network"]),
            sense="x of it",
        ),
    ]


def _write(path: Path, n: int, setting: Setting) -> None:
    recipe = FeatureSettings(**RECIPES["cnn9"])
    maps = maps_of(recipe, setting.fit_seconds, OF_16_KHZ, n)
    frequencies = tuple(100.0 * (band + 1) for band in range(maps.shape[1]))
    axes = Axes(frequencies, recipe.rate_hz / recipe.hop_length, maps.shape[2], "dB")
    with MapWriter(path, axes, Provenance(stage="benchmark")) as writer:
        for start in range(0, n, setting.stored_clips):
            part = maps[start : start + setting.stored_clips]
            writer.append(clip_names(n)[start : start + len(part)], part.numpy())


def _through(detector: Any, clips: MapClips, setting: Setting, at_once: int = 8) -> None:
    """Each clip read and given to the network, as a fit cannot avoid."""
    detector.to(setting.device)
    with torch.no_grad():
        for start in range(0, len(clips), at_once):
            rows = list(range(start, min(start + at_once, len(clips))))
            detector.backbone(clips.read(rows).to(setting.device))


def _score(detector: Detector, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return detector.score(x)
