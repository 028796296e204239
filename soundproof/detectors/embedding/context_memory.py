"""A memory of normal sound per context: what is normal at one speed may be a fault at another."""

from __future__ import annotations

import copy

import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.core.errors import DataError, nearest
from soundproof.detectors.embedding.band_memory import BandMemory
from soundproof.detectors.embedding.settings import ContextMemorySettings
from soundproof.detectors.embedding.some_clips import SomeClips
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun

NORMAL_IN = "unusual_in_context"
"""Measure: how unusual the cells that a clip's own map marks are in each context, by its place among them."""


class ContextMemory(Detector):
    """A band memory for each context, of which a clip is compared with that of its own.

    Without ``contexts`` it has one memory for all clips, and is blind to the conditions of recording. Of what its
    map marks it also says how unusual that would be in each context: where it is least unusual, it belongs.
    """

    settings: ContextMemorySettings

    def __init__(self, shape: tuple[int, int], settings: ContextMemorySettings) -> None:
        super().__init__(shape, settings)
        n_memories = max(1, len(settings.contexts))
        self.memories = nn.ModuleList(BandMemory(shape, settings.memory) for _ in range(n_memories))
        self.current: int | None = None if settings.contexts else 0

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Remember the normal clips of each context.

        Raises:
            DataError: A clip whose context is not noted or not among the settings', or a context without clips.
        """
        of_clips = [0] * len(clips) if self.current == 0 else self._contexts_of(clips.frame)
        for number, memory in enumerate(self._memories()):
            rows = [row for row, of_clip in enumerate(of_clips) if of_clip == number]
            if not rows:
                raise DataError(
                    f"normal training clips with '{self._named(number)}'",
                    "none",
                    "add some, or take that context away",
                )
            memory.fit(SomeClips(clips, rows), run)
        self.to(run.device)
        return no_history()

    def for_context(self, attributes: str) -> Detector:
        """A view that compares with the context that the settings tell it of a clip: its own, or a wrong one."""
        if not self.settings.contexts:
            return self
        step = 1 if self.settings.told == "wrong" else 0
        view = copy.copy(self)  # shares all memories
        view.current = (self._number(attributes) + step) % len(self.settings.contexts)
        return view

    def score(self, x: Tensor) -> Tensor:
        """Score by the memory of the clip's context; of nobody in particular the lowest of all contexts', [B]."""
        return torch.stack([memory.score(x) for memory in self._asked()]).amin(dim=0)

    def anomaly_map(self, x: Tensor) -> Tensor:
        """The map of that memory; of nobody in particular the least unusual of each cell, [B, n_freq, n_frames]."""
        return torch.stack([memory.anomaly_map(x) for memory in self._asked()]).amin(dim=0)

    def further_scores(self, x: Tensor) -> dict[tuple[str, float | None], Tensor]:
        """How unusual the cells that the own map marks are in each context; none where there are no contexts."""
        if not self.settings.contexts:
            return {}
        own = self.anomaly_map(x).flatten(1)
        kept = max(1, round(self.settings.share * own.shape[1]))
        marked = own.topk(kept, dim=1).indices
        return {
            (NORMAL_IN, float(number)): memory.anomaly_map(x).flatten(1).gather(1, marked).mean(dim=1)
            for number, memory in enumerate(self._memories())
        }

    def randomise(self, seed: int) -> None:
        """Redraw the network and all memories; without a network it has no weights, and stays as it is."""
        if next(self.parameters(), None) is not None:
            for memory in self._memories():
                memory.randomise(seed)

    def _memories(self) -> list[BandMemory]:
        return [memory for memory in self.memories if isinstance(memory, BandMemory)]

    def _asked(self) -> list[BandMemory]:
        """The memory of the context that is looked at, or all of them."""
        return self._memories() if self.current is None else [self._memories()[self.current]]

    def _contexts_of(self, frame: pd.DataFrame) -> list[int]:
        noted = (
            frame["attributes"] if "attributes" in frame else pd.Series(None, index=frame.index, dtype=object)
        )
        lacking = [value for value in noted if self._value("" if pd.isna(value) else str(value)) is None]
        if lacking:
            raise DataError(
                f"the '{self.settings.attribute}' of every normal training clip, noted in its attributes",
                f"{len(lacking)} of {len(frame)} clips without",
                "note it, or leave these clips out",
            )
        return [self._number(str(value)) for value in noted]

    def _number(self, attributes: str) -> int:
        """Place of a clip's context among the settings'.

        Raises:
            DataError: It is not noted, or no normal clip was recorded in it.
        """
        value, known = self._value(attributes), self.settings.contexts
        if value is None:
            found = f"'{attributes}'" if attributes else "no attributes"
            name = self.settings.attribute
            raise DataError(f"the '{name}' of a clip, in its attributes", found, f"note it: {name}=VALUE")
        if value not in known:
            raise DataError(
                f"normal clips with '{self.settings.attribute}={value}', to compare a clip with",
                f"contexts {', '.join(known)}",
                f"add such clips and the context; {nearest(value, known)}",
            )
        return known.index(value)

    def _value(self, attributes: str) -> str | None:
        noted = dict(part.partition("=")[::2] for part in attributes.split(";"))
        return noted.get(self.settings.attribute)

    def _named(self, number: int) -> str:
        return (
            f"{self.settings.attribute}={self.settings.contexts[number]}" if self.settings.contexts else "any"
        )
