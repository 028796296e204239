from __future__ import annotations

import hashlib
from pathlib import Path

import dcase_toys as toys
import numpy as np
import pyarrow as pa
import pytest
from dcase_toys import dcase

from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.dcase.editions import EDITIONS
from soundproof.datasets.registry import DATASETS
from soundproof.storage.schemas import CLIPS


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two machines of 2022, one with two sections, placed by hand."""
    folder = tmp_path / "tree"
    toys.write(folder, toys.files_2022("fan") | toys.files_2022("fan", "01") | toys.files_2022("valve"))
    return folder


def test_clips_of_a_tree_placed_by_hand(tree: Path, tmp_path: Path) -> None:
    data = dcase(2022, tmp_path, folder=str(tree), machines=("valve", "fan"), digests=True)
    clips = data.clips()
    assert pa.Table.from_pandas(clips, schema=CLIPS, preserve_index=False).num_rows == 3 * 12
    assert clips["clip_id"].is_unique
    assert clips["clip_id"].is_monotonic_increasing
    assert clips.groupby(["machine", "machine_id"]).size().to_dict() == {
        ("fan", "00"): 12,
        ("fan", "01"): 12,
        ("valve", "00"): 12,
    }
    assert clips.groupby(["split", "domain", "label"]).size().to_dict() == {
        ("train", "source", "normal"): 9,
        ("train", "target", "normal"): 3,
        **{("test", domain, label): 6 for domain in toys.DOMAINS for label in toys.LABELS},
    }
    one = clips.set_index("clip_id").loc["fan--train--section_01_target_train_normal_0000_spd_B"]
    content = (tree / one["path"]).read_bytes()
    assert (one["attributes"], one["dataset"], one["sample_rate_hz"]) == ("spd=B", "dcase2022", 16_000)
    assert (one["n_samples"], one["sha256"]) == (1_600, hashlib.sha256(content).hexdigest())
    assert len(data.read(str(one.name)).samples) == 1_600
    assert data.fetch() == []


def test_clip_ids_do_not_depend_on_where_the_tree_lies(tree: Path, tmp_path: Path) -> None:
    by_hand = dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()
    toys.write(tmp_path / "dcase2022" / "dev_valve", toys.files_2022("valve"))
    unpacked = dcase(2022, tmp_path, machines=("valve",)).clips()
    assert list(unpacked["clip_id"]) == list(by_hand["clip_id"])
    assert unpacked["path"].str.startswith("dev_valve/valve/").all()


def test_sections_are_chosen_however_they_are_written(tree: Path, tmp_path: Path) -> None:
    for section in (1, "01"):
        clips = dcase(2022, tmp_path, folder=str(tree), machines=("fan",), sections=(section,)).clips()
        assert set(clips["machine_id"]) == {"01"}
    with pytest.raises(DataError, match="use some of: 00") as caught:
        dcase(2022, tmp_path, folder=str(tree), machines=("valve",), sections=("05",)).clips()
    assert "section '05' of 'valve'" in caught.value.asked


def test_names_of_2020_and_their_ids(tmp_path: Path) -> None:
    for machine_id in ("00", "04"):
        names = toys.names_2020(machine_id)
        toys.write(tmp_path / "dcase2020", {f"pump/{name}": toys.wav(name) for name in names})
    clips = dcase(2020, tmp_path, machines=("pump",)).clips()
    assert clips.groupby(["machine_id", "split", "label"]).size().to_dict() == {
        (machine_id, split, label): count
        for machine_id in ("00", "04")
        for split, label, count in (("train", "normal", 3), ("test", "normal", 2), ("test", "anomaly", 2))
    }
    assert clips["domain"].isna().all()
    assert clips["attributes"].isna().all()


def test_2021_keeps_its_domains_in_folders(tmp_path: Path) -> None:
    places = [*toys.train_names(), *toys.test_names()]
    moved = {
        place: place.replace("test/section_00_source", "source_test/section_00_source") for place in places
    }
    moved = {
        a: b.replace("test/section_00_target", "target_test/section_00_target") for a, b in moved.items()
    }
    toys.write(tmp_path / "dcase2021" / "fan", {place: toys.wav(place) for place in moved.values()})
    clips = dcase(2021, tmp_path, machines=("fan",)).clips()
    assert (clips["split"].eq("test") & clips["domain"].eq("target")).sum() == 4
    wrong = tmp_path / "dcase2021/fan/target_test/section_00_source_test_normal_0009.wav"
    wrong.write_bytes(toys.wav("wrong"))
    with pytest.raises(DataError, match="does not fit the folder 'target_test'"):
        dcase(2021, tmp_path, machines=("fan",)).clips()


def test_supplemental_clips_are_left_out(tmp_path: Path) -> None:
    extra = {"fan/supplemental/section_00_noise_supplemental_normal_0000.wav": toys.wav("noise")}
    toys.write(tmp_path / "dcase2025", toys.files_2022("fan") | extra)
    assert len(dcase(2025, tmp_path, machines=("fan",)).clips()) == 12


def test_concealed_attributes_are_none(tmp_path: Path) -> None:
    places = [*toys.train_names(), *toys.test_names()]
    concealed = [place.replace("spd_A", "noAttribute").replace("spd_B", "noAttribute") for place in places]
    concealed = [place.replace("spd_S", "noAttribute").replace("spd_T", "noAttribute") for place in concealed]
    toys.write(tmp_path / "dcase2024" / "gearbox", {place: toys.wav(place) for place in concealed})
    path = tmp_path / "dcase2024/gearbox/attributes_00.csv"
    rows = [f"gearbox/{place}" for place in concealed]
    for header, cells in (
        ("file_name", ""),
        ("file_name,d1p,d1v", ",,"),
        ("file_name,d1p,d1v", ",noAttribute,noAttribute"),
        ("", None),
    ):
        if cells is None:
            path.unlink()
        else:
            path.write_text("\n".join([header, *(row + cells for row in rows)]))
        assert dcase(2024, tmp_path, machines=("gearbox",)).clips()["attributes"].isna().all()


def test_several_attributes_are_joined_in_order(tree: Path, tmp_path: Path) -> None:
    path = tree / "valve/attributes_00.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ",d2p,d2v", *(line + ",mic,1" for line in lines[1:])]))
    clips = dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()
    assert set(clips["attributes"]) == {f"spd={value};mic=1" for value in "ABST"}


def _drop_row(text: str) -> str:
    return "\n".join(text.splitlines()[:-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop_row, "1 clips without row, first 'section_00_target_test_anomaly_0001_spd_T.wav'"),
        (lambda text: text.replace("file_name", "name"), "column 'file_name'"),
        (lambda text: text.replace("d1v", "value"), "column 'd1v'"),
        (lambda text: text + text.splitlines()[1] + "\n", "stands twice"),
        (lambda text: "", "fetch the machine's archive again"),
    ],
)
def test_malformed_attributes_are_named(tree: Path, tmp_path: Path, change, message: str) -> None:
    path = tree / "valve/attributes_00.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=r"attributes_00\.csv") as caught:
        dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()
    assert message in str(caught.value)


def test_a_missing_attributes_file_is_named(tree: Path, tmp_path: Path) -> None:
    (tree / "valve/attributes_00.csv").unlink()
    with pytest.raises(DataError, match="no such file"):
        dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("train/section_00_*", "normal training clips of 'valve'"),
        ("test/*_anomaly_*", "anomaly test clips of 'valve'"),
        ("test/*_normal_*", "normal test clips of 'valve'"),
    ],
)
def test_a_machine_needs_all_kinds_of_clips(tree: Path, tmp_path: Path, remove: str, message: str) -> None:
    for path in (tree / "valve").glob(remove):
        path.unlink()
    with pytest.raises(DataError, match=message):
        dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("valve/train/recording_7.wav", "recording_7.wav"),
        ("valve/train/section_00_source_test_normal_0009.wav", "does not fit the folder 'train'"),
        ("valve/train/section_00_source_train_anomaly_0009.wav", "train on normal clips"),
        ("valve/test/section_00_0009.wav", "neither name nor truth tells it"),
    ],
)
def test_a_strange_clip_is_named(tree: Path, tmp_path: Path, place: str, message: str) -> None:
    toys.write(tree, {place: toys.wav(place)})
    with pytest.raises(DataError, match=message) as caught:
        dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()
    assert Path(place).name in caught.value.asked


def test_hidden_and_other_files_are_passed_over(tree: Path, tmp_path: Path) -> None:
    toys.write(tree, {"valve/train/._section.wav": b"", "valve/test/Thumbs.db": b"", "valve/readme.txt": b""})
    assert len(dcase(2022, tmp_path, folder=str(tree), machines=("valve",)).clips()) == 12


def test_a_missing_machine_is_named(tree: Path, tmp_path: Path) -> None:
    data = dcase(2022, tmp_path, folder=str(tree), machines=("fan", "bearing"))
    with pytest.raises(DataError, match="the folder of 'bearing'"):
        data.clips()
    with pytest.raises(DataError, match="the folder of 'bearing'"):
        data.fetch()


def test_the_published_numbers_are_checked(tmp_path: Path) -> None:
    assert sum(EDITIONS[2022].published_counts.values()) == 1_200
    train = [
        *toys.train_names(n=990),
        *(f"train/section_00_target_train_normal_{i:04d}.wav" for i in range(1, 10)),
    ]
    places = [*train, *toys.test_names(n=50)]
    content = toys.wav("shared")
    files = {f"fan/{place}": content for place in places}
    csv = toys.attributes("fan", places)
    toys.write(tmp_path / "dcase2022", files | {"fan/attributes_00.csv": csv.encode()})
    settings = {"machines": ("fan",), "expected_counts": "published"}
    assert len(dcase(2022, tmp_path, **settings).clips()) == 1_200
    gone = tmp_path / "dcase2022/fan/test/section_00_target_test_anomaly_0049_spd_T.wav"
    gone.unlink()
    with pytest.raises(DataError, match=f"1 listed clips are not there, first '{gone.name}'"):
        dcase(2022, tmp_path, **settings).clips()
    path = tmp_path / "dcase2022/fan/attributes_00.csv"
    path.write_text(_drop_row(csv))
    with pytest.raises(
        DataError, match="50 clips of kind test/target/anomaly in section 00 of 'fan'"
    ) as caught:
        dcase(2022, tmp_path, **settings).clips()
    assert caught.value.found == "49 (-1)"
    assert len(dcase(2022, tmp_path, machines=("fan",)).clips()) == 1_199


def test_a_drawn_part_is_even_stable_and_nested(tmp_path: Path) -> None:
    places = [*toys.train_names(n=30), *toys.test_names(n=10)]
    csv = toys.attributes("fan", places).encode()
    content = toys.wav("shared")
    toys.write(tmp_path / "dcase2022", {f"fan/{p}": content for p in places} | {"fan/attributes_00.csv": csv})

    def draw(**limits: int):
        return dcase(2022, tmp_path, machines=("fan",), **limits).clips()

    small, large = draw(max_train=5, max_test=6), draw(max_train=12, max_test=20)
    assert small["split"].value_counts().to_dict() == {"train": 5, "test": 6}
    assert set(small["clip_id"]) < set(large["clip_id"])
    kinds = large[large["split"] == "test"].groupby(["domain", "label"]).size()
    assert kinds.to_list() == [5, 5, 5, 5]
    assert "target" in set(small.loc[small["split"] == "train", "domain"])
    assert small.equals(draw(max_train=5, max_test=6))
    numbers = small.loc[small["split"] == "train", "clip_id"].str.extract(r"_(\d{4})_")[0]
    assert list(numbers) != [f"{i:04d}" for i in range(5)]


@pytest.mark.parametrize("year", sorted(EDITIONS))
def test_settings_are_checked(year: int) -> None:
    entry = DATASETS[f"dcase{year}"]
    assert entry.settings({}).machines == EDITIONS[year].dev_machines
    assert entry.settings({"part": "eval"}).machines == EDITIONS[year].eval_machines
    with pytest.raises(ConfigError, match="did you mean 'valve'"):
        entry.settings({"machines": ["valv"]})
    with pytest.raises(ConfigError, match="once"):
        entry.settings({"machines": ["fan", "fan"]})
    with pytest.raises(ConfigError, match="not both"):
        entry.settings({"folder": "here", "miniature": True})


def test_every_data_set_states_licence_citation_and_truth() -> None:
    for name, entry in DATASETS.items():
        assert entry.licence, name
        assert entry.citation, name
        assert entry.truth, name
        assert "clip" in entry.truth, name


def test_reading_an_unknown_clip_suggests_a_known_one(tree: Path, tmp_path: Path) -> None:
    data = dcase(2022, tmp_path, folder=str(tree), machines=("valve",))
    known = "valve--train--section_00_source_train_normal_0000_spd_A"
    assert np.isfinite(data.read(known).samples).all()
    with pytest.raises(DataError, match=known):
        data.read(known.replace("0000", "0007"))
