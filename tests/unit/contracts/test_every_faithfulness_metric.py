"""What holds for every registered faithfulness metric: the cells that count beat chance, noise meets it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from toys.attribution import HeldNormals
from toys.own_models import REQUIRED

from soundproof.audio.sound import Audio
from soundproof.core.errors import ConfigError
from soundproof.core.registry import Parameters
from soundproof.detectors.reading import no_history
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness import trainings
from soundproof.faithfulness.measure import finished
from soundproof.faithfulness.registry import FAITHFULNESS, check_compatible
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.metric import abilities
from soundproof.storage.measurements import COLUMNS

N_CLIPS, SHAPE = 48, (12, 64)
N_NOISES = 4
FRAMES = slice(24, 32)
"""Frames in which something happens."""
IDS = [f"clip{row:02d}" for row in range(N_CLIPS)]
NORMAL = "normal"
"""The clip that others are compared with: noise of low level."""
ORACLE, BLIND = "oracle", "blind"
RECIPE = FeatureSettings(
    **resolve(
        {
            "recipe": "stft",
            "n_fft": 2 * SHAPE[0] - 2,
            "window_length": 2 * SHAPE[0] - 2,
            "hop_length": 16,
            "sample_rate_hz": 128,
        }
    )
)
"""Makes maps of that shape."""
SETTINGS: dict[str, dict[str, Any]] = {
    # those of which higher is better, as of their entry
    "quantus": {
        "metrics": {
            "FaithfulnessCorrelation": {"nr_runs": 30, "subset_size": 64},
            "RegionPerturbation": {"patch_size": 4, "regions_evaluation": 8},
        }
    }
}
"""Settings of metrics that cannot do without; a new one needs none."""
every_metric = pytest.mark.parametrize("name", FAITHFULNESS)
RE_EXPLAINING = [name for name, entry in FAITHFULNESS.items() if "re-explanation" in entry.needs]
ASKING_THE_SCORE = [name for name in FAITHFULNESS if name not in RE_EXPLAINING]
REDRAWING = [name for name in RE_EXPLAINING if "sound" not in FAITHFULNESS[name].needs]
CHANGING_THE_SOUND = [name for name in RE_EXPLAINING if name not in REDRAWING]


class KnownCells(Detector):
    """Score: weighted mean of the cells of known frames; a band weighs the more the higher it lies."""

    def __init__(self, frames: slice) -> None:
        super().__init__(SHAPE, Parameters())
        self.frames = frames
        self.weights = nn.Parameter(torch.arange(1.0, SHAPE[0] + 1))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        # nothing to learn
        return no_history()

    def contributions(self, x: Tensor) -> Tensor:
        """What each cell adds to the score, [B, n_freq, n_frames]."""
        out = torch.zeros_like(x)
        out[:, :, self.frames] = self.weights[:, None] * x[:, :, self.frames]
        return out

    def score(self, x: Tensor) -> Tensor:
        return self.contributions(x).mean(dim=(1, 2))

    def reconstruct(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)

    def reset_parameters(self) -> None:
        with torch.no_grad():
            self.weights.copy_(torch.randn(SHAPE[0]))


def clips() -> Tensor:
    """Noise of low level, and something loud in some frames."""
    return torch.rand(N_CLIPS, *SHAPE, generator=torch.Generator().manual_seed(1000)) + loud()


def loud() -> Tensor:
    """What is loud in the clips, alone."""
    alone = torch.zeros(N_CLIPS, *SHAPE)
    alone[:, :, FRAMES] = 3
    return alone


class Noises(AudioDataset):
    """Noise of low level, and something loud in some frames."""

    def clips(self) -> pd.DataFrame:
        raise NotImplementedError

    def read(self, clip_id: str) -> Audio:
        if clip_id == NORMAL:
            rng = np.random.default_rng(N_CLIPS)
            return Audio(rng.standard_normal(SHAPE[1] * RECIPE.hop_length).astype(np.float32), RECIPE.rate_hz)
        rng = np.random.default_rng(IDS.index(clip_id))
        samples = rng.standard_normal(SHAPE[1] * RECIPE.hop_length).astype(np.float32)
        samples[FRAMES.start * RECIPE.hop_length : FRAMES.stop * RECIPE.hop_length] *= 10
        return Audio(samples, RECIPE.rate_hz)


def heard() -> tuple[ClipSounds, Tensor]:
    """Sounds, and the maps made of them."""
    listed = pd.DataFrame(
        {
            "clip_id": [*IDS, NORMAL],
            "machine": "toy",
            "machine_id": "00",
            "split": ["test"] * N_CLIPS + ["train"],
            "label": ["anomaly"] * N_CLIPS + ["normal"],
        }
    )
    sounds = ClipSounds(Noises(Parameters(), Path()), listed, RECIPE, [])
    return sounds, torch.stack([sounds.map(sounds.samples(clip_id), clip_id) for clip_id in IDS])


def noise(seed: int) -> Tensor:
    return torch.randn(N_CLIPS, *SHAPE, generator=torch.Generator().manual_seed(seed))


def beside(detector: Detector, clip_id: str, n_clips: int) -> list[tuple[Detector, Tensor]]:
    """Noise of low level in which nothing is loud."""
    drawn = torch.Generator().manual_seed(2000 + IDS.index(clip_id))
    return [(detector, torch.rand(n_clips, *SHAPE, generator=drawn))]


def explain(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
    """New maps: of the detector's own cells, or the same whatever the detector is; None of noise made elsewhere."""
    if label == BLIND:
        return x.clone()
    return detector.contributions(x) if isinstance(detector, KnownCells) and label == ORACLE else None


