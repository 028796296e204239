from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from soundproof.downloads import download_progress as shown
from soundproof.downloads.download_progress import Shown, Stopped
from soundproof.downloads.missing import Missing
from soundproof.downloads.remote_file import RemoteFile


def missing(name: str, n_bytes: int | None) -> Missing:
    return Missing(RemoteFile(name, ("http://127.0.0.1/x",), n_bytes), Path("set"), "no such file")


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shown, "time", clock)
    return clock


def all_of(*items: Missing) -> Shown:
    return Shown(items, Progress(console=Console(file=io.StringIO()), disable=True))


def test_files_are_summed_and_what_lay_there_before_is_no_speed(clock: Clock) -> None:
    items = missing("a", 4_000), missing("b", 6_000)
    progress = all_of(*items)
    a, b = map(progress.of, items)
    a(1_000, 4_000)  # a part of an earlier run
    b(0, 6_000)
    clock.now = 10.0
    a(2_000, 4_000)
    b(2_000, 6_000)
    # 3000 bytes in 10 s; 6000 of 10000 are left
    assert progress.summary() == "4.0 kB of 10.0 kB, 300 bytes/s, about 20 s left"


def test_files_of_one_name_in_two_folders_count_twice(clock: Clock) -> None:
    one = missing("a", 5)
    two = Missing(one.remote, Path("other"), "no such file")
    progress = all_of(one, two)
    for item in (one, two):
        progress.of(item)(5, 5)
    clock.now = 1.0
    assert progress.summary().startswith("10 bytes of 10 bytes")


def test_an_unknown_size_is_learnt_from_the_answer(clock: Clock) -> None:
    items = missing("a", 1_000), missing("b", None)
    progress = all_of(*items)
    progress.of(items[0])(500, 1_000)
    assert "sizes of some files are unknown" in progress.summary()
    progress.of(items[1])(0, 3_000)
    assert "500 bytes of 4.0 kB" in progress.summary()


def test_a_log_hears_of_it_now_and_then(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    item = missing("a", 1_000)
    report = all_of(item).of(item)
    with caplog.at_level(logging.INFO):
        for clock.now in (1.0, 29.0, 31.0, 32.0, 62.0):
            report(int(clock.now), 1_000)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "downloads: 31 bytes of 1.0 kB",
        "downloads: 62 bytes of 1.0 kB",
    ]


def test_downloads_that_are_called_off_stop_at_their_next_piece(clock: Clock) -> None:
    item = missing("a", 10)
    progress = all_of(item)
    progress.of(item)(1, 10)
    progress.stop()
    with pytest.raises(Stopped):
        progress.of(item)(2, 10)
