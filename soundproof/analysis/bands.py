"""Numbers of frequency-band removal as tables and figures need them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.band_settings import BandProtocol
from soundproof.faithfulness.bands import Band, band_edges_hz, band_of_bins
from soundproof.statistics import fisher_z_mean, spearman_limit
from soundproof.statistics.rank_null import spearman_null
from soundproof.statistics.recordings import recordings_among

PARTS = list(BandProtocol._fields)
"""Columns that the ``protocol`` of a band row is split into."""
LEVEL = 0.95


def band_rows(results: StudyResults, metric: str) -> pd.DataFrame:
    """Rows of a band metric with their protocol split into scale, n_bands, removal and variant."""
    rows = results.of_metric(metric)
    parsed = {name: BandProtocol.parse(name) for name in rows["protocol"].unique()}
    of_row = [parsed[name] for name in rows["protocol"]]
    split = pd.DataFrame(of_row, columns=PARTS, index=rows.index)
    return pd.concat([rows.fillna({"machine": ""}), split], axis=1)


def finest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the partition with the most bands; of several scales, the one that comes first in :func:`in_order`."""
    most = rows[rows["n_bands"].eq(rows["n_bands"].max())]
    return most[most["scale"].eq(in_order(most["scale"])[0])] if len(most) else most


def published_rho(results: StudyResults) -> pd.DataFrame:
    """Rows of rho with effects by size, as published, at the partition with the most bands."""
    rows = band_rows(results, "band_rho")
    return finest(rows[rows["variant"].eq("absolute")])


def quality_rho(results: StudyResults) -> pd.DataFrame:
    """Rows of rho that stand for the bands beside other criteria: the block that favours none by construction.

    The partition with the most bands; with signs where they were kept; replaced by the clip's own median where that
    was measured, since zero is what Occlusion writes, else by what comes last in :func:`in_order`.
    """
    rows = finest(band_rows(results, "band_rho"))
    for name, first_choice in (("variant", "signed"), ("removal", "clip_median_spectrum")):
        if len(rows):
            present = in_order(rows[name])
            chosen = first_choice if first_choice in present else present[-1]
            rows = rows[rows[name].eq(chosen)]
    return rows


def edges_hz(results: StudyResults, scale: Any, n_bands: int) -> list[Band]:
    """(low_hz, high_hz) of each band, the lowest first; empty where the frequencies of the maps are unknown."""
    known = results.frequencies_hz
    return band_edges_hz(known, band_of_bins(known, scale, n_bands)) if len(known) else []


def in_order(values: Sequence[Any] | pd.Series) -> list[Any]:
    """Distinct scales, replacements or kinds of effect; what was published comes first."""
    known = ["linear", "mel", "octave", "zero", "band_mean", "clip_median_spectrum", "absolute", "signed"]
    return sorted(set(values), key=lambda value: known.index(value) if value in known else -1)


def rho_summary(rows: pd.DataFrame, by: Sequence[str], recordings: pd.Series | None) -> pd.DataFrame:
    """Fisher means of rho over clips, with what chance gives.

    Coefficients of several seeds are averaged within their clip first (on the z scale), since seeds share clips;
    the interval is over clips. Clips of one recording are no independent orders: chance is that of as many clips as
    there are recordings.

    Args:
        rows: ``band_rho`` rows of :func:`band_rows`.
        by: Columns that make a group; ``n_bands`` among them.
        recordings: Recording by clip id, where one gives several clips; None: clips are independent.

    Returns:
        ``by``, value, ci_low, ci_high, mean_rho (the plain mean), n_clips, n_seeds, n_clipped (coefficients moved
        to the limit), limit (1 - 6 / (K^3 - K)), null_low and null_high (95 % of what random orders give for the
        Fisher mean), null_one_clip (97.5 % of what they give for one clip) and p (of the plain mean).
    """
    out = []
    for key, part in groups(rows, by):
        n_bands = int(part["n_bands"].iloc[0])
        out.append(dict(zip(by, key, strict=True)) | _summary_of(part, n_bands, recordings))
    names = ["value", "ci_low", "ci_high", "mean_rho", "n_clips", "n_seeds", "n_clipped", "limit"]
    names += ["null_low", "null_high", "null_one_clip", "p"]
    return pd.DataFrame(out, columns=[*by, *names])


def _summary_of(part: pd.DataFrame, n_bands: int, recordings: pd.Series | None) -> dict[str, Any]:
    limit = spearman_limit(n_bands)
    rho = part["value"].to_numpy(np.float64)
    z = pd.Series(np.arctanh(np.clip(rho, -limit, limit)), index=part.index)
    of_clips = z.groupby(part["clip_id"]).mean()
    of = None if recordings is None else recordings.reindex(of_clips.index).to_numpy(dtype=str)
    mean = fisher_z_mean(np.tanh(of_clips.to_numpy()), limit, recordings=of)
    independent = recordings_among(mean.n, of)
    plain = float(part.groupby("clip_id")["value"].mean().mean())
    return {
        "value": mean.value,
        "ci_low": mean.low,
        "ci_high": mean.high,
        "mean_rho": plain,
        "n_clips": mean.n,
        "n_seeds": int(part["seed"].nunique()),
        "n_clipped": int((np.abs(rho) > limit).sum()),
        "limit": limit,
        **_chance(n_bands, independent),
        "p": spearman_null(n_bands).p_value_of_mean(plain, independent),
    }


@cache
def _chance(n_bands: int, n_clips: int) -> dict[str, float]:
    null, tail = spearman_null(n_bands), (1 - LEVEL) / 2
    return {
        "null_low": null.quantile_of_fisher_mean(tail, n_clips),
        "null_high": null.quantile_of_fisher_mean(1 - tail, n_clips),
        "null_one_clip": null.quantile(1 - tail),
    }
