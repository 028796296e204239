"""Progress bars on a terminal, silence in a log file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs (only on a terminal); yield a function that is told how many are done."""
    with tqdm(total=total, desc=what, unit=unit, disable=None, leave=False) as bar:

        def reach(done: int) -> None:
            bar.update(done - bar.n)

        yield reach
