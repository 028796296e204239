"""Normal clips broken on purpose, where nobody has a fault to learn from.

A piece is cut out of another clip, made louder or softer, moved to another time and another frequency, and put in
place of what is there (CutPaste, Li et al. 2021, arXiv 2104.04015) or mixed with it, as an event is with a
background. Two sounds at once are about as loud as the louder of them, within 3 dB, on any scale that rises with
the power (Nádas et al. 1989, IEEE Trans. ASSP 37:1495): the scale of the map need not be known.
"""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.interfaces.detector import TrainingClips
from soundproof.interfaces.wrapped_clips import WrappedClips
from soundproof.randomness.seeding import seed_from

_DRAWS = 8
"""Uniform numbers that a clip is broken by."""


class BrokenClips(WrappedClips):
    """Training clips, each broken by a piece of another one, or of itself where there is no other.

    What is drawn of a clip hangs on its name, the seed and the number of the copy, not on what was read before.

    Args:
        clips: Normal clips.
        piece: Shortest and longest side of a piece, as shares of the bands and of the frames.
        louder: How much louder or softer a piece becomes at most, in standard deviations of the clip's cells.
        seed: Run seed.
        copy: Another number breaks the same clips otherwise.
    """

    def __init__(
        self, clips: TrainingClips, piece: tuple[float, float], louder: float, seed: int, copy: int
    ) -> None:
        super().__init__(clips)
        self._piece, self._louder = piece, louder
        self._seeds = [seed_from("breaking", seed, copy, clip_id) for clip_id in clips.frame["clip_id"]]

    def read(self, rows: list[int]) -> Tensor:
        """Broken maps float32 [n, n_freq, n_frames] of the given rows."""
        return torch.stack(
            [self._broken(row, x) for row, x in zip(rows, self._clips.read(rows), strict=True)]
        )

    def _broken(self, row: int, x: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(self._seeds[row])
        step = 1 + int(torch.randint(max(1, len(self) - 1), (), generator=generator))
        other = self._clips.read([(row + step) % len(self)])[0]
        return broken(x, other, self._piece, self._louder, generator)


def broken(
    x: Tensor, other: Tensor, piece: tuple[float, float], louder: float, generator: torch.Generator
) -> Tensor:
    """Break a clip by one piece of another.

    Args:
        x: Map of the clip [n_freq, n_frames], which stays as it is.
        other: Map that the piece is cut out of, of the same shape.
        piece: Shortest and longest side of the piece, as shares of the bands and of the frames.
        louder: How much louder or softer it becomes at most, in standard deviations of the clip's cells.
        generator: Random numbers.

    Returns:
        The broken map [n_freq, n_frames].
    """
    mixed, level, *where = torch.rand(_DRAWS, generator=generator).tolist()
    bands, onto_bands = _sides(x.shape[0], piece, *where[:3])
    frames, onto_frames = _sides(x.shape[1], piece, *where[3:])
    sound = other[bands, frames] + (2 * level - 1) * louder * x.std(correction=0)
    found = x.clone()
    there = found[onto_bands, onto_frames]
    found[onto_bands, onto_frames] = torch.maximum(there, sound) if mixed < 0.5 else sound
    return found


def _sides(
    length: int, piece: tuple[float, float], size: float, cut: float, onto: float
) -> tuple[slice, slice]:
    """Where a piece is cut out of an axis of ``length`` cells, and where it is put, by three numbers in [0, 1)."""
    share = piece[0] + size * (piece[1] - piece[0])
    n = min(max(1, round(share * length)), length)
    starts = [int(place * (length - n + 1)) for place in (cut, onto)]
    return slice(starts[0], starts[0] + n), slice(starts[1], starts[1] + n)
