"""AU-PRO as rows, with what stands behind it."""

from __future__ import annotations

import numpy as np

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.aupro_parts import clip_influences, false_positive_shares, region_counts
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.localisation.pooled import ENERGY
from soundproof.localisation.region_overlap import aupro
from soundproof.localisation.registry import INFLUENCE
from soundproof.localisation.settings import AuproSettings
from soundproof.storage.measurements import UNIFORM, Block
from soundproof.truth.energy_rule import energy_mask
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: AuproSettings) -> Measured:
    """AU-PRO of the set and what stands behind it; its parameter is the integration limit.

    By exact masks (no protocol), and, where maps of the events alone are known, since another metric of the study
    asks for them, by P2's rule on these (``energy_rule``: as published, arXiv 2502.18328). Of the exact masks
    ``aupro_false_positives`` says which part of the false positives lies where (chance beside it), and
    ``aupro_regions`` how many regions count; its parameter is the size of the smallest that does.
    """
    masks, limit = truth.cells(), settings.limit
    value = _area(maps, masks, settings)
    yield from _with_spread(value, maps, masks, settings, "")
    if truth.event_maps is not None:
        loud = energy_mask(truth.event_maps)
        yield from _with_spread(_area(maps, loud, settings), maps, loud, settings, ENERGY)
    if isinstance(value, Undefined):
        return
    for place, (share, chance) in false_positive_shares(maps, masks, limit).items():
        yield Block("aupro_false_positives", place, limit, share)
        yield Block("aupro_false_positives", f"{UNIFORM}_{place}", limit, chance)
    counts = region_counts(masks, settings.connectivity, settings.min_cells)
    for protocol, count in zip(("counted", "ignored"), counts, strict=True):
        yield Block("aupro_regions", protocol, float(settings.min_cells), float(count))


def _area(maps: np.ndarray, masks: np.ndarray, settings: AuproSettings) -> float | Undefined:
    return aupro(maps, masks, settings.limit, settings.connectivity, settings.min_cells)


def _with_spread(
    value: float | Undefined, maps: np.ndarray, masks: np.ndarray, settings: AuproSettings, protocol: str
) -> Measured:
    """The area, its chance, and how much each clip weighs in it."""
    limit, end = settings.limit, f"_{protocol}" if protocol else ""
    if isinstance(value, Undefined):
        yield Unmeasured("aupro", value)
        return
    yield Block("aupro", protocol, limit, value)
    yield Block("aupro", f"{UNIFORM}{end}", limit, limit / 2)
    influences = clip_influences(maps, masks, value, limit, settings.connectivity, settings.min_cells)
    if not isinstance(influences, Undefined):
        yield Block("aupro", f"{INFLUENCE}{end}", limit, influences)
        yield Block("aupro", f"{UNIFORM}{end}", limit, np.full(len(maps), limit / 2))
