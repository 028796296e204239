from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dcase_toys as toys
import pytest
from http_server import FileServer, refuse

from soundproof.core.errors import DataError, DownloadError
from soundproof.datasets.dcase.dataset import DcaseDataset
from soundproof.datasets.dcase.editions import EDITIONS
from soundproof.datasets.dcase.files import archives, needed, truth_archive
from soundproof.datasets.dcase.settings import dcase_parameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.catalogue.lock import Lock
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.zenodo import Zenodo

ADDRESS = "nttcslab-evaluator-1a2b/"


def from_site(site: FileServer, remote: RemoteFile) -> RemoteFile:
    """The same file on the loopback server, without the published checksum, which toys do not have."""
    return RemoteFile(remote.name, (site.url(remote.name),), record=remote.record)


def dev_record(year: int) -> int:
    record = archives(EDITIONS[year], "dev", "fan")[0].record
    assert record is not None
    return record


def served(site: FileServer, data_dir: Path, year: int, **settings: Any) -> DcaseDataset:
    """The data set, told to find archives, records and truth on the loopback server."""

    class Local(DcaseDataset):
        zenodo = Zenodo(site.url("api"), Lock(data_dir / "lock.json"))

        def needed(self) -> tuple[Needed, ...]:
            return tuple(replace(item, remote=from_site(site, item.remote)) for item in super().needed())

    values = {"expected_counts": "any", "machines": ("fan",), **settings}
    return Local(dcase_parameters(year).model_validate(values), data_dir)


def publish(site: FileServer, record: int, **files: bytes) -> None:
    """Put archives and the record that describes them on the server."""
    named = {f"{stem}.zip": body for stem, body in files.items()}
    entries = [
        {"key": name, "size": len(body), "checksum": f"md5:{hashlib.md5(body).hexdigest()}"}
        for name, body in named.items()
    ]
    site.files |= named | {f"api/{record}": json.dumps({"files": entries}).encode()}


def test_download_is_checked_against_the_record(site: FileServer, tmp_path: Path) -> None:
    publish(site, dev_record(2022), dev_fan=toys.packed(toys.files_2022("fan")))
    data = served(site, tmp_path, 2022)
    assert data.fetch() == [tmp_path / "dcase2022" / "dev_fan.zip"]
    assert len(data.clips()) == 12
    asked = len(site.requests)
    assert served(site, tmp_path, 2022).fetch() == [tmp_path / "dcase2022" / "dev_fan.zip"]
    assert len(site.requests) == asked == 2


def test_a_wrong_archive_is_refused(site: FileServer, tmp_path: Path) -> None:
    publish(site, dev_record(2022), dev_fan=toys.packed(toys.files_2022("fan")))
    site.files["dev_fan.zip"] = toys.packed(toys.files_2022("fan", "01"))
    with pytest.raises(DownloadError, match=r"dev_fan\.zip"):
        served(site, tmp_path, 2022).fetch()
    assert not (tmp_path / "dcase2022" / "dev_fan.zip").exists()


def test_without_the_record_the_first_download_is_pinned(site: FileServer, tmp_path: Path) -> None:
    site.files["dev_fan.zip"] = toys.packed(toys.files_2022("fan"))
    served(site, tmp_path, 2022).fetch()
    assert (tmp_path / "dcase2022" / "dev_fan.zip.pin.json").is_file()
    assert len(served(site, tmp_path, 2022).clips()) == 12


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (b"<html>", "ask the record again later"),
        (b'{"files": [{"key": "dev_fan.zip", "size": 3}]}', "ask the record again later"),
        (b'{"files": []}', "the record has changed"),
        (b'{"files": [{"key": "dev_fan.zip", "size": 3, "checksum": "crc:1"}]}', "algorithm 'crc'"),
    ],
)
def test_a_strange_record_is_named(
    site: FileServer, tmp_path: Path, description: bytes, message: str
) -> None:
    site.files |= {"dev_fan.zip": b"abc", f"api/{dev_record(2022)}": description}
    with pytest.raises(DataError, match=message):
        served(site, tmp_path, 2022).fetch()


