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
from soundproof.interfaces.metric import MetricEntry, Undefined
from soundproof.localisation.families import Block
from soundproof.localisation.registry import LOCALISATION
from soundproof.truth.ground_truth import Truth, require_finite

__all__ = ["Truth", "measure_localisation"]

COLUMNS = ["explainer", "metric", "protocol", "parameter", "clip_id", "value"]
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
        Columns explainer, metric, protocol, parameter (null where there is none), clip_id (null for values of
        the whole set) and value. Protocols ``chance_uniform`` and ``chance_circular_shift`` are the chance
        lines; segment F1 is measured as ``corrected`` and ``as_published`` (with chance lines of its own, whose
        names end so), beside ``flag_all``; elsewhere the protocol is empty, but see
        :mod:`soundproof.localisation.aupro_parts`.

    Raises:
        ConfigError: Unknown family.
        DataError: Shapes differ, a map holds NaN or infinity, or an event lies outside its clip.
    """
    for explainer, relevance in maps.items():
        _check(explainer, relevance, len(clip_ids), truth)
    truth = replace(truth, clip_ids=tuple(clip_ids))
    measured: list[tuple[str, Block]] = []
    left_out: dict[str, list[str]] = {}
    for name, settings in families.items():
        entry = LOCALISATION[name]
        if lacking := _lacking(entry, truth):
            left_out.setdefault(lacking, []).append(name)
            continue
        for explainer, relevance in maps.items():
            blocks = _defined(entry, relevance, truth, settings, explainer)
            measured.extend((explainer, block) for block in blocks)
    if left_out:
        # in one message: recordings without labels are the rule, not five surprises
        what = "; ".join(f"{', '.join(names)} (each needs {lacking})" for lacking, names in left_out.items())
        _log.warning("left out, since none of the %d clips has the truth for it: %s", len(clip_ids), what)
    return _rows(measured, clip_ids) if measured else _no_rows()


def _defined(
    entry: MetricEntry, relevance: np.ndarray, truth: Truth, settings: Parameters, explainer: str
) -> Iterator[Block]:
    """Yield the blocks of one family for one explainer and log what was undefined."""
    undefined: Counter[str] = Counter()
    blocks: Iterator[Block] = entry.load()(relevance, truth, settings)
    for block in blocks:
        if isinstance(block.value, Undefined):
            _log.warning("%s of %s left out: %s", block.metric, explainer, block.value.reason)
            continue
        undefined[block.metric] = max(undefined[block.metric], int(np.isnan(block.value).sum()))
        yield block
    for metric, count in undefined.items():
        if count:
            _log.warning("%s of %s: undefined for %d of %d clips", metric, explainer, count, len(relevance))


def _rows(measured: Sequence[tuple[str, Block]], clip_ids: Sequence[str]) -> pd.DataFrame:
    """One row per defined value; all blocks at once, since making a frame costs more than most metrics do."""
    values = [np.asarray(block.value, dtype=np.float64).reshape(-1) for _, block in measured]
    block_of = np.repeat(np.arange(len(measured)), [len(of_block) for of_block in values])
    ids: list[str | None] = []
    for _, block in measured:
        ids += clip_ids if isinstance(block.value, np.ndarray) else [None]
    parameters = [np.nan if block.parameter is None else block.parameter for _, block in measured]
    frame = pd.DataFrame(
        {
            "explainer": pd.array([explainer for explainer, _ in measured], dtype="str").take(block_of),
            "metric": pd.array([block.metric for _, block in measured], dtype="str").take(block_of),
            "protocol": pd.array([block.protocol for _, block in measured], dtype="str").take(block_of),
            "parameter": np.array(parameters, dtype=np.float64)[block_of],
            "clip_id": pd.array(ids, dtype="str"),
            "value": np.concatenate(values),
        }
    )
    return frame.dropna(subset=["value"], ignore_index=True)[COLUMNS]


def _no_rows() -> pd.DataFrame:
    types = {column: "float64" if column in ("parameter", "value") else "str" for column in COLUMNS}
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in types.items()})


def _lacking(entry: MetricEntry, truth: Truth) -> str | None:
    """Name the ground truth that the metric needs and no clip has."""
    if "events" in entry.needs and not truth.with_events().any():
        return "an event"
    if "masks" in entry.needs and truth.masks is None:
        return "a mask"
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
