"""What every data set must keep, on a small tree of its true names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from toys.small_sets import SMALL_SETS

from soundproof.audio.sound import Stems
from soundproof.core.errors import DataError
from soundproof.datasets.registry import DATASETS
from soundproof.interfaces.dataset import AudioDataset, Dataset
from soundproof.storage.schemas import CLIPS

SYNTHESISED = {"bench", "contexts"}
WITH_FILES = [name for name in SMALL_SETS if name not in SYNTHESISED]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Data sets by name, each made once; not to be changed."""
    opened: dict[str, Dataset] = {}

    def make(kind: str) -> Dataset:
        if kind not in opened:
            opened[kind] = SMALL_SETS[kind].open(kind, tmp_path_factory.mktemp(kind))
        return opened[kind]

    return make


def test_every_registered_data_set_is_tested_here():
    assert set(SMALL_SETS) == set(DATASETS)


@pytest.mark.parametrize("kind", DATASETS)
def test_the_clips_table_is_valid(kind, made):
    clips = made(kind).clips()
    assert list(clips.columns) == CLIPS.names
    pa.Table.from_pandas(clips, schema=CLIPS, preserve_index=False).validate(full=True)
    for field in CLIPS:
        if not field.nullable:
            assert clips[field.name].notna().all(), field.name
    assert clips["clip_id"].is_unique and clips["clip_id"].is_monotonic_increasing
    assert clips["clip_id"].str.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*").all()
    assert (clips["dataset"] == kind).all()
    assert set(clips.loc[clips["split"] == "train", "label"]) == {"normal"}
    assert set(clips.loc[clips["split"] == "test", "label"]) == {"normal", "anomaly"}
    pd.testing.assert_frame_equal(clips, made(kind).clips())


@pytest.mark.parametrize("kind", [name for name, entry in DATASETS.items() if not entry.ready_made])
def test_a_clip_reads_the_same_every_time_and_as_long_as_listed(kind, made):
    data = made(kind)
    clips = data.clips().groupby(["split", "label"]).head(1)
    for row in clips.itertuples():
        audio = data.read(row.clip_id)
        assert audio.samples.dtype == np.float32
        assert audio.samples.shape == (row.n_samples,)
        assert audio.rate_hz == row.sample_rate_hz
        assert np.array_equal(data.read(row.clip_id).samples, audio.samples)
        assert np.abs(audio.samples).max() <= 1.0
    with pytest.raises(DataError, match="no such clip"):
        data.read("no-such-clip")


@pytest.mark.parametrize("kind", [name for name, entry in DATASETS.items() if not entry.ready_made])
def test_stems_make_the_clip_where_masks_are_promised(kind, made):
    data = made(kind)
    assert isinstance(data, AudioDataset)
    clips = data.clips().groupby(["split", "label"]).head(2)
    for row in clips.itertuples():
        stems = data.stems(row.clip_id)
        assert (stems is not None) == ("masks" in DATASETS[kind].truth)
        if stems is not None:
            _check_stems(stems, data.read(row.clip_id).samples, row)


def _check_stems(stems: Stems, samples: np.ndarray, row) -> None:
    assert np.array_equal(stems.normal + stems.fault, samples)
    assert stems.rate_hz == row.sample_rate_hz
    heard = np.flatnonzero(stems.fault)
    if row.label == "normal":
        assert heard.size == 0
        assert row.events is not None and len(row.events) == 0
        return
    (event,) = row.events
    # the fault sounds within its event, to the sample
    assert event["onset_s"] * stems.rate_hz <= heard[0] + 0.5
    assert heard[-1] <= event["offset_s"] * stems.rate_hz - 0.5


def folder_of(data: Dataset) -> Path:
    return Path(getattr(data, "folder", None) or data.settings.folder)


def by_hand(kind: str, data: Dataset, folder: Path, **changes: str) -> Dataset:
    """The tree of ``data`` in ``folder``, opened as one that somebody placed there; any number of clips will do."""
    if "expected_counts" in DATASETS[kind].parameters.model_fields:
        changes = {"expected_counts": "any", **changes}
    return SMALL_SETS[kind].placed_by_hand(kind, data, folder, **changes)


@pytest.fixture
def spoilt(made, tmp_path):
    """A copy of a small tree, and the file of one of its clips in it, to be spoilt."""

    def copy(kind: str) -> tuple[Dataset, Path]:
        data = made(kind)
        shutil.copytree(folder_of(data), tmp_path / "copy")
        place = data.clips()["path"].iloc[0]
        return by_hand(kind, data, tmp_path / "copy"), tmp_path / "copy" / place

    return copy


@pytest.mark.parametrize("kind", WITH_FILES)
def test_the_same_tree_placed_by_hand_gives_the_same_clips(kind, made):
    data = made(kind)
    pd.testing.assert_frame_equal(by_hand(kind, data, folder_of(data)).clips(), data.clips())


@pytest.mark.parametrize("kind", WITH_FILES)
def test_a_missing_folder_is_named(kind, made, tmp_path):
    with pytest.raises(DataError, match="nowhere") as error:
        by_hand(kind, made(kind), tmp_path / "nowhere").clips()
    assert error.value.remedy


@pytest.mark.parametrize("kind", [kind for kind in WITH_FILES if SMALL_SETS[kind].named])
def test_a_name_outside_the_scheme_is_refused(kind, spoilt):
    data, clip = spoilt(kind)
    clip.rename(clip.with_name(f"strange{clip.suffix}"))
    with pytest.raises(DataError) as error:
        data.clips()
    assert "strange" in str(error.value) or clip.name in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize("kind", WITH_FILES)
def test_a_file_that_is_cut_off_is_refused(kind, spoilt):
    data, clip = spoilt(kind)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(DataError) as error:
        for clip_id in data.clips()["clip_id"]:
            data.read(clip_id)
    assert clip.name in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize("kind", [kind for kind in WITH_FILES if SMALL_SETS[kind].counted])
def test_other_numbers_than_the_published_ones_are_refused(kind, made):
    data = made(kind)
    with pytest.raises(DataError, match="expected_counts: any"):
        by_hand(kind, data, folder_of(data), expected_counts="published").clips()
