"""Timing of variants side by side, on machines where absolute times are noise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Timing:
    """Times of one variant.

    Attributes:
        rounds: Seconds of each round.
        result: What the variant returned before the timed rounds.
    """

    rounds: tuple[float, ...]
    result: Any

    @property
    def seconds(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.rounds)

    def over(self, other: Timing) -> float:
        """Median of the ratios to ``other`` within each round: a slow spell hits both sides of a ratio."""
        return statistics.median(a / b for a, b in zip(self.rounds, other.rounds, strict=True))


def interleaved(
    variants: Mapping[str, Callable[[], Any]], repeats: int, device: torch.device, *, warm_up: bool = True
) -> dict[str, Timing]:
    """Run every variant once to warm up, then time them in turn, round after round.

    Every other round runs backwards, so that a drift of the machine favours no variant.

    Args:
        variants: What to run, by name.
        repeats: Timed rounds.
        device: Device that the work runs on; a GPU is waited for before the clock is read.
        warm_up: False: of work that takes minutes the first run is timed, and its result is the first round's.
    """
    clock = _clock(device)
    results = {name: run() for name, run in variants.items()} if warm_up else {}
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats):
        names = list(variants) if turn % 2 == 0 else list(variants)[::-1]
        for name in names:
            _wait(device)
            start = clock()
            result = variants[name]()
            _wait(device)
            seconds[name].append(clock() - start)
            results.setdefault(name, result)
    return {name: Timing(tuple(seconds[name]), results[name]) for name in variants}


def summed(timings: list[Timing]) -> Timing:
    """Round by round the time of several variants together."""
    return Timing(tuple(map(sum, zip(*(timing.rounds for timing in timings), strict=True))), None)


def _clock(device: torch.device) -> Callable[[], float]:
    # with one thread, processor time is what the work takes where nobody else wants the core
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
