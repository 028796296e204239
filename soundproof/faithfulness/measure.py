"""Measure the faithfulness of all explainers of one detector, streaming over clips in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.clips.selection import draw_clips
from soundproof.core.errors import ArtefactError, DataError
from soundproof.core.registry import Parameters, loaded
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.individuals import Individuals, batches_by_individual
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.settings import clip_limit
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import (
    Explain,
    Faithfulness,
    FaithfulnessContext,
    InputFactor,
    Normals,
)
from soundproof.interfaces.metric import MetricEntry
from soundproof.interfaces.replacement import NormalClips
from soundproof.interfaces.sounds import Sounds
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader
from soundproof.storage.measurements import rows_of

_LOG = logging.getLogger(__name__)
_ORDER = ["metric", "protocol", "explainer", "parameter", "clip_id"]


def measure_faithfulness(
    detector: Detector,
    features: MapReader,
    maps: Mapping[str, MapReader],
    clip_ids: Sequence[str],
    families: Mapping[str, Parameters],
    *,
    annotated: Mapping[str, np.ndarray],
    segment_frames: int,
    device: torch.device,
    memory_budget_bytes: int,
    seed: int = 0,
    explain: Explain | None = None,
    input_factor: InputFactor | None = None,
    event_bands: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    individuals: Individuals | None = None,
    anomalous: Mapping[str, bool] | None = None,
    snr_db: Mapping[str, float] | None = None,
    backgrounds: MapReader | None = None,
    sounds: Sounds | None = None,
    normal: NormalClips | None = None,
    beside: Mapping[str, Sequence[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Run faithfulness metrics over clips.

    Args:
        detector: Fitted detector; frozen and moved to ``device``.
        features: What the detector scores.
        maps: Relevance by explainer, on the grid of ``features``.
        clip_ids: Clips to measure; every reader must have them.
        families: Settings by name in :data:`soundproof.faithfulness.registry.FAITHFULNESS`. A setting
            ``n_clips`` limits the clips of that metric: those with the smallest hash of their id, so that the
            choice depends neither on order nor on labels.
        annotated: Frames inside a labelled event, bool [n_frames], by clip id; without the clips that nobody
            labelled.
        segment_frames: Frames in a segment.
        device: Where to compute.
        memory_budget_bytes: How much the maps held at once, and how much one pass, may take.
        seed: Run seed.
        explain: Makes new maps, for metrics that need them.
        input_factor: Tells what relevance is a multiple of, for metrics that ask.
        event_bands: (low_hz, high_hz) of the labelled events, by clip id; without the clips whose bands nobody
            knows.
        individuals: Individual of each clip, for detectors that compare clips with their own kind.
        anomalous: Whether each clip is anomalous, by clip id.
        snr_db: SNR by clip id; without the clips whose SNR nobody knows.
        backgrounds: What the detector would see of the anomalous clips without their events; None, or without a
            clip: unknown.
        sounds: Sound of the clips; None: the data set has none, and metrics that listen are left out.
        normal: Normal training clips of the same part, for what is taken from them.
        beside: Normal clips of each clip's machine, by clip id; None, or of a clip none: there is none, and
            metrics that ask for them are left out.
        progress: Called after each batch with (clips done, clips in all), summed over the metrics.

    Returns:
        Frame of :data:`soundproof.storage.measurements.COLUMNS`, ordered by metric, protocol, explainer,
        parameter and clip, however the clips were batched.

    Raises:
        ArtefactError: Maps on another grid, or a clip that a reader lacks.
        DataError: A map holds NaN or infinity.
        ConfigError: A metric needs what the detector does not have.
    """
    for name, reader in maps.items():
        if reader.axes.shape != features.axes.shape:
            raise ArtefactError(
                f"maps of explainer '{name}' of shape {features.axes.shape}",
                f"shape {reader.axes.shape}",
                "explain the same features that the detector scores",
            )
    detector.to(device).freeze()
    rows = rows_per_pass(detector, device, memory_budget_bytes, gradients=False)
    size = _clips_per_batch(features.axes.shape, len(maps), memory_budget_bytes)
    anomalies = [clip_id for clip_id in clip_ids if (anomalous or {}).get(clip_id)]
    if backgrounds is not None and not backgrounds.holds(anomalies):
        backgrounds = None
    if beside is not None and not all(beside.get(clip_id) for clip_id in clip_ids):
        beside = None
    families = _measurable(families, backgrounds, sounds, beside)
    chosen = {family: draw_clips(clip_ids, clip_limit(settings)) for family, settings in families.items()}
    in_all, done = sum(len(ids) for ids in chosen.values()), 0
    measured = [rows_of([], [])]
    for family, settings in families.items():
        entry = FAITHFULNESS[family]
        of_family: list[pd.DataFrame] = []
        measure: Faithfulness = entry.load()
        for of_individual, ids, values in batches_by_individual(
            detector, features, size, chosen[family], individuals
        ):
            x = _to_device(values, "features", ids, device)
            relevance = {
                name: _to_device(reader.read(ids), name, ids, device) for name, reader in maps.items()
            }
            frames = [annotated.get(clip_id) for clip_id in ids]
            context = FaithfulnessContext(
                settings=settings,
                clip_ids=ids,
                annotated=[None if f is None else torch.from_numpy(f).to(device) for f in frames],
                frames_per_second=features.axes.frames_per_second,
                segment_frames=segment_frames,
                rows_per_pass=rows,
                seed=seed,
                explain=explain,
                input_factor=input_factor,
                frequencies_hz=features.axes.frequencies_hz,
                sounds=sounds,
                normal=normal,
                beside=None if beside is None else _beside(features, beside, device),
                event_bands=[(event_bands or {}).get(clip_id) for clip_id in ids],
                anomalous=[(anomalous or {}).get(clip_id, False) for clip_id in ids],
                snr_db=[(snr_db or {}).get(clip_id) for clip_id in ids],
                backgrounds=_clean(x, backgrounds, ids)
                if backgrounds is not None and "background" in entry.needs
                else None,
            )
            of_family.append(measure(of_individual, x, relevance, context))
            done += len(ids)
            if progress is not None:
                progress(done, in_all)
        measured += [finished(entry, pd.concat(of_family, ignore_index=True))] if of_family else []
    return pd.concat(measured).sort_values(_ORDER, ignore_index=True)


