"""Explain the clips of a file of maps, in bounded memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from soundproof.attribution.registry import ExplainerEntry
from soundproof.core.errors import ArtefactError
from soundproof.core.registry import Parameters
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.individuals import Individuals, batches_by_individual
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explainer, Explanation
from soundproof.interfaces.replacement import NormalClips
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader, MapWriter


@dataclass(frozen=True)
class Explained:
    """What is known about explained clips beside their maps.

    Attributes:
        rows: One row per number and clip: ``metric``, ``clip_id``, ``value`` (float64). Every explainer has
            ``constant_map``: 1 where the map has one value everywhere and so explains nothing, else 0.
        seconds_per_clip: Time of the explanation alone, as if nobody had looked at the clips before; not
            reproducible, so no part of ``rows``.
    """

    rows: pd.DataFrame
    seconds_per_clip: float


def explain_clips(
    detector: Detector,
    name: str,
    entry: ExplainerEntry,
    settings: Parameters,
    *,
    reader: MapReader,
    clip_ids: Sequence[str],
    writer: MapWriter,
    seed: int,
    device: torch.device,
    memory_budget_bytes: int,
    individuals: Individuals | None = None,
    normal: NormalClips | None = None,
    progress: Callable[[int, int], None] | None = None,
    spared: Callable[[], float] = lambda: 0.0,
) -> Explained:
    """Explain clips and append their relevance to ``writer``.

    No more than one row group of clips is held at once, whatever their number.

    Args:
        detector: Fitted detector; it is moved to ``device`` and frozen.
        name: Label of the explainer in tables; part of the seed of its random draws.
        entry: Registry entry of the explainer.
        settings: Its validated settings.
        reader: Features of the clips.
        clip_ids: Clips to explain, in the order in which they are written.
        writer: Open file for the relevance.
        seed: Run seed.
        device: Where to compute.
        memory_budget_bytes: Memory for the detector's activations.
        individuals: Individual of each clip, for detectors that compare clips with their own kind.
        normal: Normal training clips of the same part, for what is taken from them.
        progress: Called after each batch with (clips done, clips in all).
        spared: Seconds so far that the explanation did not take, since another detector had made the same passes.

    Raises:
        ArtefactError: A clip is not in ``reader``, or its relevance is not finite.
        ConfigError: The detector lacks what the explainer needs.
    """
    explain: Explainer = entry.load()
    detector.to(device).freeze()
    size = rows_per_pass(
        detector, device, memory_budget_bytes, gradients="gradients" in entry.needed(settings)
    )
    rows: list[tuple[str, str, float]] = []
    seconds, done = 0.0, 0
    for of_individual, ids, maps in batches_by_individual(
        detector, reader, ROWS_PER_GROUP, clip_ids, individuals
    ):
        context = ExplainContext(
            settings=settings, clip_ids=ids, rows_per_pass=size, method=name, seed=seed, normal=normal
        )
        start = time.perf_counter() + spared()
        explanation = explain(of_individual, torch.from_numpy(maps).to(device, torch.float32), context)
        relevance = explanation.relevance.cpu()  # waits for the device, so that its time is counted
        seconds += time.perf_counter() + spared() - start
        _check_finite(relevance, name, ids)
        writer.append(ids, relevance.numpy())
        rows += _numbers(explanation, ids)
        done += len(ids)
        if progress is not None:
            progress(done, len(clip_ids))
    frame = pd.DataFrame(rows, columns=["metric", "clip_id", "value"]).astype(
        {"metric": "str", "clip_id": "str", "value": "float64"}
    )
    return Explained(frame, seconds / max(1, done))


def _numbers(explanation: Explanation, clip_ids: Sequence[str]) -> list[tuple[str, str, float]]:
    relevance = explanation.relevance.flatten(1)
    constant = relevance.amax(dim=1) == relevance.amin(dim=1)
    metrics = {**explanation.per_clip, "constant_map": constant}
    return [
        (metric, clip_id, value)
        for metric, values in metrics.items()
        for clip_id, value in zip(clip_ids, values.double().tolist(), strict=True)
        if not math.isnan(value)
    ]


def _check_finite(relevance: Tensor, name: str, clip_ids: Sequence[str]) -> None:
    finite = relevance.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        clip_id = clip_ids[int(finite.int().argmin())]
        raise ArtefactError(
            f"finite relevance of explainer '{name}' for clip '{clip_id}'",
            "NaN or infinity",
            "inspect the clip's features and the detector's score of it",
        )
