"""Progress of several downloads together: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from soundproof.downloads.transfer import Progress as Report

if TYPE_CHECKING:
    from soundproof.downloads.download import Missing

log = logging.getLogger(__name__)

EVERY_S = 30.0
"""Seconds between two lines in the log."""


class Stopped(Exception):
    """The downloads were called off."""


class Shown:
    """Bytes of all files together; may be told from several threads.

    Args:
        missing: The files.
        bar: Where it is drawn.
    """

    def __init__(self, missing: Sequence[Missing], bar: Progress) -> None:
        self._totals = {item.folder / item.remote.name: item.remote.n_bytes for item in missing}
        self._held: dict[Path, int] = {}
        self._begun: dict[Path, int] = {}
        self._bar = bar
        what = f"{len(missing)} files" if len(missing) > 1 else "".join(item.remote.name for item in missing)
        self._task = bar.add_task(what, total=None)
        self._guard = threading.Lock()
        self._start = self._last = time.monotonic()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have every file's next report raise :class:`Stopped`."""
        self._stopped.set()

    def of(self, item: Missing) -> Report:
        """What one file reports to."""
        place = item.folder / item.remote.name

        def report(held: int, total: int | None) -> None:
            if self._stopped.is_set():
                raise Stopped(place)
            with self._guard:
                self._begun.setdefault(place, held)
                self._held[place] = held
                if self._totals.get(place) is None:
                    self._totals[place] = total
                self._bar.update(self._task, completed=sum(self._held.values()), total=self._total())
                self._say_now_and_then()

        return report

    def summary(self) -> str:
        """Where the downloads stand, in words."""
        held, total = sum(self._held.values()), self._total()
        seconds = time.monotonic() - self._start
        speed = (held - sum(self._begun.values())) / seconds if seconds > 0 else 0.0
        if total is None:
            return f"{decimal(held)}, {decimal(int(speed))}/s; sizes of some files are unknown"
        left = f", about {(total - held) / speed:.0f} s left" if speed > 0 else ""
        return f"{decimal(held)} of {decimal(total)}, {decimal(int(speed))}/s{left}"

    def _total(self) -> int | None:
        sizes = list(self._totals.values())
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def _say_now_and_then(self) -> None:
        if time.monotonic() - self._last >= EVERY_S:
            self._last = time.monotonic()
            log.info("downloads: %s", self.summary())


@contextmanager
def shown(missing: Sequence[Missing]) -> Iterator[Shown]:
    """Show the progress of these files while the block runs."""
    console = Console(stderr=True)
    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        progress = Shown(missing, bar)
        yield progress
        log.info("downloads: %s", progress.summary())
