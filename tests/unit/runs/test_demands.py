"""What later stages would refuse is refused when clips are listed; their own numbers are the rival."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from soundproof.audio.resampling import resampled
from soundproof.config.demands import demands_of
from soundproof.config.model import Study
from soundproof.config.where import where_to_set
from soundproof.core.errors import ConfigError, DataError
from soundproof.features.rates import fit_to_rates
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.runs.demands import beyond_the_frames, refuse_unfit, resampled_length

STUDY = {
    "name": "own",
    "dataset": {"kind": "recordings", "folder": "fan"},
    "features": {"recipe": "machine"},
    "scope": "pooled",
    "detectors": {"ae": {"kind": "skip_cae", "explain": True}, "clip_level": {}},
    "explainers": {"error_map": {}},
    "explain": {"clips": "anomalies"},
}
CLASSIC = {"detectors": {"clip_level": {"explain": True}}, "explainers": {"occlusion": {}}}


def demands(**changes: Any) -> dict[str, Any]:
    return demands_of(Study.model_validate({**STUDY, **changes}))


def clips(
    n_train: int = 3,
    n_samples: int = 16_000,
    rate: int = 16_000,
    n_samples_of_last: int = 0,
    events: list[dict[str, Any]] | None = None,
) -> pd.DataFrame:
    rows = [{"split": "train", "label": "normal"} for _ in range(n_train)] + [
        {"split": "test", "label": "normal"},
        {"split": "test", "label": "anomaly"},
    ]
    facts = {"machine": "fan", "anomaly_type": None, "snr_db": None, "events": None}
    frame = pd.DataFrame(
        [
            {"clip_id": f"c{n}", "sample_rate_hz": rate, "n_samples": n_samples, **facts, **row}
            for n, row in enumerate(rows)
        ]
    )
    frame.loc[frame.index[-1], "n_samples"] = n_samples_of_last or n_samples
    if events:
        frame["events"] = [None] * (len(frame) - 1) + [events]
    return frame


def test_clips_that_fit_pass() -> None:
    refuse_unfit(clips(), demands())
    refuse_unfit(clips(1), demands(**CLASSIC))


@pytest.mark.parametrize(
    ("frame", "changes", "said"),
    [
        (clips(2), {}, r"at least 3 normal training clips \(for ae\)\n  found: 2"),
        (clips(0), CLASSIC, "at least 1 normal training clip\n"),
        (clips(n_samples=1_000), {}, r"one window .*\(1024 samples at 16000 Hz\)\n.*'c0' of 1000 samples"),
        (clips(n_samples=1), {}, "'c0' of 1 samples"),
        (
            clips(n_samples=500, rate=8_000),
            {},
            r"\(512 samples at 8000 Hz\)\n.*'c0' of 500 samples at 8000 Hz",
        ),
        (clips(n_samples=2_700), {}, "16 bands x 16 frames, for detector 'ae'\n.*64 bands x 7 frames"),
        (clips(n_samples=20_000), {"features": {"recipe": "machine", "n_mels": 4}}, "4 bands x 48 frames"),
        (clips(n_samples=32_000, n_samples_of_last=16_000), {}, "clips of one length"),
        (clips().query("label == 'normal'"), {}, "test clips to explain"),
        (clips(), {"explain": {"clips": "annotated"}}, "test clips to explain"),
        (clips(), {"bands": {"bands": [65]}}, "65 linear bands\n.*at most|65 linear bands"),
    ],
)
def test_what_a_later_stage_would_refuse_is_refused(frame: pd.DataFrame, changes: dict, said: str) -> None:
    with pytest.raises((DataError, ConfigError), match=said):
        refuse_unfit(frame, demands(**changes))


def test_each_machine_needs_its_own_training_clips() -> None:
    both = pd.concat([clips(3), clips(2).assign(machine="pump")], ignore_index=True)
    dataset = {**STUDY["dataset"], "machines": ["fan", "pump"]}
    with pytest.raises(DataError, match="of machine 'pump'"):
        refuse_unfit(both, demands(dataset=dataset, scope="machine"))
    refuse_unfit(both, demands(dataset=dataset))


def test_the_recording_that_made_all_clips_short_is_named() -> None:
    frame = clips(n_samples=100)
    frame.attrs["length_from"] = "train/slip.wav"
    with pytest.raises(DataError, match=r"length of 'train/slip\.wav'\n  to do: remove 'train/slip\.wav'"):
        refuse_unfit(frame, demands())


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("n_samples", [9_999, 12_345, 48_000])
def test_foreseen_lengths_are_those_of_the_features(rate: int, n_samples: int) -> None:
    made = SpectrogramMaker(fit_to_rates(FeatureSettings(**resolve({"recipe": "machine"})), [rate]))
    sound = torch.randn(n_samples)
    assert resampled_length(n_samples, rate, 16_000) == resampled(sound.numpy(), rate, 16_000).shape[-1]
    n_frames = made.map(sound, rate).shape[-1]
    # an event is beyond the frames exactly where it begins at or after the end of the last one
    end = n_frames / made.settings.frames_per_second
    for onset, beyond in ((end - 0.01, False), (end + 0.0001, True)):
        events = [{"onset_s": onset, "offset_s": onset + 0.01, "low_hz": None, "high_hz": None}]
        found = beyond_the_frames(clips(n_samples=n_samples, rate=rate, events=events), demands())
        assert bool(found) == beyond


def test_where_to_set_is_what_the_command_line_reads() -> None:
    changes = {"machines": ["fan", "Lüfter 2"], "segment_seconds": 3.5}
    said = where_to_set(changes, "recordings", ["recordings", "recordings_level"], "/data/my fan")
    assert "'recordings=/data/my fan'" in said
    text = said.split("'overrides=")[1].rsplit("'", 1)[0]
    read = yaml.load(text, Loader=yaml.BaseLoader)  # as Snakemake reads it
    expected = {"dataset": {"machines": ["fan", "Lüfter 2"], "segment_seconds": "3.5"}}
    assert read == {"recordings": expected, "recordings_level": expected}
    assert "under 'dataset' of study 'p9'" in where_to_set(changes, "p9", ["p9", "p1"], None)
