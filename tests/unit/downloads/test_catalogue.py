from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest
import yaml
from toys.http_server import FileServer

from soundproof.core.errors import ConfigError, DataError, DownloadError
from soundproof.datasets.registry import DATASETS
from soundproof.downloads.catalogue import catalogue, read_catalogue
from soundproof.downloads.catalogue.lock import Lock, Told
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.zenodo import Zenodo

MD5 = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32


@pytest.mark.parametrize("kind", catalogue())
def test_every_record_says_what_its_files_may_be_used_for(kind: str) -> None:
    record = catalogue()[kind]
    assert re.fullmatch(r"[A-Za-z0-9.-]+", record.licence.id)
    assert len(record.licence.consequence) > 10 or record.licence.id == "CC-BY-4.0"
    assert re.match(r"@\w+\{[a-z]+\d{4}\w*,\n", record.bibtex)
    assert record.bibtex.count("{") == record.bibtex.count("}")
    assert record.layout and record.pitfalls
    names = [remote.name for remote in record.files]
    assert len(set(names)) == len(names)
    assert all(url.startswith("https://") for remote in record.files for url in remote.urls)
    assert all(remote.is_known or remote.record or "github" in remote.urls[0] for remote in record.files)


def test_every_file_that_is_fetched_is_in_the_catalogue_with_its_terms() -> None:
    homes = {remote: record for record in catalogue().values() for remote in record.files}
    for name, entry in DATASETS.items():
        if entry.needed is None:
            continue
        files = {item.remote for item in entry.needed(entry.settings({}))}
        assert files and files <= set(homes), name
        assert all(remote.terms and homes[remote].licence.id in entry.licence for remote in files)
        # one that is mixed from others has no record of its own
        if (record := catalogue().get(name)) is not None:
            assert (entry.title, entry.citation) == (record.title, record.citation)
            assert record.licence.consequence in entry.licence


def test_sizes_and_checksums_are_those_published() -> None:
    mimii = catalogue()["mimii"]
    assert mimii.n_bytes == 100_243_834_344
    valve = mimii.file("-6_dB_valve.zip")
    assert (valve.n_bytes, valve.md5) == (8_037_536_346, "fdfaf185fea61b21e11952a070a4ada7")
    assert valve.urls[0] == "https://zenodo.org/records/3384388/files/-6_dB_valve.zip?download=1"
    assert [len(catalogue()[kind].files) for kind in ("toyadmos", "tut_rare", "mimii_due")] == [25, 19, 10]
    toyadmos = [remote.n_bytes for remote in catalogue()["toyadmos"].files if remote.name.startswith("Toy")]
    assert sum(filter(None, toyadmos)) == 21 * 8_522_825_728 + 8_514_773_405 + 6_862_131_188 + 2_726_472_087
    assert catalogue()["mimii_dg"].n_bytes is None
    assert catalogue()["cnn14"].files[0].urls[1].endswith("Cnn14_mAP%3D0.431.pth/content")
    assert catalogue()["efficientnet_lite0"].files == ()
    published = [
        remote.md5 for year in (2020, 2023) for remote in catalogue()[f"dcase{year}"].files if remote.md5
    ]
    assert len(set(published)) == 18 + 21
    assert not any(
        remote.md5 for year in (2021, 2022, 2024, 2025) for remote in catalogue()[f"dcase{year}"].files
    )


def test_an_unknown_file_suggests_the_nearest() -> None:
    with pytest.raises(DataError, match=r"did you mean '6_dB_fan\.zip'"):
        catalogue()["mimii"].file("6_db_fan.zip")


def toy(**changes: object) -> dict[str, object]:
    source = {"record": 7, "files": {"a.zip": {"bytes": 3, "md5": MD5}}}
    licence = {"id": "CC-BY-4.0", "consequence": "attribution"}
    facts = {"title": "Toy", "licence": licence, "citation": "Toy 2020", "bibtex": "@misc{toy2020,\n}"}
    return {"toy": {**facts, "layout": "flat", "sources": [{**source, **changes}]}}


