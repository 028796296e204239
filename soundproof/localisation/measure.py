"""Run the localisation metrics of a study on the maps of all its explainers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.interfaces.metric import MetricEntry
from soundproof.localisation.measured import Localisation, Unmeasured
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.measurements import Block, rows_of
from soundproof.truth.ground_truth import Truth, require_finite

__all__ = ["Truth", "measure_localisation"]

_log = logging.getLogger(__name__)


def measure_localisation(
    maps: Mapping[str, np.ndarray],
    clip_ids: Sequence[str],
    truth: Truth,
    families: Mapping[str, Parameters],
) -> pd.DataFrame:
    """Measure how well each explainer's maps find the faults.

    The caller passes anomalous clips only. Maps enter signed: high = anomalous. A family whose ground truth
    the data set lacks, and a clip for which a metric is undefined, give no row; the log says how many.

    Args:
        maps: For each explainer its relevance [n_clips, n_freq, n_frames].
        clip_ids: [n_clips], in the order of the maps.
        truth: Where the faults are, in the order of the maps.
        families: Names of :data:`LOCALISATION` with their validated settings.

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
    measured: list[Block] = []
    left_out: dict[str, list[str]] = {}
    for name, settings in families.items():
        entry = LOCALISATION[name]
        if lacking := _lacking(entry, truth):
            left_out.setdefault(lacking, []).append(name)
            continue
        for explainer, relevance in maps.items():
            blocks = _defined(entry, relevance, truth, settings, explainer)
            measured.extend(block._replace(explainer=explainer) for block in blocks)
    if left_out:
        # in one message: recordings without labels are the rule, not five surprises
        what = "; ".join(f"{', '.join(names)} (each needs {lacking})" for lacking, names in left_out.items())
        _log.warning("left out, since none of the %d clips has the truth for it: %s", len(clip_ids), what)
    return rows_of(measured, clip_ids).dropna(subset=["value"], ignore_index=True)


def _defined(
    entry: MetricEntry, relevance: np.ndarray, truth: Truth, settings: Parameters, explainer: str
) -> Iterator[Block]:
    """Yield the blocks of one family for one explainer and log what was undefined."""
    undefined: Counter[str] = Counter()
    measure: Localisation = entry.load()
    for block in measure(relevance, truth, settings):
        if isinstance(block, Unmeasured):
            _log.warning("%s of %s left out: %s", block.metric, explainer, block.why.reason)
            continue
        undefined[block.metric] = max(undefined[block.metric], int(np.isnan(block.value).sum()))
        yield block
    for metric, count in undefined.items():
        if count:
            _log.warning("%s of %s: undefined for %d of %d clips", metric, explainer, count, len(relevance))


def _lacking(entry: MetricEntry, truth: Truth) -> str | None:
    """Name the ground truth that the metric needs and no clip has."""
    if "events" in entry.needs and not truth.with_events().any():
        return "an event"
    if "masks" in entry.needs and truth.masks is None:
        return "a mask"
    if "stems" in entry.needs and not truth.with_stems():
        return "the stems of its sound"
    return None


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
