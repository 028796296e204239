"""Stream a data set's clips into tables of maps and masks, in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from soundproof.audio.mixing import fault_mask
from soundproof.audio.sound import Stems
from soundproof.core.errors import DataError
from soundproof.features.gains import gains_of_individuals
from soundproof.features.level import LEVEL, level_dbfs
from soundproof.features.rates import fit_to_rates, occupied_hz
from soundproof.features.recipes import FeatureSettings
from soundproof.features.sound_layer import SoundForm
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.features.standardise import standardised
from soundproof.features.waiting_sounds import WaitingSounds
from soundproof.interfaces.dataset import AudioDataset, Dataset, SpectrogramDataset
from soundproof.storage.maps import Axes, MapWriter, Scaling
from soundproof.storage.provenance import Provenance

logger = logging.getLogger(__name__)
FEATURES, BACKGROUND = "features", "background"
Item = tuple[str, str]
"""Clip id, and which of its maps: :data:`FEATURES` or :data:`BACKGROUND`."""


class Parts(NamedTuple):
    """What stems say of a clip, each [n_freq, n_frames].

    Attributes:
        mask: Cells of the fault, bool.
        background: The map of the clip without its fault, at the level that it has in the clip.
        event: Level of the fault alone in dB, no lower than -100 dB.
    """

    mask: np.ndarray
    background: np.ndarray
    event: np.ndarray


class Map(NamedTuple):
    """A clip's map.

    Attributes:
        clip_id: The clip.
        cells: [n_freq, n_frames].
        parts: What its stems say, None without any.
        level: In dBFS, None without sound.
        sound: As the recipe hears it [n_samples], None without sound.
    """

    clip_id: str
    cells: np.ndarray
    parts: Parts | None
    level: float | None
    sound: np.ndarray | None = None


class StemFiles(NamedTuple):
    """Outputs beside masks, of anomalous clips with stems.

    Attributes:
        backgrounds: Maps of the clips without their faults, as the detector would see them.
        events: Levels of the faults alone in dB.
    """

    backgrounds: Path
    events: Path


def extract_features(
    dataset: Dataset,
    clips: pd.DataFrame,
    settings: FeatureSettings,
    features: Path,
    masks: Path,
    provenance: Provenance,
    rates_hz: Collection[int] = (),
    on_clip: Callable[[int], None] = lambda done: None,
    stems: StemFiles | None = None,
) -> None:
    """Write the maps of ``clips``, and what stems say of the anomalous ones where there are any.

    Args:
        dataset: Where the clips come from.
        clips: Their rows of the ``clips`` table; the order is kept.
        settings: Recipe.
        features: Output, one map per clip, and its level before any normalisation (``level_dbfs``; null where
            the data set ships no sound). With ``keep_sound``, the sound beside each map, and in the metadata how
            the maps follow from it (:class:`soundproof.features.sound_layer.SoundForm`).
        masks: Output, uint8 maps of the anomalous clips; without a row where the data set has no stems.
        provenance: Record for both.
        rates_hz: Sampling rates of all recordings of the study, which bound the bands that all of them fill;
            none: unknown.
        on_clip: Called after each clip with the number of clips done.
        stems: Further outputs, without a row where the data set has no stems; None: not written.

    Raises:
        DataError: A clip is unreadable, too short, not finite, or of another length than the first.
    """
    maker = _maker(dataset, settings, rates_hz)
    stream = _maps(dataset, clips, settings, maker)
    first = next(stream, None)
    if first is None:
        raise DataError("clips to extract features from", "none", "check the data set's folder and settings")
    axes = _axes(dataset, maker, first.cells.shape)
    train = set(clips.loc[clips["split"] == "train", "clip_id"])

    levels: dict[str, float | None] = {}
    final = standardised_axes(axes, settings)
    with ExitStack() as opened:
        mask_writer = opened.enter_context(MapWriter(masks, axes.with_unit("fault"), provenance, "uint8"))
        n_samples = len(first.sound) if settings.keep_sound and first.sound is not None else None
        writer = opened.enter_context(
            MapWriter(features, final, provenance, number=LEVEL, n_samples=n_samples)
        )
        sounds = None if n_samples is None else opened.enter_context(WaitingSounds(features, n_samples))
        background_writer = event_writer = None
        if stems is not None:
            background_writer = opened.enter_context(MapWriter(stems.backgrounds, final, provenance))
            event_writer = opened.enter_context(MapWriter(stems.events, axes.with_unit("dB"), provenance))
        checked = _checked(chain([first], stream), axes, mask_writer, event_writer, levels, sounds, on_clip)
        standard = settings.standardise != "none"
        wanted = {(name, FEATURES) for name in train}
        scalings: list[Scaling] = []

        def note_scaling(mean: np.ndarray, deviation: np.ndarray) -> None:
            scalings.append(Scaling(tuple(mean.tolist()), tuple(deviation.tolist())))
            writer.note_scaling(scalings[0])

        maps = standardised(checked, wanted, features, note_scaling) if standard else checked
        for (clip_id, which), values in maps:
            if which == FEATURES:
                beside = None if sounds is None else sounds.take()
                writer.append([clip_id], values[None], [levels[clip_id]], beside)
            elif background_writer is not None:
                background_writer.append([clip_id], values[None])
        if maker is not None and n_samples is not None:
            scaling = scalings[0] if scalings else None
            writer.note_sound(
                SoundForm(maker.settings, occupied_hz(settings, rates_hz), scaling, n_samples).encode()
            )


def _checked(
    maps: Iterator[Map],
    axes: Axes,
    masks: MapWriter,
    events: MapWriter | None,
    levels: dict[str, float | None],
    sounds: WaitingSounds | None,
    on_clip: Callable[[int], None],
) -> Iterator[tuple[Item, np.ndarray]]:
    """Yield maps after checking them, and backgrounds; what else is known of clips is written or kept meanwhile."""
    for done, clip in enumerate(maps, start=1):
        _check(clip.clip_id, clip.cells, axes)
        levels[clip.clip_id] = clip.level
        if sounds is not None and clip.sound is not None:
            sounds.put(clip.clip_id, clip.sound)
        if clip.parts is not None:
            masks.append([clip.clip_id], clip.parts.mask[None])
        on_clip(done)
        yield (clip.clip_id, FEATURES), clip.cells
        if clip.parts is not None and events is not None:
            events.append([clip.clip_id], clip.parts.event[None])
            yield (clip.clip_id, BACKGROUND), clip.parts.background


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
            yield Map(clip_id, values[:, : kept or values.shape[1]], None, None)
        return
    if not isinstance(dataset, AudioDataset) or maker is None:
        raise TypeError(f"{type(dataset).__name__} offers neither audio nor spectrograms")
    gains = gains_of_individuals(dataset, clips) if settings.level == "individual" else {}
    for clip_id, label in zip(clips["clip_id"], clips["label"], strict=True):
        audio, gain = dataset.read(clip_id), gains.get(clip_id, 1.0)
        samples = torch.from_numpy(audio.samples)
        try:
            heard = maker.heard(samples, audio.rate_hz, gain)
            values = maker.scaled(maker.power(heard, maker.settings.rate_hz)).numpy()
        except DataError as error:
            raise DataError(f"clip '{clip_id}': {error.asked}", error.found, error.remedy) from error
        stems = dataset.stems(clip_id) if label == "anomaly" else None
        parts = None if stems is None else _parts(stems, maker, float(maker.level_factor(samples, gain)))
        yield Map(clip_id, values, parts, level_dbfs(audio.samples), heard.numpy())


def _parts(stems: Stems, maker: SpectrogramMaker, factor: float) -> Parts:
    """What stems say of a clip whose level the recipe changes by ``factor``."""
    sounds = torch.from_numpy(np.stack([stems.normal, stems.fault, stems.normal + stems.fault]))
    power = maker.power(sounds, stems.rate_hz)
    normal, fault, mixture = power.numpy()
    mask = fault_mask(normal, fault, mixture, maker.settings.mask_fraction)
    heard = power[:2] * factor**maker.settings.power
    return Parts(mask, maker.scaled(heard[0]).numpy(), maker.decibels(heard[1]).numpy())


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
