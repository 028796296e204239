from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from toys.http_server import FileServer, refuse, running, slowly

from soundproof.core.errors import DownloadError
from soundproof.downloads import terms
from soundproof.downloads.catalogue.lock import Lock
from soundproof.downloads.fetch_all import fetch_all
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.request import Timeouts
from soundproof.downloads.retry_policy import Policy
from soundproof.downloads.zenodo import Zenodo

POLICY = Policy(attempts=2, timeouts=Timeouts(5.0, 2.0), sleep=lambda seconds: None)
CHILD = """
import json, sys
from pathlib import Path
from soundproof.downloads.fetch_all import fetch_all
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile
urls, md5s, folder = json.loads(sys.argv[1])
files = [RemoteFile(u.rpartition("/")[2], (u,), md5=m) for u, m in zip(urls, md5s)]
fetch_all([Needed(file, "set") for file in files], Path(folder))
"""


def stocked(site: FileServer, n: int, record: int | None = None) -> list[Needed]:
    needed = []
    for number in range(n):
        name, body = f"{number}.zip", random.Random(number).randbytes(1_000 + number)
        site.files[name] = body
        md5 = hashlib.md5(body).hexdigest()
        needed.append(Needed(RemoteFile(name, (site.url(name),), len(body), md5, record=record), "set"))
    return needed


def test_a_host_has_two_streams_and_each_file_comes_once(site: FileServer, tmp_path: Path) -> None:
    needed = stocked(site, 6)
    site.faults = {item.remote.name: [slowly(0.1)] for item in needed}
    paths = fetch_all(needed, tmp_path, POLICY)
    assert [path.read_bytes() for path in paths] == list(site.files.values())
    assert site.most_streams == 2
    fetch_all(needed, tmp_path, POLICY)
    assert sorted(request.path for request in site.requests) == sorted(site.files)


def test_hosts_do_not_wait_for_each_other(site: FileServer, tmp_path: Path) -> None:
    with running({}) as other:
        needed = stocked(site, 4) + [Needed(item.remote, "other") for item in stocked(other, 4)]
        site.faults = {item.remote.name: [slowly(0.2)] for item in needed}
        other.faults = {item.remote.name: [slowly(0.2)] for item in needed}
        fetch_all(needed, tmp_path, POLICY)
        assert (site.most_streams, other.most_streams) == (2, 2)


def test_two_processes_share_the_streams_of_a_host_and_the_files(site: FileServer, tmp_path: Path) -> None:
    needed = stocked(site, 4)
    site.faults = {item.remote.name: [slowly(0.5)] * 2 for item in needed}
    urls, sums = [item.remote.urls[0] for item in needed], [item.remote.md5 for item in needed]
    # the first two ask for the same files in the same folder, the third for copies of its own
    folders = [str(tmp_path / "one"), str(tmp_path / "one"), str(tmp_path / "two")]
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, json.dumps([urls, sums, folder])])
        for folder in folders
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert site.most_streams == 2
    assert len(site.requests) == 8
    assert {path.name for path in tmp_path.glob("*/set/*.zip")} == set(site.files)


def test_what_something_stands_in_for_is_left_out(site: FileServer, tmp_path: Path) -> None:
    (remote,) = [item.remote for item in stocked(site, 1)]
    (tmp_path / "set/unpacked").mkdir(parents=True)
    assert fetch_all([Needed(remote, "set", instead=("gone", "unpacked"))], tmp_path, POLICY) == []
    assert fetch_all([Needed(remote, "set", members=3)], tmp_path, POLICY) == []
    assert site.requests == []


def test_one_dead_file_does_not_keep_the_others_from_arriving(site: FileServer, tmp_path: Path) -> None:
    needed = stocked(site, 4)
    site.faults = {"0.zip": [refuse(404)], "2.zip": [refuse(403)]}
    with pytest.raises(DownloadError) as caught:
        fetch_all(needed, tmp_path, POLICY)
    for part in ("0.zip", "2.zip", "404", "403"):
        assert part in str(caught.value)
    assert {path.name for path in (tmp_path / "set").glob("*.zip")} == {"1.zip", "3.zip"}


