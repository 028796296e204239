"""Work through rows in chunks, and in smaller ones where memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


def in_shrinking_chunks(function: Callable[[int, int], T], n_rows: int, size: int, what: str) -> Iterator[T]:
    """Yield ``function(start, end)`` for chunks of rows in order.

    A chunk for which memory does not suffice is tried again with half as many rows; so are those that follow.

    Args:
        function: Computes rows ``start`` to ``end``; its results must not depend on where chunks end.
        n_rows: Rows in all.
        size: Rows in a chunk at first.
        what: What is computed, for the log.

    Raises:
        MemoryError: Memory does not suffice for a single row (or torch's own error of that meaning).
    """
    start = 0
    while start < n_rows:
        end = min(start + size, n_rows)
        try:
            result = function(start, end)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error) or end - start == 1:
                raise
            size = (end - start) // 2
            logger.warning("%s: memory ran out; going on with chunks of %d", what, size)
            continue
        yield result
        start = end


def _out_of_memory(error: Exception) -> bool:
    """Whether an allocation failed; torch says so on a CPU in words alone."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or ("memory" in said and ("alloc" in said or "out of" in said))
