"""Batches of clips: held on the device where they fit, else streamed in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from soundproof.interfaces.detector import TrainingClips
from soundproof.storage.maps import ROWS_PER_GROUP

BYTES_PER_CELL = 4


@dataclass(frozen=True)
class Batch:
    """Some clips on the computing device.

    Attributes:
        x: Maps [n, n_freq, n_frames].
        rows: Their rows among all clips, int64 [n].
    """

    x: Tensor
    rows: Tensor


class Batches:
    """Serves the clips of a training, shuffled or in order.

    Clips that fit the memory budget are read and moved to the device once. Otherwise each shuffled epoch reads
    blocks of neighbouring rows (about one row group each) in random order, as many at a time as half the budget
    holds, and shuffles the clips within such a window: at most one window and one batch are in memory.

    Args:
        clips: All clips of the training.
        shape: (n_freq, n_frames).
        batch_size: Clips per batch.
        device: Where batches go.
        memory_budget_bytes: See above.
    """

    def __init__(
        self,
        clips: TrainingClips,
        shape: tuple[int, int],
        batch_size: int,
        device: torch.device,
        memory_budget_bytes: int,
    ) -> None:
        self._clips = clips
        self._batch_size = batch_size
        self._device = device
        bytes_per_clip = shape[0] * shape[1] * BYTES_PER_CELL
        self._held: Tensor | None = None
        if len(clips) * bytes_per_clip <= memory_budget_bytes:
            self._held = clips.read(list(range(len(clips)))).to(device)
        window = memory_budget_bytes // 2 // bytes_per_clip // ROWS_PER_GROUP * ROWS_PER_GROUP
        self._window = max(window, ROWS_PER_GROUP)

    @property
    def window(self) -> int | None:
        """How many clips are shuffled together where they are streamed; None where all are held.

        It decides the order of the clips, and with it the last bits of the trained weights.
        """
        return None if self._held is not None else self._window

    def in_order(self, rows: list[int], *, drop_last: bool = False) -> Iterator[Batch]:
        """Yield all rows in the given order, or those alone that fill batches, if there are as many."""
        if drop_last and len(rows) > self._batch_size:
            rows = rows[: len(rows) // self._batch_size * self._batch_size]
        for part in torch.split(torch.tensor(rows), self._batch_size):
            yield self._batch(part)

    def shuffled(self, rows: list[int], seed: int, *, keep_last: bool = False) -> Iterator[Batch]:
        """Yield batches of the rows in an order that depends on ``seed`` alone.

        Unless they are kept, rows that do not fill a batch are left out of this epoch (another epoch draws others),
        because normalisation over a batch of one or two clips is unstable; with fewer rows than one batch all are
        used. A batch of a single clip is never made of what is left: normalisation of one value is undefined.
        """
        generator = torch.Generator().manual_seed(seed)
        size = min(self._batch_size, len(rows))
        if self._held is None:
            yield from _rebatch(self._windows(rows, generator), size, keep_last=keep_last)
            return
        order = torch.tensor(rows)[torch.randperm(len(rows), generator=generator)]
        for part in torch.split(order, size):
            if len(part) == size or (keep_last and len(part) > 1):
                yield self._batch(part)

    def _batch(self, rows: Tensor) -> Batch:
        if self._held is None:
            return Batch(self._clips.read(rows.tolist()).to(self._device), rows.to(self._device))
        on_device = rows.to(self._device, non_blocking=True)
        return Batch(self._held.index_select(0, on_device), on_device)

    def _windows(self, rows: list[int], generator: torch.Generator) -> Iterator[Batch]:
        blocks = torch.split(torch.tensor(rows), ROWS_PER_GROUP)
        order = torch.randperm(len(blocks), generator=generator).tolist()
        per_window = self._window // ROWS_PER_GROUP
        for start in range(0, len(order), per_window):
            # ascending rows, so that each row group is decoded once per window
            here = torch.cat([blocks[block] for block in sorted(order[start : start + per_window])])
            window = self._clips.read(here.tolist())
            shuffle = torch.randperm(len(here), generator=generator)
            for part in torch.split(shuffle, self._batch_size):
                yield Batch(window[part].to(self._device), here[part].to(self._device))


def _rebatch(parts: Iterator[Batch], size: int, *, keep_last: bool) -> Iterator[Batch]:
    """Cut parts of any length into batches of ``size``; what is left at the end is dropped unless it is kept."""
    x, rows = [], []
    waiting = 0
    for part in parts:
        x.append(part.x)
        rows.append(part.rows)
        waiting += len(part.rows)
        if waiting < size:
            continue
        whole = Batch(torch.cat(x), torch.cat(rows))
        yield Batch(whole.x[:size], whole.rows[:size])
        x, rows = [whole.x[size:]], [whole.rows[size:]]
        waiting -= size
    if keep_last and waiting > 1:
        yield Batch(torch.cat(x), torch.cat(rows))
