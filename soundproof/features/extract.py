"""Stream a data set's clips into tables of maps and masks, in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from soundproof.audio.mixing import fault_mask
from soundproof.core.errors import DataError
from soundproof.features.gains import gains_of_individuals
from soundproof.features.level import LEVEL, level_dbfs
from soundproof.features.rates import fit_to_rates, occupied_hz
from soundproof.features.recipes import FeatureSettings
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.features.standardise import standardised
from soundproof.interfaces.dataset import AudioDataset, Dataset, SpectrogramDataset
from soundproof.storage.maps import Axes, MapWriter
from soundproof.storage.provenance import Provenance

logger = logging.getLogger(__name__)
Map = tuple[str, np.ndarray, np.ndarray | None, float | None]
"""Clip id, map [n_freq, n_frames], fault mask [n_freq, n_frames] or None, level in dBFS or None."""


def extract_features(
    dataset: Dataset,
    clips: pd.DataFrame,
    settings: FeatureSettings,
    features: Path,
    masks: Path,
    provenance: Provenance,
    rates_hz: Collection[int] = (),
    on_clip: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the maps of ``clips``, and the exact masks of the anomalous ones where there are stems.

    Args:
        dataset: Where the clips come from.
        clips: Their rows of the ``clips`` table; the order is kept.
        settings: Recipe.
        features: Output, one map per clip, and its level before any normalisation (``level_dbfs``; null where
            the data set ships no sound).
        masks: Output, uint8 maps of the anomalous clips; without a row where the data set has no stems.
        provenance: Record for both.
        rates_hz: Sampling rates of all recordings of the study, which bound the bands that all of them fill;
            none: unknown.
        on_clip: Called after each clip with the number of clips done.

    Raises:
        DataError: A clip is unreadable, too short, not finite, or of another length than the first.
    """
    maker = _maker(dataset, settings, rates_hz)
    stream = _maps(dataset, clips, settings, maker)
    first = next(stream, None)
    if first is None:
        raise DataError("clips to extract features from", "none", "check the data set's folder and settings")
    axes = _axes(dataset, maker, first[1].shape)
    train = set(clips.loc[clips["split"] == "train", "clip_id"])

    levels: dict[str, float | None] = {}
    mask_writer = MapWriter(masks, axes.with_unit("fault"), provenance, "uint8")
    writer = MapWriter(features, standardised_axes(axes, settings), provenance, number=LEVEL)
    with mask_writer, writer:
        checked = _checked(chain([first], stream), axes, mask_writer, levels, on_clip)
        maps = (
            checked
            if settings.standardise == "none"
            else standardised(checked, train, features, writer.note_scaling)
        )
        for clip_id, values in maps:
            writer.append([clip_id], values[None], [levels[clip_id]])


def _checked(
    maps: Iterator[Map],
    axes: Axes,
    masks: MapWriter,
    levels: dict[str, float | None],
    on_clip: Callable[[int], None],
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield maps after checking them; masks are written and levels noted on the way."""
    for done, (clip_id, values, mask, level) in enumerate(maps, start=1):
        _check(clip_id, values, axes)
        levels[clip_id] = level
        if mask is not None:
            masks.append([clip_id], mask[None])
        on_clip(done)
        yield clip_id, values


def standardised_axes(axes: Axes, settings: FeatureSettings) -> Axes:
    """Axes with the unit that standardised values have."""
    return (
        axes if settings.standardise == "none" else axes.with_unit("standard deviations from the band's mean")
    )


def _maker(dataset: Dataset, settings: FeatureSettings, rates_hz: Collection[int]) -> SpectrogramMaker | None:
    """What makes maps of sound; None where they come ready-made."""
    if isinstance(dataset, SpectrogramDataset):
        return None
    fitted = fit_to_rates(settings, rates_hz)
    maker = SpectrogramMaker(fitted, occupied_hz(settings, rates_hz))
    highest_hz = maker.frequencies_hz[-1]
    if maker.n_left_out:
        logger.warning(
            "%d bands above %.0f Hz are left out: recordings sampled at %d Hz hold nothing there",
            *(maker.n_left_out, highest_hz, min(rates_hz)),
        )
    elif rates_hz and min(rates_hz) > fitted.rate_hz and settings.high_hz is None:
        logger.warning(
            "the recordings reach up to %.0f Hz, recipe '%s' hears up to %.0f Hz: recipe 'machine' takes all of it",
            *(min(rates_hz) / 2, settings.recipe, fitted.rate_hz / 2),
        )
    return maker


def _maps(
    dataset: Dataset, clips: pd.DataFrame, settings: FeatureSettings, maker: SpectrogramMaker | None
) -> Iterator[Map]:
    if isinstance(dataset, SpectrogramDataset):
        for clip_id in clips["clip_id"]:
            values = dataset.read(clip_id)
            kept = values.shape[1] - values.shape[1] % settings.frames_multiple
            yield clip_id, values[:, : kept or values.shape[1]], None, None
        return
    if not isinstance(dataset, AudioDataset) or maker is None:
        raise TypeError(f"{type(dataset).__name__} offers neither audio nor spectrograms")
    gains = gains_of_individuals(dataset, clips) if settings.level == "individual" else {}
    for clip_id, label in zip(clips["clip_id"], clips["label"], strict=True):
        audio = dataset.read(clip_id)
        try:
            samples = torch.from_numpy(audio.samples)
            values = maker.map(samples, audio.rate_hz, gains.get(clip_id, 1.0)).numpy()
        except DataError as error:
            raise DataError(f"clip '{clip_id}': {error.asked}", error.found, error.remedy) from error
        mask = _mask(dataset, clip_id, maker) if label == "anomaly" else None
        yield clip_id, values, mask, level_dbfs(audio.samples)


def _mask(dataset: AudioDataset, clip_id: str, maker: SpectrogramMaker) -> np.ndarray | None:
    stems = dataset.stems(clip_id)
    if stems is None:
        return None
    sounds = torch.from_numpy(np.stack([stems.normal, stems.fault, stems.normal + stems.fault]))
    normal, fault, mixture = maker.power(sounds, stems.rate_hz).numpy()
    return fault_mask(normal, fault, mixture, maker.settings.mask_fraction)


def _axes(dataset: Dataset, maker: SpectrogramMaker | None, shape: tuple[int, ...]) -> Axes:
    if maker is not None:
        return maker.axes(shape[1], maker.unit)
    if not isinstance(dataset, SpectrogramDataset):
        raise TypeError(f"{type(dataset).__name__} offers neither audio nor spectrograms")
    frequencies = tuple(float(hz) for hz in dataset.frequencies_hz)
    return Axes(frequencies, dataset.frames_per_second, shape[1], "as shipped")


def _check(clip_id: str, values: np.ndarray, axes: Axes) -> None:
    if values.shape != axes.shape:
        raise DataError(
            f"clip '{clip_id}': {axes.shape[1]} frames x {axes.shape[0]} bands as the first clip",
            f"{values.shape[1]} frames x {values.shape[0]} bands",
            "cut all clips to one length (recordings: 'segment_seconds')",
        )
    if not np.isfinite(values).all():
        raise DataError(
            f"clip '{clip_id}': finite values", "NaN or infinity", "inspect or leave out that clip"
        )
    if values.min() == values.max():
        raise DataError(
            f"clip '{clip_id}': a map that varies", f"{values.min():g} everywhere", "leave that clip out"
        )
