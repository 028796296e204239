from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from soundproof.audio.zip_members import files_of
from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.mimii import files, tree
from soundproof.datasets.mimii.dataset import MimiiDataset
from soundproof.datasets.mimii.settings import MimiiParameters
from soundproof.downloads.remote_file import RemoteFile

ROOT = Path(__file__).parents[3]
SOUND = np.random.default_rng(0).normal(0, 0.1, (160, 8))


def mimii(data_dir: Path, **settings: Any) -> MimiiDataset:
    return MimiiDataset(
        MimiiParameters(**{"expected_counts": "any", "machines": ("fan",), **settings}), data_dir
    )


def lay(folder: Path, *, snrs=(6,), individuals=("00",), normal=9, abnormal=4, machine="fan") -> Path:
    """A tree of many short clips; each channel holds its own number."""
    for snr_db in snrs:
        for individual in individuals:
            for label, count in (("normal", normal), ("abnormal", abnormal)):
                place = folder / f"{snr_db}_dB_{machine}/{machine}/id_{individual}/{label}"
                place.mkdir(parents=True)
                for number in range(count):
                    soundfile.write(
                        place / f"{number:08d}.wav", SOUND, 16_000, format="WAVEX", subtype="PCM_16"
                    )
    return folder


def counts(clips: pd.DataFrame, *by: str) -> dict:
    return clips.groupby([*by, "split", "label"]).size().to_dict()


def test_all_abnormal_clips_and_as_many_normal_ones_are_tested(tmp_path):
    clips = mimii(tmp_path, folder=str(lay(tmp_path / "x")), ids=("00",)).clips()
    assert counts(clips) == {("train", "normal"): 5, ("test", "normal"): 4, ("test", "anomaly"): 4}
    assert set(clips["machine"]) == {"fan"} and set(clips["machine_id"]) == {"id_00"}
    assert set(clips["snr_db"]) == {6.0}


@pytest.mark.parametrize(
    ("machine", "individual", "normal", "abnormal", "train", "test"),
    [
        *[("fan", "00", 1011, 407, 889, 244), ("fan", "02", 1016, 359, 909, 214)],
        *[("fan", "04", 1033, 348, 929, 208), ("fan", "06", 1015, 361, 907, 216)],
        # of these two the abnormal clips are not known; each number from 140 to 143, and 110 to 113, gives P2's
        *[("pump", "00", 1006, 140, 964, 84), ("pump", "00", 1006, 143, 964, 84)],
        *[("pump", "02", 1005, 110, 972, 66), ("pump", "02", 1005, 113, 972, 66)],
        *[("pump", "04", 702, 100, 672, 60), ("pump", "06", 1036, 102, 1006, 60)],
        *[("slider", "00", 1068, 356, 962, 212), ("slider", "02", 1068, 267, 988, 160)],
        *[("slider", "04", 534, 178, 481, 106), ("slider", "06", 534, 89, 508, 52)],
        *[("valve", "00", 991, 119, 956, 70), ("valve", "02", 708, 120, 672, 72)],
        *[("valve", "04", 1000, 120, 964, 72), ("valve", "06", 992, 120, 956, 72)],
    ],
)
def test_the_share_of_p2_gives_the_sizes_of_p2(machine, individual, normal, abnormal, train, test, tmp_path):
    (tmp_path / f"6_dB_{machine}").mkdir()
    data = mimii(
        tmp_path,
        folder=str(tmp_path),
        machines=(machine,),
        ids=(individual,),
        test_share=0.3,
        # numbers that are published must be these
        expected_counts="published",
    )
    clips = [recording(individual, "normal", n) for n in range(normal)]
    clips += [recording(individual, "anomaly", n) for n in range(abnormal)]
    data.__dict__["_recordings"] = {(machine, 6): clips}
    listed = Counter((clip.split, clip.label) for clip in data.listed())
    assert listed == {
        ("train", "normal"): train,
        ("test", "normal"): test // 2,
        ("test", "anomaly"): test // 2,
    }


