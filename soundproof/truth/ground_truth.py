"""Ground truth of a set of anomalous clips, and the checks that maps must pass before they meet it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soundproof.core.errors import DataError
from soundproof.randomness.ties import tie_breakers

if TYPE_CHECKING:
    from soundproof.features.sounds import ClipSounds

Events = Sequence[tuple[float, float]]


def frames_of_events(events: Events, frames_per_second: float, n_frames: int) -> np.ndarray:
    """Mark the frames that overlap an event.

    Frame ``t`` stands for ``[t, t + 1) / frames_per_second`` and an event for ``[onset_s, offset_s)``: they
    overlap when they share more than a point. What lasts beyond the last frame is cut there, since features
    are rarely an exact multiple of the hop.

    Args:
        events: (onset_s, offset_s) pairs in seconds.
        frames_per_second: Frame rate of the maps.
        n_frames: Number of frames of the maps.

    Returns:
        bool [n_frames].

    Raises:
        DataError: An event that ends before it begins, begins before the clip or after its end.
    """
    annotated = np.zeros(n_frames, dtype=bool)
    for onset_s, offset_s in events:
        if not (0 <= onset_s < offset_s < math.inf and onset_s * frames_per_second < n_frames):
            raise DataError(
                f"an event inside a clip of {n_frames / frames_per_second:g} s",
                f"onset {onset_s} s, offset {offset_s} s",
                "correct the label: 0 <= onset < offset, and the onset lies inside the clip",
            )
        # 2.3 s x 40 frames/s is 91.99999999999999: rounding keeps it from claiming frame 91
        first = math.floor(round(onset_s * frames_per_second, 6))
        stop = math.ceil(round(offset_s * frames_per_second, 6))
        annotated[first:stop] = True
    return annotated


@dataclass(frozen=True)
class Truth:
    """Where the faults are, clip by clip.

    Attributes:
        frames_per_second: Frame rate of the maps.
        events: For each clip its (onset_s, offset_s) pairs; None where nobody labelled the clip, empty where
            somebody did and found nothing.
        masks: bool [n_clips, n_freq, n_frames], or None where the data set has no cell-wise truth.
        clip_ids: Names of the clips, from which ties are split; empty: by position.
        event_maps: Level of the events alone in dB [n_clips, n_freq, n_frames], silence where a clip has none; None
            where nobody knows them apart.
        sounds: Their sound; None where nobody asks for it, or the data set has none.
    """

    frames_per_second: float
    events: Sequence[Events | None]
    masks: np.ndarray | None = None
    clip_ids: Sequence[str] = ()
    event_maps: np.ndarray | None = None
    sounds: ClipSounds | None = None

    def ties(self, n_items: int) -> np.ndarray:
        """Random numbers that split ties among a clip's frames or cells, float64 [n_clips, n_items]."""
        return tie_breakers(self.clip_ids or [str(row) for row in range(len(self.events))], n_items)

    def frames(self, n_frames: int) -> np.ndarray:
        """Mark the annotated frames; clips without a label have none, as :meth:`with_events` tells.

        Returns:
            bool [n_clips, n_frames].
        """
        return np.stack(
            [frames_of_events(events or (), self.frames_per_second, n_frames) for events in self.events]
        )

    def cells(self) -> np.ndarray:
        """Return the masks, bool [n_clips, n_freq, n_frames].

        Raises:
            DataError: The data set has no cell-wise truth.
        """
        if self.masks is None:
            raise DataError("time-frequency masks", "none", "leave out the metrics that need masks")
        return self.masks

    def levels(self) -> np.ndarray:
        """Return the maps of the events alone in dB [n_clips, n_freq, n_frames].

        Raises:
            DataError: The data set does not know them.
        """
        if self.event_maps is None:
            raise DataError("maps of the events alone", "none", "leave out the metrics that need them")
        return self.event_maps

    @property
    def offers(self) -> frozenset[str]:
        """What is known: any of ``events``, ``masks``, ``event_maps``, ``stems``, ``physics``."""
        known = {
            "events": bool(self.with_events().any()),
            "masks": self.masks is not None,
            "event_maps": self.event_maps is not None,
            "stems": self.with_stems(),
            "physics": self.with_physics(),
        }
        return frozenset(name for name, there in known.items() if there)

    def with_stems(self) -> bool:
        """Whether the data set has the stems of these clips (it has those of all clips or of none)."""
        return self.sounds is not None and self.sounds.stems(self.clip_ids[0]) is not None

    def with_physics(self) -> bool:
        """Whether the faults of these clips were drawn (those of all clips or of none)."""
        return self.sounds is not None and self.sounds.physics(self.clip_ids[0]) is not None

    def with_events(self) -> np.ndarray:
        """Tell which clips have at least one event, bool [n_clips]."""
        return np.array([bool(events) for events in self.events], dtype=bool)


def require_finite(values: np.ndarray, what: str) -> None:
    """Refuse maps or curves that hold NaN or infinity, which would rank as if they were relevance.

    Raises:
        DataError: At least one value is not finite; names the first row that holds one.
    """
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.flatnonzero(bad.reshape(len(values), -1).any(axis=1))[0])
        raise DataError(
            f"finite values in {what}",
            f"{int(bad.sum())} not finite, first in row {row}",
            "look at the explainer that wrote them: a zero division or an overflow",
        )
