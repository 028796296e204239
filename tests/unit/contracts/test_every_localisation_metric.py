"""What holds for every registered localisation metric: truth beats chance, noise meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest
import torch

from soundproof.audio.sound import Audio, Stems
from soundproof.core.registry import Parameters
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset, Physics
from soundproof.localisation.measure import measure_localisation
from soundproof.localisation.registry import LOCALISATION
from soundproof.truth.ground_truth import Truth

N_CLIPS, N_FREQ, N_FRAMES, RATE = 24, 12, 64, 8.0
N_NOISES = 12
IDS = [f"clip{row:02d}" for row in range(N_CLIPS)]
ORACLE = "oracle"
UNIFORM, SHIFT = "chance_uniform", "chance_circular_shift"
JUDGED = ("", "corrected", "as_published", "exact_stems", "energy_rule")
"""Protocols whose value says how good a map is; others say what stands behind it."""
RECIPE = FeatureSettings(
    **resolve(
        {
            "recipe": "stft",
            "n_fft": 2 * N_FREQ - 2,
            "window_length": 2 * N_FREQ - 2,
            "hop_length": 16,
            "sample_rate_hz": round(16 * RATE),
        }
    )
)
"""Makes maps of that grid."""
NORMAL = "normal"
"""The clip that others are compared with: noise."""
SETTINGS: dict[str, dict[str, Any]] = {
    "reasons": {
        # maps of noise share the draws behind their chance line
        "draws": 16,
        "rules": [
            {
                "fault": "tone",
                "words": "a tone",
                "source": "these clips",
                "when": {"level_db": {"above": 1.5}, "tonality": {"above": 0.25}},
            }
        ],
    }
}
"""What a metric must be told of such clips."""
every_metric = pytest.mark.parametrize("name", LOCALISATION)


def truth() -> Truth:
    """One event of a second in each clip, in a band of its own; masks, events and their levels agree."""
    masks = np.zeros((N_CLIPS, N_FREQ, N_FRAMES), dtype=bool)
    events = []
    for row in range(N_CLIPS):
        onset, low = 1 + row % 6, 1 + row % 7
        masks[row, low : low + 4, int(onset * RATE) : int((onset + 1) * RATE)] = True
        events.append([(float(onset), float(onset + 1))])
    levels = np.random.default_rng(4).uniform(-60, 0, masks.shape)
    listed = pd.DataFrame(
        {
            "clip_id": [*IDS, NORMAL],
            "machine": "toy",
            "machine_id": "00",
            "split": ["test"] * N_CLIPS + ["train"],
            "label": ["anomaly"] * N_CLIPS + ["normal"],
        }
    )
    sounds = ClipSounds(Heard(masks), listed, RECIPE, [])
    return Truth(RATE, events, masks, IDS, np.where(masks, levels, -100), sounds)


class Heard(AudioDataset):
    """Noise, and a tone in the cells of the mask."""

    def __init__(self, masks: np.ndarray) -> None:
        super().__init__(Parameters(), Path())
        self.masks = torch.from_numpy(masks.astype(np.float32))
        self.grid = ClipSounds(self, pd.DataFrame(), RECIPE, [])

    def clips(self) -> pd.DataFrame:
        raise NotImplementedError

    def read(self, clip_id: str) -> Audio:
        if clip_id == NORMAL:
            rng = np.random.default_rng(N_CLIPS)
            return Audio(rng.standard_normal(N_FRAMES * RECIPE.hop_length).astype(np.float32), RECIPE.rate_hz)
        stems = self.stems(clip_id)
        return Audio(stems.normal + stems.fault, stems.rate_hz)

    def physics(self, clip_id: str) -> Physics:
        row = IDS.index(clip_id)
        mask = self.masks[row].numpy()
        bands, frames = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        step_hz = RECIPE.rate_hz / RECIPE.n_fft
        band_hz = (float((bands[0] - 0.5) * step_hz), float((bands[-1] + 0.5) * step_hz))
        time_s = (float(frames[0] / RATE), float((frames[-1] + 1) / RATE))
        return Physics("tone", {"fundamental_hz": (self.tone_hz(row),)}, time_s, band_hz)

    def tone_hz(self, row: int) -> float:
        """The middle of the mask's bins."""
        bands = np.flatnonzero(self.masks[row].numpy().any(1))
        return float(bands.mean() * RECIPE.rate_hz / RECIPE.n_fft)

    def stems(self, clip_id: str) -> Stems:
        row, n_samples = IDS.index(clip_id), N_FRAMES * RECIPE.hop_length
        normal = np.random.default_rng(row).standard_normal(n_samples).astype(np.float32)
        time = np.arange(n_samples) / RECIPE.rate_hz
        fault = (2 * np.sin(2 * np.pi * self.tone_hz(row) * time)).astype(np.float32)
        mask = self.grid.bins(self.masks[row], n_samples)
        heard = self.grid.stft.masked(torch.from_numpy(fault), mask).numpy()
        return Stems(normal, heard, RECIPE.rate_hz)


