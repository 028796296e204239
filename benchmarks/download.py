"""Verified downloads from the loopback interface, beside curl; their memory must not grow with the file."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.file_server import file_server
from benchmarks.rows import Aim, Row
from benchmarks.setting import Setting
from soundproof.downloads.download import fetch
from soundproof.downloads.remote_file import RemoteFile, digest

LINE_MIB_PER_S = 60.0
"""Half a gigabit a second: a fast line to an archive, and slower than any checksum."""
AS_FAST = Aim("at least", 0.9)
FLAT = Aim("at most", 1.1)


def download(setting: Setting) -> list[Row]:
    """Compare throughput, checksum included, and peak memory."""
    with tempfile.TemporaryDirectory() as name, _no_proxy():
        folder = Path(name)
        small, large = (_file(folder, mib) for mib in setting.download_mib)
        rows = []
        for case, rate in (("a line of 60 MiB/s", LINE_MIB_PER_S), ("no line between", 0.0)):
            with file_server(folder, rate) as address:
                seconds = _interleaved(folder, f"{address}/{large.name}", large, setting.repeats)
            rows += _rows(case, large.n_bytes or 0, seconds)
        with file_server(folder) as address:
            few, many = (_peak_mib(f"{address}/{file.name}", file) for file in (small, large))
    sizes = [f"{mib} MiB" for mib in setting.download_mib]
    return [
        *rows,
        Row(
            benchmark="download",
            case=f"peak memory, {sizes[1]}",
            unit="MiB",
            ours=many,
            against=sizes[0],
            other=few,
            ratio=many / few,
            sense="x of it",
            aim=FLAT,
        ),
    ]


def _file(folder: Path, mib: int) -> RemoteFile:
    path = folder / f"{mib}.bin"
    with path.open("wb") as stream:
        # a hole: reading it costs the server no disk
        stream.truncate(mib << 20)
    return RemoteFile(path.name, ("http://127.0.0.1",), mib << 20, digest(path, "md5"))


def _interleaved(folder: Path, url: str, file: RemoteFile, repeats: int) -> dict[str, list[float]]:
    """Wall seconds of each way to fetch a file, in turn, every other round backwards, after one to warm up."""
    target = folder / "fetched"
    remote = RemoteFile(file.name, (url,), file.n_bytes, file.md5)

    def curl() -> None:
        target.mkdir()
        subprocess.run(["curl", "--silent", "--fail", "--output", str(target / "file"), url], check=True)

    def curl_and_checksum() -> None:
        curl()
        found = subprocess.run(["md5sum", str(target / "file")], check=True, capture_output=True, text=True)
        assert found.stdout.split()[0] == file.md5

    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: fetch(remote, target),
        "curl, unchecked": curl,
        "curl, then md5sum": curl_and_checksum,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name in list(ways) if turn % 2 == 0 else list(ways)[::-1]:
            start = time.perf_counter()
            ways[name]()
            if turn:
                seconds[name].append(time.perf_counter() - start)
            shutil.rmtree(target)
    return seconds


def _rows(case: str, n_bytes: int, seconds: dict[str, list[float]]) -> list[Row]:
    mib = n_bytes / (1 << 20)
    speed = {name: mib / statistics.median(rounds) for name, rounds in seconds.items()}
    return [
        Row(
            benchmark="download",
            case=f"{mib:.0f} MiB, verified; {case}",
            unit="MiB/s",
            ours=speed["ours"],
            against=name,
            other=speed[name],
            ratio=statistics.median(a / b for a, b in zip(rounds, seconds["ours"], strict=True)),
            sense="x of it",
            # without a line in between, an unchecked copy is no download's aim: MD5 alone takes longer
            aim=None if name == "curl, unchecked" and case == "no line between" else AS_FAST,
        )
        for name, rounds in seconds.items()
        if name != "ours"
    ]


def _peak_mib(url: str, file: RemoteFile) -> float:
    command = [sys.executable, "-m", "benchmarks.fetch_once", url, str(file.n_bytes), str(file.md5)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


@contextmanager
def _no_proxy() -> Iterator[None]:
    """Keep the machine's proxy out of what stays on it."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    os.environ.update(dict.fromkeys(before, "127.0.0.1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
