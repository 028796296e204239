"""AU-PRO as rows, with what stands behind it."""

from __future__ import annotations

import numpy as np

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.aupro_parts import clip_influences, false_positive_shares, region_counts
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.localisation.region_overlap import aupro
from soundproof.localisation.registry import INFLUENCE
from soundproof.localisation.settings import AuproSettings
from soundproof.storage.measurements import UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: AuproSettings) -> Measured:
    """AU-PRO of the set and what stands behind it; its parameter is the integration limit.

    ``aupro_false_positives`` says which part of the false positives lies where (chance beside it), and
    ``aupro_regions`` how many regions count; its parameter is the size of the smallest that does.
    """
    masks, limit = truth.cells(), settings.limit
    value = aupro(maps, masks, limit, settings.connectivity, settings.min_cells)
    if isinstance(value, Undefined):
        yield Unmeasured("aupro", value)
        return
    yield Block("aupro", "", limit, value)
    yield Block("aupro", UNIFORM, limit, limit / 2)
    influences = clip_influences(maps, masks, value, limit, settings.connectivity, settings.min_cells)
    if not isinstance(influences, Undefined):
        yield Block("aupro", INFLUENCE, limit, influences)
        yield Block("aupro", UNIFORM, limit, np.full(len(maps), limit / 2))
    for place, (share, chance) in false_positive_shares(maps, masks, limit).items():
        yield Block("aupro_false_positives", place, limit, share)
        yield Block("aupro_false_positives", f"{UNIFORM}_{place}", limit, chance)
    counts = region_counts(masks, settings.connectivity, settings.min_cells)
    for protocol, count in zip(("counted", "ignored"), counts, strict=True):
        yield Block("aupro_regions", protocol, float(settings.min_cells), float(count))
