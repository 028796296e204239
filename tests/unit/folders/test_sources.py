"""What is read is what is tracked: loaders and workflow see the same files, and unused sound is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toys.own_sources import LAYOUT, ROWS, choice, layout, sound, table

from soundproof.audio.file_kinds import FORMATS, NOT_READ, sounds_by_content
from soundproof.core.choice import choose
from soundproof.core.errors import DataError
from soundproof.datasets.open import open_dataset
from soundproof.datasets.registry import DATASETS
from soundproof.folders.folder_files import clip_files, unused_sound
from soundproof.folders.sources import external_maps, joint, source_digests, sources

SUFFIXES = frozenset({".wav", ".flac"})


def read(chosen) -> set[str]:
    return set(open_dataset(chosen.plain(), Path("data")).clips()["path"])


def test_every_format_of_libsndfile_has_its_suffixes():
    assert set(FORMATS) | set(NOT_READ) == set(soundfile.available_formats())
    assert not set(FORMATS) & set(NOT_READ)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_under_each_of_its_suffixes_in_any_case(tmp_path, name):
    folder = layout(tmp_path / "fan")
    subtype = soundfile.default_subtype(name)
    for suffix in FORMATS[name]:
        target = folder / "test/anomaly" / f"x{suffix}"
        sound(target, len(suffix), format=name, subtype=subtype)
        target.rename(target.with_suffix(suffix.upper()))
    chosen = choice(folder)
    assert {f"test/anomaly/x{suffix.upper()}" for suffix in FORMATS[name]} <= read(chosen)
    assert read(chosen) == set(sources(chosen))
    data = open_dataset(chosen.plain(), Path("data"))
    for clip_id in data.clips()["clip_id"]:
        assert len(data.read(clip_id).samples) > 0


def test_links_to_files_and_folders_are_followed_and_tracked(tmp_path):
    sound(tmp_path / "nas/ok/far.WAV", 7)
    folder = layout(tmp_path / "fan")
    (folder / "train/normal/more").symlink_to(tmp_path / "nas/ok")
    (folder / "train/normal/one.wav").symlink_to(sound(tmp_path / "other.bin", 9))
    # back into the folder, up, and round in a circle outside
    (folder / "train/normal/again").symlink_to(folder / "train/normal")
    (folder / "up").symlink_to(tmp_path)
    (tmp_path / "nas/ok/round").symlink_to(tmp_path / "nas/ok")
    chosen = choice(folder)
    assert (
        read(chosen) == set(sources(chosen)) == {*LAYOUT, "train/normal/more/far.WAV", "train/normal/one.wav"}
    )
    before = source_digests(chosen)
    sound(tmp_path / "nas/ok/far.WAV", 8)
    after = source_digests(chosen)
    assert {name for name in before if before[name] != after[name]} == {"train/normal/more/far.WAV"}


def test_a_link_to_nothing_is_refused_by_name(tmp_path):
    folder = layout(tmp_path / "fan")
    (folder / "train/normal/gone.wav").symlink_to(tmp_path / "nowhere.wav")
    with pytest.raises(DataError, match=r"gone\.wav\n  found: a link to .*nowhere\.wav, where nothing is"):
        source_digests(choice(folder))


JUNK = (
    *(
        "._a.wav",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "~$labels.xlsx",
        ".~lock.labels.csv#",
        ".a.wav.swp",
    ),
    *(
        "@eaDir/a.wav/SYNOINDEX_MEDIA_INFO",
        "__MACOSX/train/normal/._a.wav",
        ".Trash-1000/info/a.wav.trashinfo",
    ),
    *("$RECYCLE.BIN/desktop.ini", "System Volume Information/IndexerVolumeGuid", "a.wav:Zone.Identifier"),
    *(".git/objects/aa", "a.wav.asd", "a.reapeaks", "notes.txt", "lost+found/a"),
)


def test_what_file_managers_and_network_drives_leave_behind_is_skipped_without_a_word(tmp_path):
    folder = layout(tmp_path / "fan")
    for place in ("", "train/normal/", "test/anomaly/"):
        for name in JUNK:
            path = folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    chosen = choice(folder)
    assert read(chosen) == set(sources(chosen)) == set(LAYOUT)
    assert unused_sound(folder, SUFFIXES, LAYOUT) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("train/normal/e.m4a", "in a format that libsndfile cannot read: convert to wav or flac"),
        ("train/normal/e.WMA", "in a format that libsndfile cannot read: convert to wav or flac"),
        ("train/normal/e.raw", "in a format that libsndfile cannot read: convert to wav or flac"),
        ("train/normal/.e.wav", "hidden"),
        (".backup/train/normal/e.wav", "hidden"),
        ("#recycle/e.wav", "left behind by a file manager or network drive"),
        ("$Recycle.Bin/$RA1B2C3.wav", "left behind by a file manager or network drive"),
        ("train/normal/e.wav.part", "with a name that ends in no suffix of sound: rename, if it is whole"),
        (
            "train/normal/e.wav.crdownload",
            "with a name that ends in no suffix of sound: rename, if it is whole",
        ),
        ("train/normal/e.wav~", "with a name that ends in no suffix of sound: rename, if it is whole"),
        ("train/normal/recorded", "with a name that ends in no suffix of sound: rename, if it is whole"),
        ("train/normal/e.dat", "with a name that ends in no suffix of sound: rename, if it is whole"),
        ("train/normal/.e.wav.icloud", "not there yet (a placeholder of a synced folder)"),
    ],
)
def test_sound_that_is_not_used_is_named_with_its_reason(tmp_path, name, why, caplog):
    folder = layout(tmp_path / "fan")
    sound(folder / name)
    chosen = choice(folder)
    assert read(chosen) == set(sources(chosen)) == set(LAYOUT)
    # one warning of one line, which goes to the terminal and into the log
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == [f"{folder}: 1 sound file is not used: 1 {why} ('{name}')"]


def test_unused_sound_is_counted_by_reason_in_one_line(tmp_path):
    folder = layout(tmp_path / "fan")
    for number in range(5):
        sound(folder / f"train/normal/{number}.m4a")
    sound(folder / ".x.wav")
    said = unused_sound(folder, SUFFIXES, LAYOUT)
    assert said == (
        f"{folder}: 6 sound files are not used: 1 hidden ('.x.wav'); 5 in a format that libsndfile cannot read: "
        "convert to wav or flac ('train/normal/0.m4a', 'train/normal/1.m4a', 'train/normal/2.m4a', ...)"
    )


def test_a_folder_of_other_formats_only_says_which_it_has(tmp_path):
    sound(tmp_path / "fan/train/normal/a.m4a")
    with pytest.raises(
        DataError, match=r"no file that ends in .*1 in a format that libsndfile cannot read.*a\.m4a"
    ):
        read(choice(tmp_path / "fan"))


def test_unused_sound_is_said_before_what_is_missing_is_refused(tmp_path, caplog):
    folder = layout(tmp_path / "fan")
    for name in LAYOUT[2:]:
        (folder / name).rename((folder / name).with_suffix(".m4a"))
    with pytest.raises(DataError, match="no test clips"):
        read(choice(folder))
    assert "2 sound files are not used: 2 in a format that libsndfile cannot read" in caplog.text


@pytest.mark.parametrize(
    "name",
    [".hidden.wav", ".store/e.wav", "@eaDir/e.wav", "linked/e.wav", "sub\\e.wav", "Müller e.WAV", "a;b.wav"],
)
def test_a_file_that_only_the_table_reaches_is_tracked(tmp_path, name):
    folder = layout(tmp_path / "fan")
    (tmp_path / "nas").mkdir()
    (folder / "linked").symlink_to(tmp_path / "nas")
    target = folder / name.replace("\\", "/")
    sound(target, 3)
    chosen = choice(folder, labels=str(table(folder, ROWS.format(more=f"{name},test,anomaly\n"))))
    assert read(chosen) | {"labels.csv"} == set(sources(chosen))
    before = joint(source_digests(chosen))
    sound(target, 4)
    assert joint(source_digests(chosen)) != before


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_table_of_any_dialect_gives_its_files(tmp_path, separator, encoding):
    folder = layout(tmp_path / "fan")
    sound(folder / "Säge.wav")
    text = ROWS.format(more='"Säge.wav",test,anomaly\n').replace(",", separator).replace("\n", "\r\n")
    found = sources(choice(folder, labels=str(table(folder, text, encoding))))
    assert set(found) == {"labels.csv", "train/normal/a.wav", "test/normal/c.wav", "Säge.wav"}


def test_names_composed_otherwise_in_table_and_folder_are_found(tmp_path):
    folder = layout(tmp_path / "fan")
    sound(folder / "Sa\u0308ge.wav")
    found = sources(
        choice(folder, labels=str(table(folder, ROWS.format(more="S\u00e4ge.wav,test,anomaly\n"))))
    )
    assert "Sa\u0308ge.wav" in found


def test_a_change_of_the_table_alone_is_seen_and_what_it_leaves_out_is_said(tmp_path, caplog):
    folder = layout(tmp_path / "fan")
    labels = table(folder, ROWS.format(more="test/anomaly/d.wav,test,anomaly\n"))
    chosen = choice(folder, labels=str(labels))
    before = source_digests(chosen)
    assert read(chosen) == {"train/normal/a.wav", "test/normal/c.wav", "test/anomaly/d.wav"}
    assert "1 sound file is not used: 1 not named in labels.csv ('train/normal/b.wav')" in caplog.text
    labels.write_text(labels.read_text().replace("anomaly\n", "anomaly \n"))
    after = source_digests(chosen)
    assert {name for name in before if before[name] != after[name]} == {"labels.csv"}


def test_a_clip_filed_elsewhere_changes_the_digest_though_no_content_did(tmp_path):
    folder = layout(tmp_path / "fan")
    before = joint(source_digests(choice(folder)))
    (folder / "train/normal/b.wav").rename(folder / "test/anomaly/b.wav")
    assert joint(source_digests(choice(folder))) != before


def test_spectrograms_are_tracked_in_any_case_and_sound_beside_them_is_said(tmp_path, caplog):
    rng = np.random.default_rng(3)
    for name in LAYOUT:
        path = tmp_path / "maps" / Path(name).with_suffix(".NPY")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            np.save(stream, rng.normal(size=(4, 8)))
    sound(tmp_path / "maps/train/normal/a.wav")
    chosen = choice(tmp_path / "maps", "spectrograms", frames_per_second=10, high_hz=4000)
    assert read(chosen) == set(sources(chosen))
    assert "1 no clip of this data set, which reads .npy, .pt ('train/normal/a.wav')" in caplog.text


def test_only_files_are_clips(tmp_path):
    folder = layout(tmp_path / "fan")
    (folder / "train/normal/folder.wav").mkdir()
    os.mkfifo(folder / "train/normal/pipe.wav")
    assert set(clip_files(folder, SUFFIXES)) == set(LAYOUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
def test_a_folder_that_cannot_be_looked_into_is_an_error(tmp_path):
    folder = layout(tmp_path / "fan")
    (folder / "train/normal").chmod(0)
    with pytest.raises(DataError, match=r"train/normal\n  found: Permission denied"):
        clip_files(folder, SUFFIXES)
    (folder / "train/normal").chmod(0o755)


def test_a_published_set_in_a_folder_of_ones_own_is_tracked_whole_and_a_download_is_not(tmp_path):
    (tmp_path / "planer/training").mkdir(parents=True)
    (tmp_path / "planer/training/a.pt").write_bytes(b"1")
    (tmp_path / "labels.csv").write_bytes(b"2")
    chosen = choice(tmp_path / "planer", "planer", labels=str(tmp_path / "labels.csv"))
    assert set(sources(chosen)) == {"training/a.pt", "labels.csv"}
    (tmp_path / "mimii").mkdir()
    (tmp_path / "mimii/6_dB_fan.zip").write_bytes(b"3")
    assert set(sources(choice(tmp_path / "mimii", "mimii"))) == {"6_dB_fan.zip"}
    assert sources(choose(DATASETS, {"kind": "mimii"})) == sources(choose(DATASETS, {"kind": "bench"})) == {}
    assert joint({}) is None


def test_maps_made_elsewhere_are_the_files_that_the_explainer_reads(tmp_path):
    for name in ("a.npy", "b.npy", "c.txt", "sub/d.npy"):
        (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "maps" / name).touch()
    assert set(external_maps(tmp_path / "maps")) == {"a.npy", "b.npy"}
    assert set(external_maps(tmp_path / "maps.parquet")) == {"maps.parquet"}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_common_formats_are_known_by_their_first_bytes(tmp_path, name):
    path = sound(tmp_path / f"x{FORMATS[name][0]}", 1, format=name, subtype=soundfile.default_subtype(name))
    rare = {"AVR", "HTK", "IRCAM", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "SDS", "WVE"}
    assert sounds_by_content(path) == (name not in rare)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF\0\0\0\0AVI LIST", "Text ÿ".encode("utf-16"), b"\xff\xd8\xff\xe0 jpeg"]
)
def test_other_files_are_not_taken_for_sound(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    assert not sounds_by_content(tmp_path / "x")


def test_the_workflow_asks_without_loading_a_numerical_library():
    heavy = ("torch", "pandas", "numpy", "soundfile", "pyarrow")
    modules = "soundproof.runs.expected, soundproof.folders.sources"
    program = f"import sys, {modules}; print(*[name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
