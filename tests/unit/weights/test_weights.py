from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from safetensors import safe_open
from weights_toys import FILE, checkpoint, record, sha256, wheel

from soundproof.core.errors import ArtefactError, ConfigError, DataError, DownloadError
from soundproof.downloads.catalogue import Record, catalogue
from soundproof.weights import place, records
from soundproof.weights.convert import KEY, converted
from soundproof.weights.fetch import fetch_weights
from soundproof.weights.load import load_weights
from soundproof.weights.reading import read_tensors, tensors_of


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip finds packages in."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("SOUNDPROOF_OFFLINE", raising=False)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    before = place.weights_folder().parent
    place.use_data_dir(tmp_path / "data")
    yield tmp_path / "data"
    place.use_data_dir(before)


def catalogued(monkeypatch: pytest.MonkeyPatch, toy: Record) -> None:
    monkeypatch.setattr(records, "catalogue", lambda: MappingProxyType({"toy": toy}))


def test_weights_come_out_of_a_package_by_its_checksum(index: Path, data: Path, monkeypatch) -> None:
    content = checkpoint()
    catalogued(monkeypatch, record(content, sha256(wheel(index, content))))
    path = fetch_weights("toy", data)
    assert path == data / "weights" / "toy.safetensors"
    weights = load_weights("toy")
    assert {name: value.tolist() for name, value in weights.tensors.items()} == {
        "a": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        "b.running_mean": [1.0, 1.0, 1.0],
    }
    assert weights.credit == "Toy by Ann Author (Toy 2020); CC-BY-4.0"
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
    assert (header["authors"], header["licence"], header["source"]) == (
        "Ann Author",
        "CC-BY-4.0",
        "toyweights==0.1",
    )
    # the package was not installed: one file of it was read
    assert sorted(item.name for item in data.rglob("*") if item.is_file()) == [FILE, "toy.safetensors"]


def test_equal_checkpoints_give_equal_bytes() -> None:
    toy = record(checkpoint(), "0" * 64)
    assert converted(toy, "toy", checkpoint()) == converted(toy, "toy", checkpoint())


def test_what_is_there_is_not_fetched_again(data: Path, monkeypatch) -> None:
    catalogued(monkeypatch, record(checkpoint(), "0" * 64))
    path = data / "weights" / "toy.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"kept")
    assert fetch_weights("toy", data).read_bytes() == b"kept"


@pytest.mark.usefixtures("index")
def test_a_package_that_no_index_has_says_what_to_do(data: Path, monkeypatch) -> None:
    catalogued(monkeypatch, record(checkpoint(), "0" * 64))
    with pytest.raises(DownloadError, match=r"(?s)toyweights==0\.1.*No matching distribution.*PIP_INDEX_URL"):
        fetch_weights("toy", data)
    assert not (data / "weights").exists()


def test_an_index_out_of_reach_says_what_to_do(data: Path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("SOUNDPROOF_OFFLINE", raising=False)
    catalogued(monkeypatch, record(checkpoint(), "0" * 64))
    with pytest.raises(DownloadError, match="package index"):
        fetch_weights("toy", data)


def test_a_package_of_another_checksum_is_refused(index: Path, data: Path, monkeypatch) -> None:
    wheel(index, checkpoint())
    catalogued(monkeypatch, record(checkpoint(), "0" * 64))
    with pytest.raises(DownloadError, match=r"(?i)hash"):
        fetch_weights("toy", data)


def test_a_checkpoint_of_another_checksum_is_refused(index: Path, data: Path, monkeypatch) -> None:
    wanted = record(checkpoint() + b"!", sha256(wheel(index, checkpoint())))
    catalogued(monkeypatch, wanted)
    with pytest.raises(DownloadError, match="do not use it"):
        fetch_weights("toy", data)


def test_a_checkpoint_placed_by_hand_will_do(data: Path, monkeypatch) -> None:
    content = checkpoint()
    catalogued(monkeypatch, record(content, "0" * 64))
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    with pytest.raises(DownloadError, match=rf"(?s)switched off.*place {FILE}.*{data / 'toy'}"):
        fetch_weights("toy", data)
    (data / "toy").mkdir(parents=True)
    (data / "toy" / FILE).write_bytes(content)
    assert fetch_weights("toy", data).is_file()
    (data / "weights" / "toy.safetensors").unlink()
    (data / "toy" / FILE).write_bytes(content[:-1])
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch_weights("toy", data)


def test_another_number_of_weights_is_refused() -> None:
    content = checkpoint()
    with pytest.raises(DataError, match=r"(?s)7 weights.*found: 6"):
        converted(record(content, "0" * 64, n_weights=7), "toy", content)


def test_missing_changed_and_cut_off_weights_are_refused(data: Path, monkeypatch) -> None:
    content = checkpoint()
    file = converted(record(content, "0" * 64), "toy", content)
    catalogued(monkeypatch, record(content, "0" * 64, sha256=sha256(file)))
    path = data / "weights" / "toy.safetensors"
    with pytest.raises(ArtefactError, match=rf"(?s)no such file.*run 'snakemake {path}'"):
        load_weights("toy")
    path.parent.mkdir(parents=True)
    path.write_bytes(file[:-1] + b"\x01")
    with pytest.raises(ArtefactError, match=r"(?s)with SHA-256.*delete the file"):
        load_weights("toy")
    catalogued(monkeypatch, record(content, "0" * 64))
    path.write_bytes(file[:-1])
    with pytest.raises(ArtefactError, match="no whole safetensors file"):
        load_weights("toy")
    with pytest.raises(ConfigError, match="toy"):
        load_weights("toi")


class Running:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("it ran",))


def saved(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (saved({"a": Running()}), "a pickle that would run code"),
        (pickle.dumps(Running()), "a pickle that would run code"),
        (b"nonsense", "found"),
        (b"", "found"),
        (saved([torch.ones(2)]), "something other than tensors by name"),
        (saved({"a": 3}), "something other than tensors by name"),
        (saved(torch.nn.Linear(2, 2)), "a pickle that would run code"),
    ],
    ids=["code", "plain pickle", "nonsense", "empty", "list", "number", "whole module"],
)
def test_a_file_that_would_have_to_be_run_is_refused(
    content: bytes, found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "encoder.pt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"(?s){found}.*safetensors"):
        read_tensors(path)
    assert "it ran" not in capsys.readouterr().out


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="KeyError"):
        tensors_of(saved({"a": torch.ones(2)}), "x.pth", ("model",))
    with pytest.raises(DataError, match=r"(?s)no/such.*name a file that exists"):
        read_tensors(Path("no/such.pt"))


def test_every_checkpoint_that_is_kept_can_be_fetched() -> None:
    kept = {name: record for name, record in catalogue().items() if record.kept is not None}
    assert {"cnn9", "cnn14", "efficientnet_lite0"} <= set(kept)
    for entry in kept.values():
        (source,) = [source for source in entry.sources if entry.kept and entry.kept.file in source.files]
        assert source.wheel is not None or source.remote_files()
        assert entry.role == "weights"
        assert source.wheel is None or source.files[entry.kept.file].sha256
