"""What can be seen from a list of clips, before an hour is spent on their features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from soundproof.clips.notes import Note, count, listed
from soundproof.clips.selection import clips_to_explain, part_of
from soundproof.core.errors import DataError
from soundproof.faithfulness.bands import band_of_bins
from soundproof.features.rates import band_centres_hz, fit_to_rates, n_filled_bands, occupied_hz
from soundproof.features.recipes import FeatureSettings


def refuse_unfit(clips: pd.DataFrame, demands: Mapping[str, Any]) -> None:
    """Refuse clips that a later stage would refuse.

    Args:
        clips: The ``clips`` table; its ``attrs`` may say which recording the clips' length is that of.
        demands: As from :func:`soundproof.config.demands.demands_of`.

    Raises:
        DataError: Too few normal training clips, clips too short for the recipe or a detector, clips that would
            give maps of different length, or none to explain.
        ConfigError: More bands to remove than the maps have, or one without a frequency.
    """
    for part in demands["parts"]:
        rows = part_of(clips, part)
        _check_normals(rows, part, demands)
        clips_to_explain(rows, demands["explain"]["clips"], demands["explain"]["per_machine"])
    heard = _heard(clips, demands)
    if heard is not None:
        settings, n_bands = heard
        n_frames = _check_lengths(clips, settings.model_dump())
        _check_sides(n_frames, n_bands, settings, clips, demands)
        for scale, number in demands["bands"]:
            band_of_bins(band_centres_hz(settings)[:n_bands], scale, number)


def _heard(clips: pd.DataFrame, demands: Mapping[str, Any]) -> tuple[FeatureSettings, int] | None:
    """The recipe as it is for recordings of these rates, and its number of bands; None where it cannot be told."""
    if demands["features"] is None:
        return None
    rates = _rates(clips)
    settings = fit_to_rates(FeatureSettings(**demands["features"]), rates)
    if settings.sample_rate_hz is None:
        return None
    return settings, n_filled_bands(settings, occupied_hz(settings, rates))


def _rates(clips: pd.DataFrame) -> list[int]:
    return [int(rate) for rate in clips["sample_rate_hz"].dropna().unique()]


def _check_normals(rows: pd.DataFrame, part: str, demands: Mapping[str, Any]) -> None:
    n_normal = int(((rows["split"] == "train") & (rows["label"] == "normal")).sum())
    least = demands["least_normal"]
    if n_normal < least:
        of = "" if part == "all" else f" of machine '{part}'"
        needed = f" (for {', '.join(demands['validated'])})" if demands["validated"] else ""
        remedy = "record more normal clips, or cut long ones to shorter pieces ('segment_seconds')"
        raise DataError(f"at least {count(least, 'normal training clip')}{of}{needed}", f"{n_normal}", remedy)


def _check_lengths(clips: pd.DataFrame, features: Mapping[str, Any]) -> int | None:
    """Number of frames of all maps; None where the list does not tell."""
    known = clips.dropna(subset=["sample_rate_hz", "n_samples"])
    rate_hz, window = features["sample_rate_hz"], features["window_length"]
    frames: dict[int, str] = {}
    for clip_id, own_hz, own_samples in zip(
        known["clip_id"], known["sample_rate_hz"], known["n_samples"], strict=True
    ):
        n_samples = resampled_length(int(own_samples), int(own_hz), rate_hz)
        if n_samples < window:
            shortest = clips.attrs.get("length_from", "")
            why = f"; all clips have the length of '{shortest}'" if shortest else ""
            remedy = "leave short clips out, or choose a recipe with a shorter window"
            raise DataError(
                f"clips of at least one window of recipe '{features['recipe']}' ({window} samples at {rate_hz} Hz)",
                f"clip '{clip_id}' of {own_samples} samples at {own_hz} Hz ({own_samples / own_hz:g} s){why}",
                f"remove '{shortest}'; or {remedy}" if shortest else remedy,
            )
        frames.setdefault(_n_frames(n_samples, features), str(clip_id))
    if len(frames) > 1:
        (few, first), *_, (many, last) = sorted(frames.items())
        raise DataError(
            "clips of one length",
            f"maps of {few} frames ('{first}') and of {many} ('{last}')",
            "cut all clips to one length (recordings: 'segment_seconds')",
        )
    return next(iter(frames), None)


def resampled_length(n_samples: int, from_hz: int, to_hz: int) -> int:
    """Number of samples after resampling (libsoxr: rounded, halves up)."""
    return (2 * n_samples * to_hz + from_hz) // (2 * from_hz)


def _n_frames(n_samples: int, features: Mapping[str, Any]) -> int:
    """Frames of the map: one about each hop, cropped to a multiple where that leaves any."""
    frames = 1 + n_samples // int(features["hop_length"])
    return frames - frames % int(features["frames_multiple"]) or frames


def _check_sides(
    n_frames: int | None,
    n_bands: int,
    settings: FeatureSettings,
    clips: pd.DataFrame,
    demands: Mapping[str, Any],
) -> None:
    if n_frames is None:
        return
    for label, least in demands["least_side"].items():
        if min(n_frames, n_bands) < least:
            seconds = least / settings.frames_per_second
            shortest = clips.attrs.get("length_from", "")
            why = f" (all clips have the length of '{shortest}')" if shortest else ""
            raise DataError(
                f"maps of at least {least} bands x {least} frames, for detector '{label}'",
                f"{n_bands} bands x {n_frames} frames{why}",
                f"give clips of {seconds:g} s or more, more bands, or leave that detector out",
            )


def beyond_the_frames(clips: pd.DataFrame, demands: Mapping[str, Any]) -> list[Note]:
    """Note clips all of whose events lie in the frames that the features crop at the end."""
    heard = _heard(clips, demands)
    if heard is None:
        return []
    features = heard[0].model_dump()
    rate_hz, hop = features["sample_rate_hz"], features["hop_length"]
    found = []
    known = clips.dropna(subset=["sample_rate_hz", "n_samples", "events"])
    columns = (known[name].tolist() for name in ("clip_id", "sample_rate_hz", "n_samples", "events"))
    for clip_id, own_hz, own_samples, events in zip(*columns, strict=True):
        frames = _n_frames(resampled_length(int(own_samples), int(own_hz), rate_hz), features)
        if len(events) and all(event["onset_s"] >= frames * hop / rate_hz for event in events):
            found.append(str(clip_id))
    if not found:
        return []
    text = (
        f"of {count(len(found), 'clip')} ({listed(found)}) lie in the last frames, which are cropped to a "
        f"multiple of {features['frames_multiple']}: set 'features: {{frames_multiple: 1}}', or longer clips"
    )
    return [Note("caution", "Events in cropped frames", text)]