def measured(name: str) -> pd.DataFrame:
    """Rows of the detector's own cells, of the clip itself, and of maps of noise."""
    return measured_on(name, "cpu")


@cache
def measured_on(name: str, device: str) -> pd.DataFrame:
    """The same, on a device."""
    entry, x, sounds = FAITHFULNESS[name], clips().to(device), None
    if "sound" in entry.needs:
        sounds, x = heard()
        x = x.to(device)
    # most cells of a map of few frames are 0 whatever was learnt
    detector = KnownCells(slice(None) if name in RE_EXPLAINING else FRAMES)
    detector.to(device).freeze()
    annotated = torch.zeros(SHAPE[1], dtype=torch.bool, device=device)
    annotated[FRAMES] = True
    context = FaithfulnessContext(
        settings=entry.settings(SETTINGS.get(name, {})),
        clip_ids=IDS,
        annotated=[annotated] * N_CLIPS,
        frames_per_second=8.0,
        segment_frames=8,
        rows_per_pass=4096,
        explain=explain,
        input_factor=lambda label, values: values if label == ORACLE else None,
        frequencies_hz=[100.0 * (row + 1) for row in range(SHAPE[0])],
        event_bands=[((950.0, 1250.0),)] * N_CLIPS,
        anomalous=[True] * N_CLIPS,
        backgrounds=(clips() - loud()).to(device),
        sounds=sounds,
        normal=HeldNormals(clips() - loud()),
        beside=lambda one, clip_id, n_clips: [
            (of, maps.to(device)) for of, maps in beside(one, clip_id, n_clips)
        ],
    )
    maps = {ORACLE: detector.contributions(x), BLIND: x.clone()}
    maps |= {f"noise{seed}": noise(seed).to(device) for seed in range(N_NOISES)}
    before = x.clone()
    rows = finished(entry, entry.load()(detector, x, maps, context))
    assert torch.equal(x, before)
    return rows


def beside_chance(name: str) -> list[tuple[tuple[object, ...], pd.DataFrame]]:
    """Values beside their chance line: (measure, protocol, line) and, by map, parameter and clip, both.

    The line of all maps stands under a name of its own. A curve says where its area comes from; it is not judged.
    """
    found = []
    for metric, rows in measured(name).groupby("metric"):
        lines = {str(p): part for p, part in rows.groupby("protocol", dropna=False) if "chance" in str(p)}
        for protocol, part in rows.groupby("protocol", dropna=False):
            if str(protocol) in lines or str(metric).endswith("_curve"):
                continue
            for line, chance in lines.items():
                if line in lines_of(str(protocol), set(lines)):
                    found.append(((metric, protocol, line), _joined(part, chance)))
    return found


def lines_of(protocol: str, known: set[str]) -> set[str]:
    """Names of the chance lines of a protocol: those that end with its name, where there are such."""
    own = {line for line in known if line.endswith(f"_{protocol}")}
    if own and protocol != "unclipped":
        return own
    suffix = {"corrected": "_unclipped", "as_published": "", "nan": ""}.get(protocol, f"_{protocol}")
    both = {f"chance_uniform{suffix}", f"chance_circular_shift{suffix}"}
    return both if protocol != "unclipped" else set()


