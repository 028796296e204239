"""What maps of clips mark, in words: who is asked for a fault, what is said once, what is said instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.core.errors import DataError
from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.reasons import clips_to_word, in_words, reasons_of_clips
from soundproof.illustrations.sounds import NO_SOUND
from soundproof.interfaces.dataset import Physics
from soundproof.reasons.diagnosis import Machine
from soundproof.reasons.reason import Reason, Reasoner
from soundproof.reasons.rules import read_rules
from soundproof.reasons.sentence import CANNOT_TELL
from soundproof.reasons.settings import SentenceSettings
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import REASONS
from soundproof.storage.tables import read_table, write_table

BEARING = "fan_id00_test_anomaly_bearing_000"
BENCH = BenchParameters(
    machines=("fan",), train_clips=2, test_normal=1, test_anomaly=1, seconds=2.0, snr_db=6.0
)
ALL_BUT_ONE = """
- {fault: noise, words: noise, source: heard, when: {duty: {above: 0.0}}}
"""


class Nobody(BenchDataset):
    """The same sound, of whose faults nothing is known; as recordings are."""

    def physics(self, clip_id: str) -> Physics | None:
        return None


def sounds_of(dataset: BenchDataset) -> ClipSounds:
    settings = FeatureSettings(**resolve({"recipe": "bench", "standardise": "none"}))
    return ClipSounds(dataset, dataset.clips(), settings, [16_000])


def said(sounds: ClipSounds, settings: SentenceSettings | None = None, **maps: np.ndarray) -> pd.DataFrame:
    """Sentences of the bearing's maps, its true mask first."""
    event = sounds.map(sounds.samples(BEARING), BEARING).numpy()
    mask = np.zeros(event.shape, bool)
    row = BenchDataset(BENCH, Path()).clips().set_index("clip_id").loc[BEARING, "events"][0]
    frames = np.arange(event.shape[1]) / event.shape[1] * BENCH.seconds
    bands = sounds.maker.frequencies_hz
    mask |= np.outer(
        (bands > row["low_hz"]) & (bands < row["high_hz"]),
        (frames > row["onset_s"]) & (frames < row["offset_s"]),
    )
    return reasons_of_clips(
        sounds,
        {BEARING: "fan"},
        lambda _: event,
        lambda _: mask,
        lambda _: {("ae", name): values for name, values in maps.items()} or {("ae", "truth"): mask * 1.0},
        settings or SentenceSettings(smoothing=(0, 0)),
    )


def test_a_fault_is_named_where_its_sound_was_drawn_by_a_model_and_nowhere_else(tmp_path):
    drawn, recorded = said(sounds_of(BenchDataset(BENCH, Path()))), said(sounds_of(Nobody(BENCH, Path())))
    assert drawn["detector"].fillna("the truth").tolist() == ["the truth", "ae"]
    assert drawn["fault"].iloc[0] == "bearing" and drawn["sentence"].iloc[0].endswith(
        "Likely a damaged bearing."
    )
    assert recorded["fault"].isna().all()
    for text in recorded["sentence"]:
        assert "Likely" not in text and CANNOT_TELL not in text
    # the same sound is described by the same words, up to the name of the fault
    assert drawn["sentence"].iloc[0].startswith(recorded["sentence"].iloc[0])
    # rules of one's own are asked on any sound
    own = SentenceSettings(smoothing=(0, 0), rules=read_rules(ALL_BUT_ONE, "own.yaml"))
    assert said(sounds_of(Nobody(BENCH, Path())), own)["fault"].iloc[0] == "noise"
    path = tmp_path / "reasons.parquet"
    write_table(drawn, path, Provenance(stage="reasons"), REASONS)
    back = read_table(path)
    assert dict(back["attributes"].iloc[0])["rate_hz"] == dict(drawn["attributes"].iloc[0])["rate_hz"]
    assert dict(back["normal"].iloc[0])


def test_maps_that_mark_the_same_cells_are_measured_once(monkeypatch):
    asked = []
    honest = Reasoner.of_cells

    def counted(self: Reasoner, clip_id: str, cells: np.ndarray) -> Reason:
        asked.append(clip_id)
        return honest(self, clip_id, cells)

    monkeypatch.setattr(Reasoner, "of_cells", counted)
    sounds = sounds_of(BenchDataset(BENCH, Path()))
    shape = sounds.map(sounds.samples(BEARING), BEARING).shape
    noise = np.random.default_rng(0).random(shape)
    rows = said(sounds, a=noise, b=2 * noise, c=-noise)
    # the mask, the noise, and nothing; twice the noise marks what the noise does
    assert len(asked) == 3 and len(rows) == 4
    assert rows["sentence"].iloc[1] == rows["sentence"].iloc[2]
    assert rows["sentence"].iloc[3].startswith("The map marks nothing")
    with pytest.raises(DataError, match="finite relevance"):
        said(sounds, a=np.full(shape, np.nan))


def test_where_nothing_can_be_said_a_row_says_why():
    settings = SentenceSettings()
    none = reasons_of_clips(None, {"a": "fan"}, lambda _: np.zeros(0), lambda _: None, lambda _: {}, settings)
    assert none["why"].tolist() == [NO_SOUND] and none["sentence"].isna().all()
    untrained = BENCH.model_copy(update={"train_clips": 0})
    rows = said(sounds_of(BenchDataset(untrained, Path())))
    assert rows["why"].str.contains("normal training clips").all() and len(rows) == 1
    sounds = sounds_of(BenchDataset(BENCH, Path()))
    other = np.ones(sounds.map(sounds.samples(BEARING), BEARING).shape)
    changed = reasons_of_clips(
        sounds, {BEARING: "fan"}, lambda _: other, lambda _: None, lambda _: {("ae", "x"): other}, settings
    )
    assert changed["why"].str.contains("changed since").all()


def test_a_shaft_is_compared_with_stated_numbers_alone():
    values = {"rate_hz": 60.0, "duty": 0.9, "low_hz": 100.0, "high_hz": 200.0}
    unstated = Reason("Steady noise.", ("low_hz", "high_hz"), values, {}, {}, None)
    stated = Reason("Impacts.", ("rate_hz",), values, {}, {}, None)
    shaft = Machine(shaft_hz=30.0)
    assert in_words(stated, None) == "Impacts."
    assert "agrees with twice per turn of the shaft" in in_words(stated, shaft)
    # a rate that is too faint to be stated is no evidence, however well it fits
    assert (
        in_words(unstated, shaft)
        == "Steady noise. No rate agrees with a shaft that turns 30.0 times a second."
    )
    assert in_words(Reason("Nothing.", (), {}, {}, {}, None), shaft) == "Nothing."


def test_clips_are_spread_over_faults():
    bench = BenchDataset(BENCH.model_copy(update={"test_anomaly": 8}), Path())
    clips = bench.clips()
    explained = clips.loc[clips["label"].eq("anomaly"), "clip_id"].tolist()
    chosen = clips_to_word(clips, explained, 4)
    faults = clips.set_index("clip_id").loc[list(chosen), "anomaly_type"]
    assert sorted(faults) == ["bearing", "hum", "imbalance", "rub"] and set(chosen.values()) == {"fan"}
    assert len(clips_to_word(clips, explained[:3], None)) == 3