def test_the_whole_set_must_fit_on_the_disk(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = stocked(site, 3)
    # any two of the three would fit, and of the first a part is there already
    (tmp_path / "set").mkdir()
    (tmp_path / "set/0.zip.part").write_bytes(site.files["0.zip"][:400])
    lacks = 1_000 + 1_001 + 1_002 - 400
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=lacks - 1))
    with pytest.raises(DownloadError, match=f"{lacks - 1} bytes free") as caught:
        fetch_all(needed, tmp_path, POLICY)
    assert f"{lacks} bytes" in caught.value.asked
    assert site.requests == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=lacks))
    assert len(fetch_all(needed, tmp_path, POLICY)) == 3


def test_offline_lists_all_that_is_missing(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = stocked(site, 3)
    needed.append(Needed(RemoteFile("labels.csv", (site.url("labels.csv"),)), "set"))
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/1.zip").write_bytes(site.files["1.zip"])
    with pytest.raises(DownloadError) as caught:
        fetch_all(needed, tmp_path, POLICY)
    known = [
        f"    {tmp_path}/set/{name} ({size} bytes, md5 {needed[n].remote.md5}) from {site.url(name)}"
        for n, name, size in ((0, "0.zip", 1_000), (2, "2.zip", 1_002))
    ]
    where = f"{tmp_path}/set/labels.csv"
    unknown = f"    {where} (size unknown, no published checksum) from {site.url('labels.csv')}"
    assert caught.value.remedy.splitlines()[1:] == [*known, unknown]
    assert "2002 bytes and 1 of unknown size" in caught.value.remedy
    assert site.requests == []


def test_terms_are_said_before_the_first_download_and_not_after(
    site: FileServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "_said", set())
    (item,) = stocked(site, 1)
    said = "Toy: CC-BY-NC-4.0: no commercial use"
    needed = [Needed(RemoteFile("0.zip", item.remote.urls, md5=item.remote.md5, terms=said), "set")]
    with caplog.at_level(logging.WARNING):
        fetch_all(needed, tmp_path, POLICY)
    assert [record.getMessage() for record in caplog.records] == [f"terms of use of {said}"]
    monkeypatch.setattr(terms, "_said", set())
    caplog.clear()
    fetch_all(needed, tmp_path, POLICY)
    assert caplog.records == []


def test_a_file_that_was_verified_is_not_read_again(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = stocked(site, 1)
    (path,) = fetch_all(needed, tmp_path, POLICY)
    read: list[Path] = []
    real = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda stream, *rest: read.append(stream.name) or real(stream, *rest)
    )
    fetch_all(needed, tmp_path, POLICY)
    assert read == []
    # the same size and content under a new time stamp is read; other content is found out
    os.utime(path, ns=(1, 1))
    fetch_all(needed, tmp_path, POLICY)
    assert len(read) == 1
    path.write_bytes(bytes(1_000))
    fetch_all(needed, tmp_path, POLICY)
    assert len(site.requests) == 2
    assert path.read_bytes() == site.files["0.zip"]


def test_a_record_tells_sizes_once_for_all_its_files(site: FileServer, tmp_path: Path) -> None:
    needed = stocked(site, 3, record=9)
    entries = [
        {"key": item.remote.name, "size": item.remote.n_bytes, "checksum": f"md5:{item.remote.md5}"}
        for item in needed
    ]
    site.files["api/9"] = json.dumps({"files": entries}).encode()
    bare = [Needed(RemoteFile(item.remote.name, item.remote.urls, record=9), "set") for item in needed]
    zenodo = Zenodo(site.url("api"), Lock(tmp_path / "lock.json"))
    fetch_all(bare, tmp_path, POLICY, zenodo=zenodo)
    assert [request.path for request in site.requests].count("api/9") == 1
    assert not list(tmp_path.rglob("*.pin.json"))


def test_an_interrupt_leaves_parts_to_go_on_from(
    site: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = stocked(site, 5)
    site.faults = {item.remote.name: [slowly(0.3)] for item in needed}

    def interrupted(running):
        running[0].result()
        raise KeyboardInterrupt

    monkeypatch.setattr("soundproof.downloads.fetch_all._failures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_all(needed, tmp_path, POLICY)
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert len(site.requests) < 5
    fetch_all(needed, tmp_path, POLICY)
    assert len(list((tmp_path / "set").glob("*.zip"))) == 5