def _joined(part: pd.DataFrame, chance: pd.DataFrame) -> pd.DataFrame:
    own = set(part["explainer"]) & set(chance["explainer"])
    keys = ["parameter", "clip_id", *(["explainer"] if own else [])]
    columns = [*keys, "value"]
    both = part.fillna({"parameter": -1.0}).merge(
        chance.fillna({"parameter": -1.0})[columns], on=keys, suffixes=("", "_of_chance")
    )
    return both.assign(ahead=both["value"] - both["value_of_chance"])


@every_metric
def test_it_writes_the_measures_that_its_entry_lists(name: str) -> None:
    rows = measured(name)
    assert tuple(rows.columns) == COLUMNS
    elsewhere = {trainings.METRIC}  # needs the maps of several trainings
    assert set(rows["metric"]) == set(FAITHFULNESS[name].measures) - elsewhere
    assert np.isfinite(rows["value"]).all()
    assert set(rows["clip_id"]) == set(IDS)


@pytest.mark.parametrize("name", ASKING_THE_SCORE)
def test_a_map_of_the_cells_that_count_beats_the_chance_line(name: str) -> None:
    compared = beside_chance(name)
    assert compared
    of_removal = {c.metric for c in FAITHFULNESS[name].criteria if c.judges == "plausibility"}
    for place, both in compared:
        if place[0] in of_removal:
            continue  # what a removal makes of normal clips is no merit of the map
        sign = 1 if FAITHFULNESS[name].higher_is_better else -1
        assert sign * both.query("explainer == @ORACLE")["ahead"].mean() > 0.1, place


@pytest.mark.parametrize("name", ASKING_THE_SCORE)
def test_maps_of_noise_meet_the_chance_line_within_the_error(name: str) -> None:
    for place, both in beside_chance(name):
        of_noise = both[both["explainer"].str.startswith("noise")]
        # all maps of a clip share the random draws behind its chance line: one value per clip
        apart = of_noise.groupby("clip_id")["ahead"].mean()
        assert len(apart) == N_CLIPS, place
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        # 4 standard errors: by chance in 1 of 16 000 comparisons
        assert abs(apart.mean()) <= 4 * error + 1e-12, (place, apart.mean(), error)


@pytest.mark.parametrize("name", CHANGING_THE_SOUND)
def test_a_map_that_follows_the_sound_beats_the_chance_line_by_change(name: str) -> None:
    compared = beside_chance(name)
    assert compared
    for place, both in compared:
        assert set(both["explainer"]) == {ORACLE, BLIND}, place  # nobody here can make the noise again
        assert both.groupby("explainer")["ahead"].mean().min() > 0.5, place


@pytest.mark.parametrize("name", REDRAWING)
def test_a_map_of_what_was_learnt_changes_with_it_and_a_blind_one_does_not(name: str) -> None:
    entry, rows = FAITHFULNESS[name], measured(name)
    similar = rows[rows["metric"] == entry.measures[0]]
    means = similar.pivot_table(index="protocol", columns="explainer", values="value")
    assert set(means.columns) == {ORACLE, BLIND}  # nobody here can make the noise again
    assert not entry.higher_is_better
    assert np.allclose(means[BLIND], 1)
    assert (means[ORACLE] < 0.9).all()


@every_metric
@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_without_what_it_needs_is_refused(name: str, detector: str) -> None:
    metric, entry = FAITHFULNESS[name], DETECTORS[detector]
    plain, settings = entry.settings(REQUIRED.get(detector, {})), metric.settings(SETTINGS.get(name, {}))
    if abilities(metric.needs) <= entry.offered(plain) and not entry.scores_only:
        check_compatible(entry, plain, metric, settings)
        return
    with pytest.raises(ConfigError, match=f"faithfulness metric '{name}' for detector '{detector}'"):
        check_compatible(entry, plain, metric, settings)


@every_metric
def test_its_function_takes_the_settings_that_its_entry_names(name: str) -> None:
    entry = FAITHFULNESS[name]
    assert get_type_hints(entry.load())["context"] == FaithfulnessContext[entry.parameters]  # type: ignore[name-defined]
