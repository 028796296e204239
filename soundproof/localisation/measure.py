"""Run the localisation metrics of a study on the maps of all its explainers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.interfaces.metric import MetricEntry
from soundproof.localisation.measured import Localisation, Measured, Unmeasured
from soundproof.localisation.pooled import Batches, Pooled
from soundproof.localisation.registry import LOCALISATION
from soundproof.localisation.repeated import Repeated, content_of
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import Block, rows_of
from soundproof.truth.ground_truth import Truth, require_finite
from soundproof.truth.truth_of_clips import TruthReader

__all__ = ["Truth", "measure_localisation", "measure_pooled"]

_log = logging.getLogger(__name__)
_WORDS = {
    "events": "an event",
    "masks": "a mask",
    "event_maps": "a map of its event alone",
    "stems": "the stems of its sound",
    "physics": "the physics that its fault was drawn from",
}
_CELLS_AT_ONCE = 1 << 22
"""Cells of a batch of pooled metrics, which hold about 20 numbers for each."""


def measure_localisation(
    maps: Mapping[str, np.ndarray],
    clip_ids: Sequence[str],
    truth: Truth,
    families: Mapping[str, Parameters],
    repeated: Repeated | None = None,
) -> pd.DataFrame:
    """Measure how well each explainer's maps find the faults.

    The caller passes anomalous clips only; metrics of whole sets get them as a single batch. Maps enter
    signed: high = anomalous. A family whose ground truth the data set lacks, and a clip for which a metric is
    undefined, give no row; the log says how many.

    Args:
        maps: For each explainer its relevance [n_clips, n_freq, n_frames].
        clip_ids: [n_clips], in the order of the maps.
        truth: Where the faults are, in the order of the maps.
        families: Names of :data:`LOCALISATION` with their validated settings.
        repeated: What was measured on maps of other detectors, for this truth and these metrics; None: nothing.

    Returns:
        Frame of :data:`soundproof.storage.measurements.COLUMNS`. Protocols ``chance_uniform`` and
        ``chance_circular_shift`` are the chance lines; segment F1 is measured as ``corrected`` and
        ``as_published`` (with chance lines of its own, whose names end so), beside ``flag_all``; elsewhere the
        protocol is empty, but see :mod:`soundproof.localisation.aupro_parts`.

    Raises:
        ConfigError: Unknown family.
        DataError: Shapes differ, a map holds NaN or infinity, or an event lies outside its clip.
    """
    for explainer, relevance in maps.items():
        _check(explainer, relevance, len(clip_ids), truth)
    truth = replace(truth, clip_ids=tuple(clip_ids))
    contents = {explainer: content_of(clip_ids, [relevance]) for explainer, relevance in maps.items()}
    repeated = repeated or Repeated()
    measured: list[Block] = []
    for entry, settings in _with_truth(families, truth.offers, len(clip_ids)):
        for explainer, relevance in maps.items():
            run = partial(_run, entry, explainer, relevance, truth, settings)
            measured += repeated.blocks(entry.name, explainer, contents[explainer], run)
    return rows_of(measured, clip_ids).dropna(subset=["value"], ignore_index=True)


def measure_pooled(
    maps: Mapping[str, MapReader],
    clip_ids: Sequence[str],
    truth: TruthReader,
    families: Mapping[str, Parameters],
    repeated: Repeated | None = None,
) -> pd.DataFrame:
    """Run metrics of a whole set on the maps of all explainers, in bounded memory.

    Args:
        maps: For each explainer its file of relevance.
        clip_ids: The clips of the set, normal ones among them.
        truth: Where the faults are.
        families: Names of :data:`LOCALISATION` that are ``pooled``, with their validated settings.
        repeated: As for :func:`measure_localisation`.

    Returns:
        Frame of :data:`soundproof.storage.measurements.COLUMNS` without a clip.

    Raises:
        ConfigError: Unknown family.
        DataError: A map holds NaN or infinity, or an event lies outside its clip.
    """
    repeated = repeated or Repeated()
    sizes, contents = {}, {}
    for explainer, reader in maps.items():
        sizes[explainer] = max(1, _CELLS_AT_ONCE // (reader.axes.shape[0] * reader.axes.shape[1]))
        read = (relevance for _, relevance in reader.batches(sizes[explainer], clip_ids))
        contents[explainer] = content_of(clip_ids, read)
    measured: list[Block] = []
    for entry, settings in _with_truth(families, truth.offers, len(clip_ids)):
        for explainer, reader in maps.items():
            batches = _batches(reader, clip_ids, truth, sizes[explainer], explainer)
            run = partial(_run_pooled, entry, explainer, batches, settings, len(clip_ids))
            measured += repeated.blocks(entry.name, explainer, contents[explainer], run)
    return rows_of(measured, clip_ids).dropna(subset=["value"], ignore_index=True)


def _batches(
    reader: MapReader, clip_ids: Sequence[str], truth: TruthReader, size: int, explainer: str
) -> Batches:
    def read() -> Iterator[tuple[np.ndarray, Truth]]:
        for ids, relevance in reader.batches(size, clip_ids):
            require_finite(relevance, f"the maps of '{explainer}'")
            yield relevance, truth.read(ids)

    return read


def _with_truth(
    families: Mapping[str, Parameters], offers: frozenset[str], n_clips: int
) -> list[tuple[MetricEntry, Parameters]]:
    """Those metrics whose ground truth is known; the log names the others."""
    found: list[tuple[MetricEntry, Parameters]] = []
    left_out: dict[str, list[str]] = {}
    for name, settings in families.items():
        entry = LOCALISATION[name]
        lacking = [words for truth, words in _WORDS.items() if truth in entry.needs - offers]
        if lacking:
            left_out.setdefault(lacking[0], []).append(name)
        else:
            found.append((entry, settings))
    if left_out:
        # in one message: recordings without labels are the rule, not five surprises
        what = "; ".join(f"{', '.join(names)} (each needs {lacking})" for lacking, names in left_out.items())
        _log.warning("left out, since none of the %d clips has the truth for it: %s", n_clips, what)
    return found


def _run(
    entry: MetricEntry, explainer: str, relevance: np.ndarray, truth: Truth, settings: Parameters
) -> Iterator[Block]:
    if entry.pooled:
        return _run_pooled(entry, explainer, lambda: iter([(relevance, truth)]), settings, len(relevance))
    of_clips: Localisation = entry.load()
    return _defined(of_clips(relevance, truth, settings), explainer, len(relevance))


def _run_pooled(
    entry: MetricEntry, explainer: str, batches: Batches, settings: Parameters, n_clips: int
) -> Iterator[Block]:
    of_set: Pooled = entry.load()
    return _defined(of_set(batches, settings), explainer, n_clips)


def _defined(blocks: Measured, explainer: str, n_clips: int) -> Iterator[Block]:
    """Yield the blocks of one family for one explainer and log what was undefined."""
    undefined: Counter[str] = Counter()
    for block in blocks:
        if isinstance(block, Unmeasured):
            _log.warning("%s of %s left out: %s", block.metric, explainer, block.why.reason)
            continue
        undefined[block.metric] = max(undefined[block.metric], int(np.isnan(block.value).sum()))
        yield block._replace(explainer=explainer)
    for metric, count in undefined.items():
        if count:
            _log.warning("%s of %s: undefined for %d of %d clips", metric, explainer, count, n_clips)


def _check(explainer: str, relevance: np.ndarray, n_clips: int, truth: Truth) -> None:
    expected = {"clip_ids": n_clips, "truth.events": len(truth.events)}
    shape = None if truth.masks is None else truth.masks.shape
    if (
        relevance.ndim != 3
        or set(expected.values()) != {len(relevance)}
        or shape not in (None, relevance.shape)
    ):
        raise DataError(
            f"maps of '{explainer}' [n_clips, n_freq, n_frames] that match clips and truth",
            f"maps {relevance.shape}, masks {shape}, {expected}",
            "select and order the maps by the clip ids of the truth",
        )
    require_finite(relevance, f"the maps of '{explainer}'")
    constant = int((relevance.max(axis=(1, 2)) == relevance.min(axis=(1, 2))).sum())
    if constant:
        _log.warning("%s: %d of %d maps are constant and mark at random", explainer, constant, n_clips)