def test_places_and_mirrors_in_the_order_they_are_tried(tmp_path: Path) -> None:
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump(toy(mirrors=["https://mirror.example/sets/"])))
    remote = read_catalogue(path)["toy"].file("a.zip")
    assert remote.urls == (
        "https://zenodo.org/records/7/files/a.zip?download=1",
        "https://zenodo.org/api/records/7/files/a.zip/content",
        "https://mirror.example/sets/a.zip",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"record": None}, "name its record, package or urls"),
        ({"files": {"a.zip": {"bytes": 3}}}, "state md5 or sha256"),
        ({"files": {"a.zip": {"bytes": 3, "md5": "12"}}}, "md5"),
        (
            {"record": None, "files": {"a.zip": {"bytes": "from-record", "md5": MD5, "urls": ["https://x"]}}},
            "record",
        ),
        ({"fils": {}}, "fils"),
    ],
)
def test_a_record_that_says_too_little_is_named(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump(toy(**changes)))
    with pytest.raises(ConfigError, match=r"record 'toy\.sources\.0") as caught:
        read_catalogue(path)
    assert said in str(caught.value)


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path / "config" / "lock.json")


def described(md5: str, size: int = 3) -> bytes:
    files = [{"key": "a.zip", "size": size, "checksum": f"md5:{md5}"}]
    return json.dumps({"metadata": {"license": {"id": "cc-by-4.0"}}, "files": files}).encode()


def test_what_a_record_tells_is_pinned_once_for_all(site: FileServer, lock: Lock) -> None:
    zenodo = Zenodo(site.url("api"), lock)
    remote = RemoteFile("a.zip", (site.url("a.zip"),), record=7)
    site.files["api/7"] = described(MD5)
    for _ in range(2):
        (found,) = zenodo.completed([remote])
        assert (found.n_bytes, found.md5) == (3, MD5)
    assert len(site.requests) == 1
    assert zenodo.known(remote) == found
    row = json.loads(lock.path.read_text())["zenodo-7/a.zip"]
    date = row.pop("date")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
    assert row == {"url": site.url("api/7"), "n_bytes": 3, "md5": MD5, "licence": "cc-by-4.0"}


def test_a_record_that_changes_its_mind_is_an_error_naming_both(site: FileServer, lock: Lock) -> None:
    remote = RemoteFile("a.zip", (site.url("a.zip"),), record=7)
    lock.pin([(remote, Told(url="there", n_bytes=3, md5=MD5, date="2026-01-01"))])
    before = lock.path.read_bytes()
    with pytest.raises(DownloadError) as caught:
        lock.pin([(remote, Told(url="there", n_bytes=4, md5=OTHER, date="2026-02-02"))])
    assert all(part in str(caught.value) for part in (MD5, OTHER, "2026-01-01", "a.zip"))
    assert lock.path.read_bytes() == before


def test_record_and_catalogue_must_agree(site: FileServer, lock: Lock) -> None:
    site.files["api/7"] = described(OTHER)
    remote = RemoteFile("a.zip", (site.url("a.zip"),), md5=MD5, record=7)
    with pytest.raises(DownloadError) as caught:
        Zenodo(site.url("api"), lock).completed([remote])
    assert MD5 in caught.value.asked and OTHER in caught.value.found
    assert not lock.path.exists()


@pytest.mark.parametrize(
    ("terms", "said"), [("Toy: CC-BY-4.0: attribution", 0), ("Toy: CC-BY-NC-SA-4.0: none", 1)]
)
def test_a_record_with_another_licence_is_said(
    site: FileServer, lock: Lock, caplog: pytest.LogCaptureFixture, terms: str, said: int
) -> None:
    site.files["api/7"] = described(MD5)
    Zenodo(site.url("api"), lock).completed([RemoteFile("a.zip", ("https://x",), record=7, terms=terms)])
    assert [record.getMessage().count("cc-by-4.0") for record in caplog.records] == [1] * said


def test_a_lock_that_cannot_be_written_does_not_stop_a_download(
    site: FileServer, lock: Lock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, *rest: object, **more: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    site.files["api/7"] = described(MD5)
    monkeypatch.setattr(Path, "write_text", read_only)
    (found,) = Zenodo(site.url("api"), lock).completed([RemoteFile("a.zip", ("https://x",), record=7)])
    assert found.md5 == MD5
    assert "cannot be pinned" in caplog.text


def test_a_broken_lock_is_named(lock: Lock) -> None:
    lock.path.parent.mkdir()
    lock.path.write_text('{"zenodo-7/a.zip": {"size": 3}}')
    with pytest.raises(DataError, match="lock"):
        lock.complete(RemoteFile("a.zip", ("https://x",), record=7))


def test_the_shipped_lock_can_be_read_and_contradicts_no_record() -> None:
    lock = Lock()
    for record in catalogue().values():
        for remote in record.files:
            lock.complete(remote)