def test_a_zip_placed_by_hand_needs_no_network(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    toys.write(tmp_path / "dcase2022", {"dev_fan.zip": toys.packed(toys.files_2022("fan"))})
    data = served(site, tmp_path, 2022)
    data.fetch()
    assert len(data.clips()) == 12
    with pytest.raises(DownloadError, match=r"place it at .*dev_valve\.zip"):
        served(site, tmp_path, 2022, machines=("valve",)).fetch()
    assert not site.requests


def test_an_archive_of_another_machine_is_named(site: FileServer, tmp_path: Path) -> None:
    site.files["dev_fan.zip"] = toys.packed(toys.files_2022("valve"))
    with pytest.raises(DataError, match="the folder of 'fan'"):
        served(site, tmp_path, 2022).fetch()


def _evaluation_2022(site: FileServer) -> None:
    train, test = toys.train_names("03"), toys.test_names("03")
    attributes = toys.attributes("fan", train).encode()
    files = {f"fan/{place}": toys.wav(place) for place in train} | {"fan/attributes_03.csv": attributes}
    site.files["eval_data_fan_train.zip"] = toys.packed(files)
    bare = {place: f"section_03_{number:04d}.wav" for number, place in enumerate(test)}
    site.files["eval_data_fan_test.zip"] = toys.packed(
        {f"fan/test/{name}": toys.wav(place) for place, name in bare.items()}
    )
    truth = {
        "data": [f"{name},{int('anomaly' in place)}" for place, name in bare.items()],
        "domain": [f"{name},{int('target' in place)}" for place, name in bare.items()],
    }
    name = "ground_truth_fan_section_03_test.csv"
    site.files["dcase2022_evaluator.zip"] = toys.packed(
        {f"{ADDRESS}ground_truth_{kind}/{name}": "\n".join(rows).encode() for kind, rows in truth.items()}
    )


def test_evaluation_sets_get_their_labels_from_the_evaluator(site: FileServer, tmp_path: Path) -> None:
    _evaluation_2022(site)
    data = served(site, tmp_path, 2022, part="eval")
    names = ["eval_data_fan_train.zip", "eval_data_fan_test.zip", "dcase2022_evaluator.zip"]
    assert [path.name for path in data.fetch()] == names
    clips = data.clips()
    assert set(clips["machine_id"]) == {"03"}
    assert clips.groupby(["split", "domain", "label"]).size().to_list() == [2, 2, 2, 2, 3, 1]
    assert clips.loc[clips["split"] == "test", "attributes"].isna().all()
    first = clips.set_index("clip_id").loc["fan--test--section_03_0000"]
    assert (first["domain"], first["label"]) == ("source", "normal")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("section_03_0000.wav,0\n", "", "in one file only"),
        ("section_03_0000.wav,0", "section_03_0000.wav,2", "'2' instead of 0 or 1"),
        ("section_03_0000.wav,0", "section_03_0000.wav", "'' instead of 0 or 1"),
    ],
)
def test_malformed_truth_is_named(site: FileServer, tmp_path: Path, old: str, new: str, message: str) -> None:
    _evaluation_2022(site)
    served(site, tmp_path, 2022, part="eval").fetch()
    truth = tmp_path / "dcase2022-eval/dcase2022_evaluator" / ADDRESS
    path = truth / "ground_truth_data/ground_truth_fan_section_03_test.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=message):
        served(site, tmp_path, 2022, part="eval", truth=str(truth)).clips()


def test_truth_and_test_clips_must_match(site: FileServer, tmp_path: Path) -> None:
    _evaluation_2022(site)
    data = served(site, tmp_path, 2022, part="eval")
    data.fetch()
    clip = tmp_path / "dcase2022-eval/eval_data_fan_test/fan/test/section_03_0001.wav"
    clip.rename(clip.with_name("section_03_0100.wav"))
    with pytest.raises(DataError, match=r"section_03_0100\.wav"):
        data.clips()
    clip.with_name("section_03_0100.wav").unlink()
    with pytest.raises(DataError, match="1 clips that the truth labels are not there"):
        served(site, tmp_path, 2022, part="eval").clips()
    with pytest.raises(DataError, match="no ground_truth_data/ground_truth_fan_section"):
        served(site, tmp_path, 2022, part="eval", truth=str(tmp_path)).clips()


