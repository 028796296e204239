"""Frequency-band removal: do the bands that a map marks move the score most when they go?

Source: Buck et al. 2026, arXiv 2601.19017 (P3). For bands k = 1..K of the frequency axis (1 = lowest),

* R_k = mean relevance inside band k, of the map taken non-negative and normalised to sum 1;
* D_k = f(x) - f(x without band k), the effect; the paper takes its absolute value.

Per clip, rho is Spearman's correlation of (R_k) and (D_k). The ``signed`` variant keeps the signs, since removing a
band can raise the score, which the absolute value counts as if the band had carried it. There, R_k is the mean of
the relevance as it came (normalised by its sum of absolute values): a map that marks such a band as lowering the
score is right, and only its own sign says so. For maps without negative values the two R_k are the same. The rows
``band_relevance`` hold the non-negative one.

R_k is a density and D_k belongs to the whole band: on bands with very different numbers of bins (linear bands on a
mel axis, octaves on a linear one) a map of even density cannot follow the effect. Bands of equal numbers of bins
are free of that.

Replacing by zero is what Occlusion does, window by window: its maps share a mechanism with D_k. A rho with
another replacement tells how much of its lead that explains.

Effects are measured once per clip and shared by all explainers. Differences of scores below one part in a million
of the score, and of relevance below 1e-9 of the map's mean, are rounding and count as ties. A constant R or D has
no ranks: rho is then undefined, the clip gets no row and is counted in the log.

Where the frequency band of the clip's events is known, ``band_share_true`` is the part of the relevance inside it,
over all time; its chance is the part of the bins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.faithfulness.band_settings import BandProtocol, BandRemovalSettings, RelevancePolicy
from soundproof.faithfulness.bands import bins_within
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.without_bands import partitions, scores_without_bands
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import CHANCE, FaithfulnessContext, long_rows, typed
from soundproof.statistics.spearman import spearman_rows

_LOG = logging.getLogger(__name__)
_SCORE_RESOLUTION = 1e-6
_RELEVANCE_DECIMALS = 9


def band_removal(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext
) -> pd.DataFrame:
    """Compare relevance and effect of frequency bands.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings :class:`BandRemovalSettings`, frequencies of the rows, known bands of events, pass size.

    Returns:
        Metrics ``band_relevance`` (R_k; parameter k), ``band_effect`` (D_k; parameter k, no explainer),
        ``band_rho`` (parameter K) and ``band_share_true``. For the protocol see
        :class:`soundproof.faithfulness.band_settings.BandProtocol`.

    Raises:
        ConfigError: More bands than bins, or a band without a bin.
        DataError: The context does not tell the frequencies of the rows.
    """
    settings = cast(BandRemovalSettings, context.settings)
    frequencies = _frequencies(context, x)
    of_bin = partitions(frequencies, settings)
    intact, without = scores_without_bands(detector, x, of_bin, settings.removals, context.rows_per_pass)
    shares = np.stack([frequency_shares(relevance, settings.relevance) for relevance in maps.values()])
    net = np.stack([frequency_shares(relevance, "signed") for relevance in maps.values()])
    parts = [_true_band_rows(shares, frequencies, list(maps), context)]
    for count, bands in of_bin.items():
        relevance = _band_means(shares, bands, count) / x.shape[-1]
        by_variant = {"absolute": relevance, "signed": _band_means(net, bands, count) / x.shape[-1]}
        parts.append(_rows(relevance, "band_relevance", BandProtocol(settings.scale, count), maps, context))
        effects = effect_of(intact, without[count])
        for (index, removal), variant in product(enumerate(settings.removals), ("absolute", "signed")):
            protocol = BandProtocol(settings.scale, count, removal, variant)
            effect = np.abs(effects[index]) if variant == "absolute" else effects[index]
            parts.append(_rows(effect[:, None], "band_effect", protocol, [None], context))
            rho = _rho(by_variant[variant] * x[0].numel(), effect)
            _warn(np.isnan(rho), f"rho of {protocol}", "whose relevance or effect is the same in all bands")
            parts.append(_rows(rho[None], "band_rho", protocol, maps, context, [float(count)]))
    return pd.concat(parts, ignore_index=True)


def frequency_shares(relevance: Tensor, policy: RelevancePolicy | Literal["signed"]) -> np.ndarray:
    """Part of the relevance in each row.

    Args:
        relevance: Maps [B, n_freq, n_frames].
        policy: Absolute values, positive values, or values as they are, as parts of their absolute sum.

    Returns:
        float64 [B, n_freq], absolute sum at most 1 (``signed``) or sum 1; NaN where there is no relevance.
    """
    values = relevance.double()
    if policy == "positive":
        values = values.clamp(min=0)
    elif policy == "absolute":
        values = values.abs()
    rows, total = values.sum(dim=-1), values.abs().sum(dim=(1, 2))[:, None]
    return np.asarray((rows / torch.where(total > 0, total, torch.nan)).cpu().numpy())


def effect_of(intact: Tensor, without: Tensor) -> np.ndarray:
    """D = f(x) - f(x without the band), rounded to the resolution of the scores.

    Args:
        intact: Scores [B].
        without: Scores [n_removals, K, B].

    Returns:
        float64 [n_removals, K, B].
    """
    step = _SCORE_RESOLUTION * torch.maximum(intact.abs(), without.abs().amax(dim=(0, 1)))
    step = torch.where(step > 0, step, torch.ones_like(step))
    return np.asarray((((intact - without) / step).round() * step).cpu().numpy())


def _frequencies(context: FaithfulnessContext, x: Tensor) -> np.ndarray:
    if context.frequencies_hz is None or len(context.frequencies_hz) != x.shape[1]:
        found = "none" if context.frequencies_hz is None else f"{len(context.frequencies_hz)} of them"
        raise DataError(f"the frequencies of the {x.shape[1]} rows", found, "read them off the features file")
    return np.asarray(context.frequencies_hz, dtype=np.float64)


def _band_means(shares: np.ndarray, of_bin: np.ndarray, count: int) -> np.ndarray:
    """Mean over the bins of each band, [..., n_freq] -> [count, ...]."""
    return np.stack([shares[..., of_bin == band].mean(axis=-1) for band in range(count)])


def _rho(density: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Rank correlation over bands of density [K, E, B] and effect [K, B]: [E, B], NaN where undefined."""
    known = np.isfinite(density).all(axis=0)
    ranked = np.where(known, density, 0.0).round(_RELEVANCE_DECIMALS)
    rho = spearman_rows(np.moveaxis(ranked, 0, -1), np.moveaxis(effect, 0, -1)[None])
    return np.where(known, rho, np.nan)


