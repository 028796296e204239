"""What cutting to one length does to labels, events and accidents of length: refused or said, never silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from soundproof.core.errors import DataError, SettingError
from soundproof.datasets.own.recordings import RecordingsDataset
from soundproof.folders.cutting import Cut
from soundproof.folders.layouts import Event, LabelledFile
from soundproof.folders.lengths import rounded_down, settle
from soundproof.folders.settings import RecordingsParameters

RATE = 1_000


def folder(
    root: Path, lengths: dict[str, float], events: dict[str, list[tuple[float, float]]] | None = None
) -> Path:
    """Write noise of the given seconds below ``root``, and a label table where there are events."""
    rows = ["path,label,split,onset_s,offset_s"]
    for number, (name, seconds) in enumerate(lengths.items()):
        path = root / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, round(seconds * RATE))
        soundfile.write(path, noise, RATE)
        label = "anomaly" if "anomaly" in name else "normal"
        found = (events or {}).get(name, [("", "")])
        rows += [f"{name}.wav,{label},{name.split('/')[0]},{a},{b}" for a, b in found]
    (root / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return root


def dataset(root: Path, **settings: Any) -> RecordingsDataset:
    labels = str(root / "labels.csv")
    return RecordingsDataset(RecordingsParameters(folder=str(root), labels=labels, **settings), root)


def notes(data: RecordingsDataset) -> dict[str, str]:
    return {f"{note.kind}: {note.subject}": note.text for note in data.notes()}


USUAL = {"train/a": 10.0, "train/b": 10.0, "train/c": 10.0, "test/n": 10.0}
FAULTY = {f"test/anomaly{number}": 10.0 for number in range(3)}


def test_events_in_what_is_dropped_are_refused_by_name_and_the_remedy_works(tmp_path: Path) -> None:
    events = {name: [(8.0, 9.5)] for name in FAULTY}
    root = folder(tmp_path, {**USUAL, **FAULTY, "test/short": 7.0}, events)
    with pytest.raises(SettingError) as caught:
        dataset(root).clips()
    for part in ("3 events of 3 recordings", "'test/anomaly0.wav' 8-9.5 s", "remove 'test/short.wav'"):
        assert part in str(caught.value)
    clips = dataset(root, **caught.value.changes).clips()
    faulty = clips[clips["path"].str.contains("anomaly")]
    assert (faulty.groupby("path")["label"].apply(lambda labels: (labels == "anomaly").sum()) > 0).all()
    held = faulty["events"].map(len).sum()
    assert held >= 3


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ((7.0, 8.0), "lost"),
        ((6.9996, 8.0), "lost"),
        ((9.9, 10.0), "lost"),
        ((6.5, 8.0), "shortened"),
        ((0.0, 10.0), "shortened"),
        ((6.0, 7.0), "kept"),
        ((0.0, 0.001), "kept"),
    ],
)
def test_an_event_is_kept_shortened_or_lost(event: tuple[float, float], what: str) -> None:
    file = LabelledFile(path="a.wav", split="test", label="anomaly", events=(Event(*event),))
    cut = Cut.of(file, RATE, 10_000, 7.0)
    found = "lost" if cut.lost() else "shortened" if cut.shortened() else "kept"
    assert found == what


@given(st.integers(10, 5_000), st.integers(1, 500), st.integers(0, 4_990), st.integers(1, 400))
def test_no_event_is_lost_unless_it_is_named(n_samples: int, piece: int, onset: int, length: int) -> None:
    piece, onset = min(piece, n_samples), min(onset, n_samples - 1)
    offset = min(onset + length, n_samples)
    event = Event(onset / RATE, offset / RATE)
    file = LabelledFile(path="a", split="test", label="anomaly", events=(event,))
    cut = Cut.of(file, RATE, n_samples, piece / RATE)
    overlaps = any(onset < start + cut.piece and offset > start for start in cut.starts)
    assert overlaps == (not cut.lost())


def test_one_event_of_several_that_is_lost_is_named_alone(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY}, {"test/anomaly1": [(1.0, 2.0), (9.5, 9.9)]})
    with pytest.raises(DataError, match=r"1 event of 1 recording .*'test/anomaly1\.wav' 9\.5-9\.9 s"):
        dataset(root, segment_seconds=3.0).clips()


def test_an_event_over_two_pieces_makes_both_faulty_and_the_others_normal_aloud(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, "test/anomaly0": 10.0}, {"test/anomaly0": [(4.5, 5.5)]})
    data = dataset(root, segment_seconds=2.5)
    clips = data.clips()
    own = clips[clips["path"] == "test/anomaly0.wav"]
    assert list(own["label"]) == ["normal", "anomaly", "anomaly", "normal"]
    assert [events and events[0]["offset_s"] for events in own["events"]] == [[], 2.5, 0.5, []]
    text = notes(data)["cut: Normal pieces of faulty recordings"]
    assert "2 clips of 1 faulty recording ('test/anomaly0.wav')" in text


def test_faulty_recordings_without_events_stay_faulty_in_every_piece_aloud(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY})
    data = dataset(root, segment_seconds=3.0)
    clips = data.clips()
    assert set(clips.loc[clips["path"].str.contains("anomaly"), "label"]) == {"anomaly"}
    said = notes(data)
    assert said["caution: Faulty recordings without events"].startswith("all 9 clips of 3 recordings")
    assert said["caution: Ends of faulty recordings"].startswith("up to 1 s are dropped")
    assert "7 recordings of 7 to 21 clips of 3 s" in said["cut: Recordings"]
    assert "7 of 70 s are dropped" in said["cut: Recordings"]


def test_events_cut_short_are_said(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, "test/anomaly0": 10.0}, {"test/anomaly0": [(8.0, 9.5)]})
    said = notes(dataset(root, segment_seconds=3.0))
    assert "'test/anomaly0.wav' 8-9.5 s (kept to 9 s)" in said["caution: Events cut short"]


def test_recordings_of_one_length_need_no_word(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY})
    assert list(notes(dataset(root))) == ["read: Channels"]


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.9])
def test_one_accident_is_left_out_and_named(seconds: float, tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY, "train/accident": seconds})
    data = dataset(root)
    clips = data.clips()
    assert len(clips) == 7 and clips.attrs["segment_seconds"] == 10.0
    assert "train/accident.wav" not in set(clips["path"])
    text = notes(data)["left out: Too short"]
    assert f"'train/accident.wav' of {seconds:g} s" in text and "median length 10 s" in text
    # who means it says so
    used = dataset(root, segment_seconds=seconds).clips()
    assert "train/accident.wav" in set(used["path"])
    assert "train/accident.wav" not in set(dataset(root, segment_seconds=5.0).clips()["path"])


@pytest.mark.parametrize(
    ("short", "named"),
    [
        # a faulty one is not left out without its owner's will
        ({"test/anomaly9": 0.01}, "test/anomaly9"),
        ({"train/x": 0.01, "train/y": 0.01}, "train/x"),
        ({"train/x": 0.5, "train/y": 0.01, "test/z": 0.02}, "train/y"),
    ],
)
def test_accidents_that_cannot_be_left_out_are_refused_by_name(
    short: dict[str, float], named: str, tmp_path: Path
) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY, **short})
    with pytest.raises(
        SettingError, match=rf"median, 10 s(?s:.)*'{named}\.wav' of 0\.01 s(?s:.)*remove them"
    ) as caught:
        dataset(root).clips()
    assert set(dataset(root, **caught.value.changes).clips()["path"]) >= {f"{name}.wav" for name in short}


def test_the_only_normal_test_recording_is_not_left_out(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/a": 10.0, "train/b": 10.0, "train/c": 10.0, "test/n": 0.01, **FAULTY})
    with pytest.raises(SettingError, match=r"test/n\.wav"):
        dataset(root).clips()


def test_lengths_that_differ_by_design_are_no_accidents(tmp_path: Path) -> None:
    files = [LabelledFile(path=f"{n}", split="train", label="normal") for n in range(10)]
    lengths = {f"{n}": 2.0 + n for n in range(10)}
    settled = settle(tmp_path, files, lengths, None)
    assert (settled.seconds, settled.from_path, settled.left_out) == (2.0, "0", ())


def test_one_long_recording_that_gives_most_clips_is_named(tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, "train/day": 600.0})
    said = notes(dataset(root))["caution: One long recording"]
    assert said == "'train/day.wav' of 600 s alone gives 60 of the 64 clips"


@given(st.floats(1e-4, 1e5))
def test_lengths_to_set_are_never_above(seconds: float) -> None:
    rounded = rounded_down(seconds)
    assert 0.998 * seconds < rounded <= seconds
    assert float(f"{rounded:g}") == rounded


@pytest.mark.parametrize(
    ("name", "options"),
    [("copy.flac", {}), ("copy.wav", {"subtype": "FLOAT"}), ("copy.wav", {"subtype": "PCM_24"})],
)
def test_the_same_sound_in_another_file_is_seen(name: str, options: dict[str, str], tmp_path: Path) -> None:
    root = folder(tmp_path, {**USUAL, **FAULTY})
    sound, _ = soundfile.read(root / "train/a.wav")
    soundfile.write(root / "test" / name, sound, RATE, **options)
    with (root / "labels.csv").open("a", encoding="utf-8") as table:
        table.write(f"\ntest/{name},normal,test,,")
    with pytest.raises(DataError, match=rf"1 sounds are in both, first 'train/a\.wav' and 'test/{name}'"):
        dataset(root).clips()
    # a sound that differs in one sample is another
    sound[-1] += 0.25
    soundfile.write(root / "test" / name, sound, RATE, **options)
    assert f"test/{name}" in set(dataset(root).clips()["path"])


def test_only_recordings_that_begin_alike_are_decoded_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from soundproof.datasets.own import recordings

    read = []
    original = recordings.mono_pieces

    def counted(path: Path, *args: Any, **options: Any) -> Any:
        read.append((path.name, options["n_samples"]))
        return original(path, *args, **options)

    monkeypatch.setattr(recordings, "mono_pieces", counted)
    dataset(folder(tmp_path, {**USUAL, **FAULTY})).clips()
    assert len(read) == 7 and {n_samples for _, n_samples in read} == {4_096}


def test_two_long_files_leave_no_normal_test_clip_and_what_to_do_is_said(tmp_path: Path) -> None:
    for name in ("normal/day.wav", "abnormal/day.wav"):
        (tmp_path / name).parent.mkdir()
        soundfile.write(tmp_path / name, np.random.default_rng(len(name)).uniform(-0.5, 0.5, 60_000), RATE)
    data = RecordingsDataset(RecordingsParameters(folder=str(tmp_path), segment_seconds=2.0), tmp_path)
    with pytest.raises(
        DataError, match=r"1 normal file\(s\), first 'normal/day\.wav'(?s:.)*cut the one there is"
    ):
        data.clips()