@cache
def measured(name: str) -> pd.DataFrame:
    """Rows of a map that is the mask itself, and of maps of noise."""
    known = truth()
    rng = np.random.default_rng(5)
    maps = {ORACLE: known.cells().astype(np.float32)}
    for draw in range(N_NOISES):
        maps[f"noise{draw}"] = rng.standard_normal(known.cells().shape).astype(np.float32)
    entry = LOCALISATION[name]
    return measure_localisation(maps, IDS, known, {name: entry.settings(SETTINGS.get(name, {}))})


def beside_chance(name: str) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """Values beside their chance line: (measure, parameter, of a clip, protocol, line) and both, by map and clip.

    A protocol's own line ends with its name; without one, the plain line is meant.
    """
    frame = measured(name)
    frame = frame.assign(of_clip=frame["clip_id"].notna(), parameter=frame["parameter"].fillna(-1.0))
    for (metric, parameter, of_clip), rows in frame.groupby(["metric", "parameter", "of_clip"]):
        by_protocol = {
            protocol: part.set_index(["explainer", "clip_id"])["value"]
            for protocol, part in rows.groupby("protocol")
        }
        for protocol, values in by_protocol.items():
            if str(protocol).startswith("chance"):
                continue
            plain = protocol in ("", "corrected")
            for line in (UNIFORM, SHIFT):
                chance = by_protocol.get(line if plain else f"{line}_{protocol}")
                if chance is not None:
                    both = pd.DataFrame({"value": values, "chance": chance}).dropna()
                    yield (metric, parameter, of_clip, protocol, line), both


@every_metric
def test_it_writes_the_measures_that_its_entry_lists(name: str) -> None:
    frame = measured(name)
    assert set(frame["metric"]) == set(LOCALISATION[name].measures)
    assert np.isfinite(frame["value"]).all()
    assert set(frame["clip_id"].dropna()) <= set(IDS)


@every_metric
def test_a_map_that_knows_the_truth_beats_the_chance_line(name: str) -> None:
    entry, compared = LOCALISATION[name], 0
    for place, both in beside_chance(name):
        of_oracle = both.xs(ORACLE, level="explainer")
        ahead = (of_oracle["value"] - of_oracle["chance"]) * (1 if entry.higher_is_better else -1)
        if place[3] in JUDGED:
            assert ahead.mean() > 0.1, place
            compared += 1
    assert compared


@every_metric
def test_maps_of_noise_meet_the_chance_line_within_the_error(name: str) -> None:
    compared = 0
    for place, both in beside_chance(name):
        apart = (both["value"] - both["chance"]).drop(ORACLE, level="explainer")
        assert len(apart) >= N_NOISES, place
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        # 4 standard errors: by chance in 1 of 16 000 comparisons
        assert abs(apart.mean()) <= 4 * error + 1e-12, (place, apart.mean(), error)
        compared += 1
    assert compared


@every_metric
def test_without_the_truth_that_it_needs_it_is_left_out(name: str) -> None:
    entry, known = LOCALISATION[name], truth()
    maps = {ORACLE: known.cells().astype(np.float32)}
    assert entry.needs
    events = [None] * N_CLIPS if "events" in entry.needs else known.events
    masks = known.masks if "stems" in entry.needs else None
    assert measure_localisation(maps, IDS, Truth(RATE, events, masks), {name: entry.settings({})}).empty


@every_metric
def test_a_clip_s_value_does_not_depend_on_its_neighbours(name: str) -> None:
    known = truth()
    of_all = measured(name).query("explainer == @ORACLE and clip_id == @IDS[3]")
    picked = replace(
        known, events=[known.events[3]], masks=known.cells()[3:4], event_maps=known.levels()[3:4]
    )
    alone = measure_localisation(
        {ORACLE: picked.cells().astype(np.float32)},
        IDS[3:4],
        picked,
        {name: LOCALISATION[name].settings(SETTINGS.get(name, {}))},
    ).query("clip_id == @IDS[3]")
    # what a clip contributes to a value of the set is not its own
    keys = ["metric", "protocol", "parameter"]
    own = set() if LOCALISATION[name].pooled else set(of_all["metric"]) - {"aupro"}
    one, other = (
        frame[frame["metric"].isin(own)].set_index(keys)["value"].sort_index() for frame in (of_all, alone)
    )
    pd.testing.assert_series_equal(one, other)


@every_metric
def test_its_function_takes_the_settings_that_its_entry_names(name: str) -> None:
    entry = LOCALISATION[name]
    assert get_type_hints(entry.load())["settings"] is entry.parameters