def _true_band_rows(
    shares: np.ndarray, frequencies: np.ndarray, explainers: list[str], context: FaithfulnessContext
) -> pd.DataFrame:
    bands = context.event_bands or [None] * len(context.clip_ids)
    inside = np.stack([bins_within(frequencies, known or ()) for known in bands])
    missed = np.array([bool(known) for known in bands]) & ~inside.any(axis=1)
    _warn(missed, "band_share_true", "whose event's band holds no bin")
    values = np.where(inside.any(axis=1), (shares * inside).sum(axis=-1), np.nan)
    chance = np.where(inside.any(axis=1), inside.mean(axis=1), np.nan)
    return pd.concat(
        [
            _rows(values[None], "band_share_true", None, explainers, context, [None]),
            _rows(chance[None, None], "band_share_true", CHANCE, [RANDOM_CELLS], context, [None]),
        ],
        ignore_index=True,
    )


def _rows(
    values: np.ndarray,
    metric: str,
    protocol: BandProtocol | str | None,
    explainers: Mapping[str, Tensor] | Sequence[str | None],
    context: FaithfulnessContext,
    parameters: Sequence[float | None] | None = None,
) -> pd.DataFrame:
    """Rows of values [n_parameters, n_explainers, n_clips] that are defined; bands count from 1."""
    frame = long_rows(
        torch.from_numpy(values),
        metric=metric,
        protocol=None if protocol is None else str(protocol),
        explainers=list(explainers),
        parameters=[float(k + 1) for k in range(len(values))] if parameters is None else parameters,
        clip_ids=context.clip_ids,
    )
    return typed(frame.dropna(subset=["value"]))


def _warn(undefined: np.ndarray, what: str, why: str) -> None:
    if undefined.any():
        _LOG.warning("%s: left out %d of %d values, %s", what, undefined.sum(), undefined.size, why)