def test_the_study_of_p2_asks_for_its_split():
    study = yaml.safe_load((ROOT / "config/studies/mimii.yaml").read_text())["dataset"]
    assert study["test_share"] == 0.3 and study["one_model_per"] == ["individual", "snr"]
    # a share of 0.3 is not three tenths, but never rounds to another number
    assert all(int(study["test_share"] * n) == 3 * n // 10 for n in range(5000))


def test_a_recording_is_on_the_same_side_at_every_snr(tmp_path):
    folder = lay(tmp_path / "x", snrs=(-6, 0, 6), normal=20, abnormal=10)
    clips = mimii(tmp_path, folder=str(folder), ids=("00",), snr_db=(-6, 0, 6), test_share=0.5).clips()
    clips["recording"] = clips["clip_id"].str.replace(r"_-?\d+dB", "", regex=True)
    assert clips.groupby("recording")["split"].nunique().eq(1).all()
    assert clips.groupby("recording").size().eq(3).all()


def test_a_recording_that_is_missing_at_one_snr_moves_no_other_to_the_other_side(tmp_path):
    folder = lay(tmp_path / "x", snrs=(-6, 6), normal=40, abnormal=20)
    alone = mimii(tmp_path, folder=str(folder), ids=("00",), snr_db=6, test_share=0.5).clips()
    tested = alone.query("split == 'test' and label == 'normal'")["path"]
    (folder / tested.iloc[0].replace("6_dB", "-6_dB")).unlink()
    clips = mimii(tmp_path, folder=str(folder), ids=("00",), snr_db=(-6, 6), test_share=0.5).clips()
    assert len(clips) == 2 * len(alone) - 1
    clips["recording"] = clips["clip_id"].str.replace(r"_-?\d+dB", "", regex=True)
    assert clips.groupby("recording")["split"].nunique().eq(1).all()
    assert set(clips.loc[clips["split"] == "test", "recording"]).isdisjoint(
        clips.loc[clips["split"] == "train", "recording"]
    )


@pytest.mark.parametrize("settings", [{}, {"one_model_per": ("snr",)}, {"subset": 20}])
def test_no_recording_trains_at_one_snr_and_is_tested_at_another(settings, tmp_path):
    folder = lay(tmp_path / "x", snrs=(-6, 0, 6), normal=30, abnormal=12)
    asked = {"folder": str(folder), "ids": ("00",), "snr_db": (-6, 0, 6), "test_share": 0.5, **settings}
    clips = mimii(tmp_path, **asked).clips()
    recordings = clips["label"] + clips["clip_id"].str[-8:]
    assert set(recordings[clips["split"] == "train"]).isdisjoint(recordings[clips["split"] == "test"])
    # each study takes one SNR: none of them knows of the others
    single = pd.concat([mimii(tmp_path, **{**asked, "snr_db": snr}).clips() for snr in (-6, 0, 6)])
    assert dict(zip(single["clip_id"], single["split"], strict=True)) == dict(
        zip(clips["clip_id"], clips["split"], strict=True)
    )


def test_the_seed_draws_another_split(tmp_path):
    folder = str(lay(tmp_path / "x", normal=30, abnormal=10))
    first, second = (
        mimii(tmp_path, folder=folder, ids=("00",), seed=seed).clips().set_index("clip_id")["split"]
        for seed in (42, 43)
    )
    assert (first == "train").sum() == (second == "train").sum()
    assert not first.equals(second)


def test_machines_are_pinned_to_individuals_and_snrs(tmp_path):
    folder = lay(tmp_path / "x", snrs=(-6, 6), individuals=("00", "02"))
    settings = {"folder": str(folder), "ids": ["00", "02"], "snr_db": [-6, 6]}
    data = mimii(tmp_path, one_model_per=("individual", "snr"), **settings)
    names = ["fan_id_00_-6dB", "fan_id_00_6dB", "fan_id_02_-6dB", "fan_id_02_6dB"]
    assert list(data.settings.machines) == names
    assert sorted(data.clips()["machine"].unique()) == names
    # what a results file says of the data set opens the same data set
    again = MimiiParameters.model_validate(data.settings.model_dump(mode="json"))
    assert again == data.settings
    one = mimii(tmp_path, **{**settings, "machines": ("fan_id_02_-6dB",)}).clips()
    assert set(one["snr_db"]) == {-6.0} and set(one["machine_id"]) == {"id_02"}


@pytest.mark.parametrize(
    ("machines", "message"),
    [
        (("fam",), "did you mean 'fan'"),
        (("fan", "fan_id_00"), "share clips"),
        (("fan", "fan"), "share clips"),
        (("fan_6dB", "fan_id_00_6dB"), "share clips"),
    ],
)
def test_machines_that_cannot_be_are_refused(machines, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        mimii(tmp_path, machines=machines)


def test_zips_and_folders_of_one_tree_are_the_same_data_set(tmp_path):
    folder = lay(tmp_path / "x", snrs=(-6,))
    (tmp_path / "zips").mkdir()
    with zipfile.ZipFile(tmp_path / "zips/-6_dB_fan.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "-6_dB_fan").rglob("*.wav")):
            archive.write(path, path.relative_to(folder / "-6_dB_fan"))
    settings = {"ids": ("00",), "snr_db": -6}
    packed = mimii(tmp_path, folder=str(tmp_path / "zips"), **settings)
    plain = mimii(tmp_path, folder=str(folder), **settings)
    pd.testing.assert_frame_equal(packed.clips(), plain.clips())
    clip_id = packed.clips()["clip_id"][0]
    assert np.array_equal(packed.read(clip_id).samples, plain.read(clip_id).samples)


def test_one_microphone_or_the_mean_of_all(tmp_path):
    folder = str(lay(tmp_path / "x"))
    clip_id = "fan_id_00_6dB_normal_00000000"
    for channel, expected in ((2, SOUND[:, 2]), ("mix", SOUND.mean(axis=1))):
        audio = mimii(tmp_path, folder=folder, ids=("00",), channel=channel).read(clip_id)
        assert audio.samples == pytest.approx(expected, abs=2**-15)


def test_an_snr_unpacked_into_the_folder_of_another_is_not_taken_for_it(tmp_path):
    folder = lay(tmp_path / "x", snrs=(0,))
    with pytest.raises(DataError, match="neither the folder '6_dB_fan' nor"):
        mimii(tmp_path, folder=str(folder), ids=("00",), snr_db=6).clips()


def test_missing_individuals_are_refused(tmp_path):
    folder = lay(tmp_path / "x")
    with pytest.raises(DataError, match="id_02"):
        mimii(tmp_path, folder=str(folder), ids=("00", "02")).clips()


def test_a_clip_of_another_length_is_refused(tmp_path):
    """A detector with a Gaussian per cell could not score it, and a map of another length would fit no file."""
    folder = lay(tmp_path / "x")
    cut = folder / "6_dB_fan/fan/id_00/normal/00000003.wav"
    soundfile.write(cut, SOUND[:100], 16_000, format="WAVEX", subtype="PCM_16")
    with pytest.raises(
        DataError, match=r"00000003.wav: 160 samples[\s\S]*100 samples at 16000 Hz[\s\S]*again"
    ):
        mimii(tmp_path, folder=str(folder), ids=("00",)).clips()


def recording(individual: str, label: str, number: int) -> tree.Recording:
    return tree.Recording("", Path(), individual, label, f"{number:08d}")


@pytest.mark.parametrize(
    ("machine", "individual", "normal", "abnormal", "message"),
    [
        ("fan", "00", 1011, 407, None),
        (
            "fan",
            "00",
            1010,
            407,
            r"1011 normal and 407 abnormal clips of fan id_00[\s\S]*1010 \(-1\) and 407 \(\+0\)",
        ),
        ("valve", "02", 708, 121, r"121 \(\+1\)"),
        ("pump", "04", 702, 100, None),
        ("pump", "06", 1000, 100, r"1036 normal and 102 abnormal[\s\S]*1000 \(-36\) and 100 \(-2\)"),
        ("pump", "00", 1, 1, None),
    ],
)
def test_numbers_are_compared_where_they_are_published(machine, individual, normal, abnormal, message):
    clips = [recording(individual, "normal", n) for n in range(normal)]
    clips += [recording(individual, "anomaly", n) for n in range(abnormal)] + [recording("99", "normal", 0)]
    if message is None:
        tree.check_counts(clips, machine, individual, "there")
        return
    with pytest.raises(DataError, match=message):
        tree.check_counts(clips, machine, individual, "there")


@pytest.mark.parametrize("place", ["fan/id_0/normal/00000000.wav", "pump/id_00/normal/00000000.wav", "a.wav"])
def test_a_place_outside_the_scheme_is_refused(place, tmp_path):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="not the scheme"):
        tree.recordings(files_of(tmp_path), "fan", "there")


def test_the_miniature_holds_the_same_recordings_at_every_snr(tmp_path):
    data = mimii(tmp_path, miniature=True, ids=("00",), snr_db=(-6, 6))
    assert data.fetch() == []
    loud, soft = (
        soundfile.read(data.folder / f"{snr}_dB_fan/fan/id_00/abnormal/00000000.wav")[0] for snr in (6, -6)
    )
    assert loud.shape == (32_000, 8)
    assert soundfile.info(data.folder / "6_dB_fan/fan/id_00/normal/00000000.wav").format == "WAVEX"
    # the noise of one microphone tells nothing of another's: what they share is the machine
    shared = [float(np.corrcoef(sound[:-1, 0], sound[1:, 1])[0, 1]) for sound in (loud, soft)]
    assert shared[0] == pytest.approx(10**0.6 / (1 + 10**0.6), abs=0.1)
    assert shared[1] == pytest.approx(10**-0.6 / (1 + 10**-0.6), abs=0.1)


def test_a_subset_is_fetched_clip_by_clip_out_of_the_archive(site, tmp_path, monkeypatch):
    tree_folder = lay(tmp_path / "x", normal=60, abnormal=40, individuals=("00", "02"))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tree_folder / "6_dB_fan").rglob("*.wav")):
            archive.write(path, path.relative_to(tree_folder / "6_dB_fan"))
    body = stream.getvalue()
    site.files["6_dB_fan.zip"] = body
    remote = RemoteFile("6_dB_fan.zip", (site.url("6_dB_fan.zip"),), len(body), "0" * 32)
    monkeypatch.setattr(files, "catalogue", lambda: {"mimii": SimpleNamespace(file=lambda name: remote)})

    data = mimii(tmp_path / "data", ids=("02",), subset=20)
    (needed,) = data.needed()
    assert needed.members == 20
    fetched = data.fetch()
    assert len(fetched) == 20
    assert all("id_02" in path.as_posix() for path in fetched)
    assert all(site.ranges()), "the whole archive was asked for"
    clips = data.clips()
    assert counts(clips) == {("train", "normal"): 10, ("test", "normal"): 5, ("test", "anomaly"): 5}
    # a smaller subset is part of the larger one, and needs no network
    site.files.clear()
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    smaller = mimii(tmp_path / "data", ids=("02",), subset=8)
    assert len(smaller.fetch()) == 8
    assert set(smaller.clips()["clip_id"]) < set(clips["clip_id"])
