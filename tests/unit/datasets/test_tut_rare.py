from __future__ import annotations

import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from soundproof.audio.mixing import PlacedEvent, mix_at_ebr
from soundproof.core.errors import DataError
from soundproof.datasets.tut_rare.dataset import TutRareDataset
from soundproof.datasets.tut_rare.settings import TutRareParameters, needed


def tut_rare(data_dir: Path, **settings: Any) -> TutRareDataset:
    values = {"machines": ("gunshot",), "test_clips": 12, "seconds": 2.0, **settings}
    return TutRareDataset(TutRareParameters(**values), data_dir)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Folder of the miniature."""
    data = tut_rare(tmp_path_factory.mktemp("data"), miniature=True)
    data.fetch()
    return data.folder


def rms(samples):
    return math.sqrt(np.mean(np.square(samples, dtype=np.float64)))


def test_the_ebr_is_the_level_while_the_event_lasts_by_hand():
    # 0.4 throughout; an event of 0.1 in two samples, wanted 6.0206 dB (a factor of 2) above the background
    event = PlacedEvent(np.array([0.0, 0.1, -0.1, 0.0], dtype=np.float32), 1, 3)
    mixture = mix_at_ebr(np.array([0.4, -0.4, 0.4, -0.4]), event, 20 * math.log10(2), 0.2)
    assert mixture.background == pytest.approx([0.08, -0.08, 0.08, -0.08])
    assert mixture.event == pytest.approx([0.0, 0.16, -0.16, 0.0])


def test_silence_and_mixtures_beyond_full_scale_are_refused():
    event = PlacedEvent(np.array([0.0, 1.0], dtype=np.float32), 1, 2)
    with pytest.raises(DataError, match="a silent background"):
        mix_at_ebr(np.array([1.0, 0.0]), event, 0.0, 0.2)
    with pytest.raises(DataError, match="a silent event"):
        mix_at_ebr(np.ones(2), PlacedEvent(np.zeros(2, dtype=np.float32), 0, 1), 0.0, 0.2)
    with pytest.raises(DataError, match=r"a peak of 2\.20"):
        mix_at_ebr(np.ones(2), event, 20.0, 0.2)


def test_every_second_test_clip_has_an_event_of_one_of_the_levels(home, tmp_path):
    data = tut_rare(tmp_path, folder=str(home), ebr_db=(-6, 6))
    clips = data.clips()
    assert clips.groupby(["split", "label"]).size().to_dict() == {
        ("train", "normal"): 12,
        ("test", "normal"): 6,
        ("test", "anomaly"): 6,
    }
    assert set(clips["snr_db"].dropna()) <= {-6.0, 6.0}
    for row in clips[clips["label"] == "anomaly"].itertuples():
        stems = data.stems(row.clip_id)
        first, last = (round(row.events[0][key] * 44_100) for key in ("onset_s", "offset_s"))
        ratio = rms(stems.fault[first:last]) / rms(stems.normal[first:last])
        assert 20 * math.log10(ratio) == pytest.approx(row.snr_db, abs=1e-3)


def test_training_and_test_backgrounds_are_those_of_the_lists(home, tmp_path):
    clips = tut_rare(tmp_path, folder=str(home)).clips()
    for part in ("train", "test"):
        listed = yaml.safe_load((home / f"data/source_data/cv_setup/bgs_dev{part}.yaml").read_text())
        allowed = {f"data/source_data/bgs/{row['filepath']}" for row in listed}
        assert set(clips.loc[clips["split"] == part, "path"]) <= allowed
    events = yaml.safe_load((home / "data/source_data/cv_setup/events_devtest.yaml").read_text())
    names = {row["audio_filename"] for row in events["gunshot"]}
    mixed = clips["attributes"].dropna().str.extract(r"event=gunshot/(.*)@")[0]
    assert set(mixed) <= names


def test_draws_depend_on_names_and_seed_alone(home, tmp_path):
    few, many = (tut_rare(tmp_path, folder=str(home), test_clips=n).clips() for n in (6, 12))
    again = many[many["clip_id"].isin(few["clip_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, again)
    other = tut_rare(tmp_path, folder=str(home), seed=43).clips()
    assert not other["path"].equals(many["path"])


def test_the_parts_of_the_archive_are_one_tree(home, tmp_path):
    files = sorted(path for path in home.rglob("*") if path.is_file())
    for number, name in enumerate(("events", "bgs_and_cvsetup.1", "bgs_and_cvsetup.2")):
        archive = f"TUT-rare-sound-events-2017-development.source_data_{name}.zip"
        with zipfile.ZipFile(tmp_path / archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in files[number::3]:
                packed.write(path, f"TUT-rare-sound-events-2017-development/{path.relative_to(home)}")
    packed = tut_rare(tmp_path, folder=str(tmp_path), train_clips=5)
    plain = tut_rare(tmp_path, folder=str(home), train_clips=5)
    pd.testing.assert_frame_equal(packed.clips().drop(columns="path"), plain.clips().drop(columns="path"))
    clip_id = packed.clips()["clip_id"].iloc[-1]
    assert np.array_equal(packed.read(clip_id).samples, plain.read(clip_id).samples)


def test_a_background_too_short_is_named(home, tmp_path):
    with pytest.raises(DataError, match="set 'seconds'"):
        tut_rare(tmp_path, folder=str(home), seconds=3.0).clips()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gunshot: []", "the events 'gunshot'"),
        ("gunshot: [{audio_filename: 1.wav, segment: [0, 1]}]", "no such file"),
        ("gunshot: [{audio_filename: 1.wav, segment: [2, 1]}]", "2 to 1 s"),
        ("gunshot: [{audio_filename: 1.wav, segment: here}]", "the segment of '1.wav'"),
        ("gunshot: [{audio_filename: 1.wav}]", "the key 'segment'"),
        ("gunshot: [", "events_devtest.yaml"),
    ],
)
def test_malformed_lists_are_named(text, message, home, tmp_path):
    place = tmp_path / "data/source_data/cv_setup"
    place.mkdir(parents=True)
    (place / "events_devtest.yaml").write_text(text)
    (place / "bgs_devtest.yaml").write_text("[]")
    with pytest.raises(DataError, match=message):
        tut_rare(tmp_path, folder=str(tmp_path)).clips()


def test_sources_and_terms_are_fetched_but_no_ready_mixtures():
    names = [item.remote.name for item in needed(TutRareParameters())]
    assert len([name for name in names if "bgs_and_cvsetup" in name]) == 8
    assert {"LICENSE.txt", "FREESOUNDCREDITS.txt"} <= set(names)
    assert not any("mixture" in name or "code" in name for name in names)


def test_an_event_beyond_the_end_of_its_recording_is_named(home, tmp_path):
    shutil.copytree(home, tmp_path / "copy")
    path = tmp_path / "copy/data/source_data/cv_setup/events_devtest.yaml"
    events = yaml.safe_load(path.read_text())
    for row in events["gunshot"]:
        row["segment"] = [2.5, 99.0]
    path.write_text(yaml.safe_dump(events))
    with pytest.raises(DataError, match=r"\.wav"):
        tut_rare(tmp_path, folder=str(tmp_path / "copy")).clips()