def finished(entry: MetricEntry, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a metric, made out of what it gave for all clips, batch by batch."""
    out: pd.DataFrame = loaded(entry.of_set)(rows) if entry.of_set else rows
    return out


def _measurable(
    families: Mapping[str, Parameters],
    backgrounds: MapReader | None,
    sounds: Sounds | None,
    beside: Mapping[str, Sequence[str]] | None,
) -> Mapping[str, Parameters]:
    """Those metrics that can be measured on these clips; the log names the others."""
    lacking = {
        "background": backgrounds is None and "nobody knows the clean background of the clips",
        "sound": sounds is None and "the data set ships no sound",
        "normals": beside is None and "a machine of the clips has no normal clip",
    }
    left = dict(families)
    for need, why in lacking.items():
        names = [name for name in left if why and need in FAITHFULNESS[name].needs]
        if names:
            _LOG.warning("left out, since %s: %s", why, ", ".join(names))
        left = {name: settings for name, settings in left.items() if name not in names}
    return left


def _clean(x: Tensor, backgrounds: MapReader, clip_ids: Sequence[str]) -> Tensor:
    """What the detector would see of clips [B, n_freq, n_frames] without events; normal ones stay as they are."""
    out = x.clone()
    known = [clip_id for clip_id in clip_ids if clip_id in backgrounds]
    rows = [row for row, clip_id in enumerate(clip_ids) if clip_id in backgrounds]
    out[rows] = _to_device(backgrounds.read(known), "backgrounds", known, x.device)
    return out


def _beside(features: MapReader, ids: Mapping[str, Sequence[str]], device: torch.device) -> Normals:
    """Reads normal clips of a clip's machine, drawn by their ids."""

    def read(detector: Detector, clip_id: str, n_clips: int) -> list[tuple[Detector, Tensor]]:
        drawn = draw_clips(ids[clip_id], n_clips)
        batches = batches_by_individual(detector.of_no_clip(), features, len(drawn), drawn, None)
        return [(one, _to_device(maps, "features", clips, device)) for one, clips, maps in batches]

    return read


def _clips_per_batch(shape: tuple[int, int], n_maps: int, memory_budget_bytes: int) -> int:
    """Clips whose features, relevance, ranks and a sort's buffers fit the budget; a row group at most."""
    bytes_per_clip = shape[0] * shape[1] * 8 * (n_maps + 6)
    return max(1, min(ROWS_PER_GROUP, memory_budget_bytes // bytes_per_clip))


def _to_device(values: np.ndarray, what: str, clip_ids: list[str], device: torch.device) -> Tensor:
    finite = np.isfinite(values).all(axis=(1, 2))
    if not finite.all():
        broken = clip_ids[int(np.argmin(finite))]
        raise DataError(
            f"finite values in '{what}'", f"NaN or infinity in clip '{broken}'", "look at what wrote them"
        )
    return torch.from_numpy(values).to(device, torch.float32)
