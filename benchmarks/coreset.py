"""Coreset and nearest neighbours of patches, beside the same without shortcuts and scikit-learn's brute force."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from benchmarks.coreset_peak import DIMENSIONS, OF_CLIP
from benchmarks.rows import Aim, BenchmarkError, Row, check_same
from benchmarks.setting import Setting
from benchmarks.timing import interleaved
from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BackboneSettings
from soundproof.detectors.embedding.coreset import TwoLevel, exact, k_centres
from soundproof.detectors.embedding.neighbours import distances, search

PART = 0.05
"""Part of the patches that a coreset keeps."""
MANY = 400
"""Clips of the memory benchmark, over those of a stored file: a million patches."""
BOUND_MIB = 2048
WITHIN = Aim("at most", 1.0)


def coreset(setting: Setting) -> list[Row]:
    """Choose 5 % of some clips' patches, search in all of them, and stream a million within 2 GiB."""
    of_clips = _patches(setting)
    patches = of_clips.flatten(0, 1)
    k = max(2, round(PART * len(patches)))
    size = f"{k} of {len(patches)} patches, {patches.shape[1]} dimensions"
    timings = interleaved(
        {
            "ours": lambda: k_centres(patches, k, 0).indices,
            "plain": lambda: _greedy(patches, k),
            "exact": lambda: exact(lambda: iter(of_clips), k, 0),
            "two": lambda: _two_level(of_clips, k),
        },
        setting.repeats,
        setting.device,
    )
    ours, two = timings["ours"], timings["two"]
    if not torch.equal(ours.result, timings["plain"].result):
        raise BenchmarkError(
            "a coreset of the same patches", "other picks", "find out which of the two is wrong"
        )
    radii = [_radius(patches, timings[name].result.vectors) for name in ("two", "exact")]
    queries = patches.flip(0)[: max(1, len(patches) // setting.clips)] + 0.1
    found = interleaved(
        {"ours": partial(_nearest, queries, patches), "sklearn": partial(_by_scikit, queries, patches)},
        setting.repeats,
        setting.device,
    )
    check_same("nearest distances", found["ours"].result[:, None], found["sklearn"].result[:, None], 1e-3)
    n_clips = MANY * setting.stored_clips
    peak = peak_mib(setting, n_clips)
    return [
        Row(
            benchmark="coreset",
            case=f"exact: {size}",
            unit="s",
            ours=ours.seconds,
            against="greedy, every distance anew",
            other=timings["plain"].seconds,
            ratio=timings["plain"].over(ours),
            sense="x faster",
        ),
        Row(
            benchmark="coreset",
            case=f"two levels: {size}",
            unit="s",
            ours=two.seconds,
            against="exact",
            other=timings["exact"].seconds,
            ratio=timings["exact"].over(two),
            sense="x faster",
        ),
        Row(
            benchmark="coreset",
            case="covering radius of two levels",
            unit="distance",
            ours=radii[0],
            against="exact",
            other=radii[1],
            ratio=radii[0] / radii[1],
            sense="x of it",
        ),
        Row(
            benchmark="coreset",
            case=f"nearest of {len(patches)} for {len(queries)} patches",
            unit="ms/patch",
            ours=1e3 * found["ours"].seconds / len(queries),
            against="scikit-learn, brute force",
            other=1e3 * found["sklearn"].seconds / len(queries),
            ratio=found["sklearn"].over(found["ours"]),
            sense="x faster",
        ),
        Row(
            benchmark="coreset",
            case=f"peak memory, two levels: {n_clips * OF_CLIP} patches, {DIMENSIONS} dimensions",
            unit="MiB",
            ours=peak,
            against="2 GiB",
            other=BOUND_MIB,
            ratio=peak / BOUND_MIB,
            sense="x of it",
            aim=WITHIN,
        ),
    ]


def peak_mib(setting: Setting, n_clips: int) -> float:
    """Peak memory of a coreset in two levels of so many clips' patches, in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.coreset_peak", str(n_clips), str(setting.device)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _patches(setting: Setting) -> Tensor:
    """Patches of clips from a network with random weights [n_clips, n_patches, n_channels]."""
    backbone = build_backbone(BackboneSettings(kind="random"), setting.shape, 0).to(setting.device)
    maps = setting.maps(max(2, setting.clips))
    with torch.no_grad():
        backbone.calibrate(maps)
        layers = backbone(maps)
    size = layers[0].shape[2:]
    grids = [torch.nn.functional.interpolate(layer, size) for layer in layers]
    return torch.cat(grids, dim=1).flatten(2).transpose(1, 2).contiguous()


def _greedy(points: Tensor, k: int) -> Tensor:
    chosen = [0]
    away = (points - points[0]).square().sum(dim=1)
    while len(chosen) < k:
        chosen.append(int(away.argmax()))
        away = torch.minimum(away, (points - points[chosen[-1]]).square().sum(dim=1))
    return torch.tensor(chosen, device=points.device)


def _two_level(of_clips: Tensor, k: int) -> object:
    levels = TwoLevel(len(of_clips), 3 * k, 0)
    for patches in of_clips:
        levels.add(patches)
    return levels.choose(k)


def _radius(points: Tensor, kept: Tensor) -> float:
    return float(_nearest(points, kept).max())


def _nearest(queries: Tensor, bank: Tensor) -> Tensor:
    return distances(queries, bank[search(queries, bank, 1)[:, 0]])


def _by_scikit(queries: Tensor, bank: Tensor) -> Tensor:
    fitted = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(bank.cpu().numpy())
    away, _ = fitted.kneighbors(queries.cpu().numpy())
    return torch.from_numpy(away[:, 0])
