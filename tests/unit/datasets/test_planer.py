from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from http_server import FileServer
from planer_toys import BROKEN, LABELS, MEMBERS, clip_map

from soundproof.core.errors import ConfigError, DataError
from soundproof.core.registry import Entry
from soundproof.datasets.planer.dataset import ARCHIVE, PUBLISHED, PlanerDataset
from soundproof.datasets.planer.labels import read_planer_labels
from soundproof.downloads.remote_file import RemoteFile
from soundproof.folders.settings import PlanerParameters


@cache
def packed(prefix: str = "") -> bytes:
    # made once: a zip holds the time of its making
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in MEMBERS:
            tensor = io.BytesIO()
            torch.save(clip_map(name), tensor)
            archive.writestr(name.removeprefix(prefix), tensor.getvalue())
    return stream.getvalue()


def planer(site: FileServer, data_dir: Path, prefix: str = "", **settings: Any) -> PlanerDataset:
    """The data set, told to find its two files on the loopback server."""
    body = packed(prefix)
    site.files.update({"data.zip": body, "labels.csv": LABELS.encode()})

    class MiniPlaner(PlanerDataset):
        archive = RemoteFile(
            "data.zip", (site.url("data.zip"),), n_bytes=len(body), sha256=hashlib.sha256(body).hexdigest()
        )
        labels = RemoteFile("labels.csv", (site.url("labels.csv"),))

    return MiniPlaner(PlanerParameters(**{"expected_counts": "any", **settings}), data_dir)


@pytest.mark.parametrize("prefix", ["", "data/"])
def test_download_verify_unpack_list_read(site: FileServer, tmp_path: Path, prefix: str) -> None:
    data = planer(site, tmp_path / "data", prefix)
    folder, labels = data.fetch()
    assert (folder / "training").is_dir()
    assert labels.read_text() == LABELS
    clips = data.clips().set_index("path", drop=False)
    assert len(clips) == len(MEMBERS)
    assert clips.attrs == {"n_freq": 80, "n_frames": 401, "frames_per_second": 40.0}
    broken = clips.loc["evaluation/anomalies/broken_board/r1_2.pt"]
    assert (broken["split"], broken["label"], broken["anomaly_type"]) == ("test", "anomaly", "broken_board")
    assert [(event["onset_s"], event["offset_s"]) for event in broken["events"]] == [(2.0, 4.0), (9.0, 10.0)]
    assert clips.loc["evaluation/anomalies/board_stuck/r2_1.pt", "events"] is None
    assert set(clips.loc[clips["split"] == "train", "machine_id"]) == {"2x3", "2x4", "2x6"}
    for clip_id, path in zip(clips["clip_id"], clips["path"], strict=True):
        np.testing.assert_array_equal(data.read(clip_id), clip_map(f"data/{path}").numpy())
    assert len(data.frequencies_hz) == 80
    assert 0 < data.frequencies_hz[0] < data.frequencies_hz[-1] < 10_000


def test_a_second_fetch_asks_nobody_even_without_the_zip(site: FileServer, tmp_path: Path) -> None:
    data = planer(site, tmp_path)
    data.fetch()
    n_requests = len(site.requests)
    (tmp_path / "planer" / "data.zip").unlink()
    planer(site, tmp_path).fetch()
    assert len(site.requests) == n_requests == 2


def test_mirrors_come_first(site: FileServer, tmp_path: Path) -> None:
    planer(site, tmp_path, mirrors=(site.url("gone.zip"),)).fetch()
    asked = [request.path for request in site.requests if request.path != "labels.csv"]
    assert asked == ["gone.zip", "data.zip"]


def test_a_folder_at_hand_needs_no_download(site: FileServer, tmp_path: Path) -> None:
    folder, labels = planer(site, tmp_path / "first").fetch()
    n_requests = len(site.requests)
    data = planer(site, tmp_path / "second", folder=str(folder), labels=str(labels))
    assert data.fetch() == [folder, labels]
    assert len(data.clips()) == len(MEMBERS)
    assert len(site.requests) == n_requests


def test_an_interrupted_download_continues(site: FileServer, tmp_path: Path) -> None:
    data = planer(site, tmp_path)
    (tmp_path / "planer").mkdir(parents=True)
    (tmp_path / "planer" / "data.zip.part").write_bytes(site.files["data.zip"][:1_000])
    data.fetch()
    assert [request.range for request in site.requests if request.path == "data.zip"] == ["bytes=1000-"]
    assert len(data.clips()) == len(MEMBERS)


def test_other_counts_than_the_published_are_refused(site: FileServer, tmp_path: Path) -> None:
    data = planer(site, tmp_path, expected_counts="published")
    data.fetch()
    with pytest.raises(DataError, match="4327") as caught:
        data.clips()
    assert "'training normal': 3" in caught.value.found
    assert "'annotated': 1" in caught.value.found
    assert ARCHIVE.n_bytes == 1_082_911_671
    assert sum(list(PUBLISHED.values())[:3]) == 7562


def test_clips_before_the_download_tell_what_to_do(site: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        planer(site, tmp_path).clips()
    with pytest.raises(DataError, match="download first"):
        _ = planer(site, tmp_path).folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Board (Anomaly) Type", "Board", "column 'Board"),
        ("(12,14)", "(12,15)", "make the columns agree"),
        ("(12,14)", "(22,24)", "make the columns agree"),
        ("(360,399)", "(360,400)", "make the columns agree"),
        ('"[(12,14), (19,20)]"', "-", "make the columns agree"),
        ("[(12,14), (19,20)]", "later", "give"),
        ("[(12,14), (19,20)]", "[(12,14), 19]", "give"),
        ("r1_2.pt,2,", "r1_2.pt,two,", "give 1, 2"),
        ("r2_1.pt", "r1_2.pt", "two rows"),
    ],
)
def test_errors_in_the_labels_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in LABELS
    (tmp_path / "labels.csv").write_text(LABELS.replace(old, new))
    with pytest.raises(DataError, match=message):
        read_planer_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (BROKEN, BROKEN + BROKEN.replace("r1_2", "r9_2"), r"first 'r9_2\.pt'"),
        (BROKEN, "", "no row for it"),
        ("broken_board", "board_stuck", "kind 'board_stuck' instead of 'broken_board'"),
    ],
)
def test_labels_and_clips_must_match(
    site: FileServer, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "labels.csv").write_text(LABELS.replace(old, new))
    data = planer(site, tmp_path, labels=str(tmp_path / "labels.csv"))
    data.fetch()
    with pytest.raises(DataError, match=message):
        data.clips()


def test_settings_are_checked() -> None:
    entry = Entry(name="planer", title="", implementation="", citation="", parameters=PlanerParameters)
    with pytest.raises(ConfigError, match="expected_counts"):
        entry.settings({"expected_counts": "some"})