def test_truth_of_2020_is_one_list(tmp_path: Path) -> None:
    places = toys.names_2020("01")
    bare = {place: f"test/id_01_{n:08d}.wav" for n, place in enumerate(places) if place.startswith("test")}
    files = {f"pump/{bare.get(place, place)}": toys.wav(place) for place in places}
    rows = [f"{Path(name).name},{Path(place).name},{int('anomaly' in place)}" for place, name in bare.items()]
    listed = "\n".join(["fan", "id_01_00000000.wav,normal_id_01_00000000.wav,0", "pump", *rows])
    toys.write(tmp_path, files | {"truth/eval_data_list.csv": listed.encode()})
    settings = {"part": "eval", "machines": ("pump",), "folder": str(tmp_path)}
    clips = toys.dcase(2020, tmp_path, truth=str(tmp_path / "truth"), **settings).clips()
    assert clips.groupby(["split", "label"]).size().to_list() == [2, 2, 3]


def test_truth_of_2021_leaves_the_domain_to_the_names(tmp_path: Path) -> None:
    test = toys.test_names("03")
    files = {f"fan/{place}": toys.wav(place) for place in toys.train_names("03")}
    for domain in toys.DOMAINS:
        rows = []
        for number, place in enumerate(place for place in test if f"_{domain}_" in place):
            name = f"section_03_{domain}_test_{number:04d}.wav"
            files[f"fan/{domain}_test/{name}"] = toys.wav(place)
            rows.append(f"{name},{int('anomaly' in place)}.0")
        path = f"truth/ground_truth_data/ground_truth_fan_section_03_{domain}_test.csv"
        files[path] = "\n".join(rows).encode()
    toys.write(tmp_path, files)
    settings = {"part": "eval", "machines": ("fan",), "folder": str(tmp_path)}
    clips = toys.dcase(2021, tmp_path, truth=str(tmp_path / "truth"), **settings).clips()
    assert clips[clips["split"] == "test"].groupby(["domain", "label"]).size().to_list() == [2, 2, 2, 2]


def test_archives_have_the_names_of_their_year() -> None:
    def names(year: int, part: Any, machine: str) -> list[str]:
        return [one.name for one in archives(EDITIONS[year], part, machine)]

    assert names(2020, "dev", "fan") == ["dev_data_fan.zip"]
    assert names(2020, "eval", "fan") == ["eval_data_train_fan.zip", "eval_data_test_fan.zip"]
    assert names(2022, "dev", "fan") == ["dev_fan.zip"]
    assert names(2024, "eval", "RoboticArm") == [
        "eval_data_RoboticArm_train_r2.zip",
        "eval_data_RoboticArm_test.zip",
    ]
    assert names(2025, "eval", "ToyPet") == ["eval_data_ToyPet_train.zip", "eval_data_ToyPet_test.zip"]


@pytest.mark.parametrize("year", sorted(EDITIONS))
def test_every_archive_of_a_year_is_in_the_catalogue_and_none_is_left_over(year: int) -> None:
    edition = EDITIONS[year]
    named = {
        file.name
        for part in ("dev", "eval")
        for machine in edition.machines(part)  # type: ignore[arg-type]
        for file in archives(edition, part, machine)  # type: ignore[arg-type]
    }
    listed = {file.name for file in catalogue()[edition.name].files}
    assert listed == named | {truth_archive(edition).name}


def test_what_settings_need_is_told_without_opening_the_data_set() -> None:
    def names(**settings: Any) -> list[str]:
        return [item.remote.name for item in needed(dcase_parameters(2022).model_validate(settings))]

    assert names(machines=("fan", "valve")) == ["dev_fan.zip", "dev_valve.zip"]
    truth = "dcase2022_evaluator.zip"
    assert names(machines=("fan",), part="eval") == [
        "eval_data_fan_train.zip",
        "eval_data_fan_test.zip",
        truth,
    ]
    assert names(machines=("fan",), folder="here") == []
    assert names(machines=("fan",), folder="here", part="eval") == [truth]
    assert names(machines=("fan",), part="eval", miniature=True) == []


def test_a_busy_record_does_not_stop_the_download(site: FileServer, tmp_path: Path) -> None:
    publish(site, dev_record(2022), dev_fan=toys.packed(toys.files_2022("fan")))
    site.faults[f"api/{dev_record(2022)}"] = [refuse(503)]
    served(site, tmp_path, 2022).fetch()
    assert len(served(site, tmp_path, 2022).clips()) == 12
