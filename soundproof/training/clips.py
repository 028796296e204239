"""Training clips read from a features file, and the part of them kept for validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.interfaces.detector import Heard
from soundproof.randomness.seeding import seed_from
from soundproof.storage.maps import Axes, MapReader


class MapClips:
    """Clips of a features file, in file order so that neighbours share a row group.

    Nothing is kept in memory here beyond the reader's one decoded row group; who can afford it keeps what
    :meth:`read` returns.

    Args:
        reader: Features file.
        frame: Rows of the ``clips`` table to use; the reader must have all of them.

    Raises:
        DataError: No clips, or clips without features.
    """

    def __init__(self, reader: MapReader, frame: pd.DataFrame) -> None:
        missing = [clip_id for clip_id in frame["clip_id"] if clip_id not in reader]
        if missing or frame.empty:
            found = f"none for '{missing[0]}' ({len(missing)} are missing)" if missing else "no clips at all"
            raise DataError("features of the training clips", found, "regenerate the features")
        position = {clip_id: row for row, clip_id in enumerate(reader.clip_ids)}
        order = np.argsort(frame["clip_id"].map(position).to_numpy(), kind="stable")
        self._frame = frame.iloc[order].reset_index(drop=True)
        self._clip_ids: list[str] = self._frame["clip_id"].tolist()
        self._reader = reader

    @property
    def frame(self) -> pd.DataFrame:
        """The clips' rows of the ``clips`` table in reading order."""
        return self._frame

    @property
    def axes(self) -> Axes:
        """The time-frequency grid of the features."""
        return self._reader.axes

    @property
    def shape(self) -> tuple[int, int]:
        """(n_freq, n_frames)."""
        return self._reader.axes.shape

    def __len__(self) -> int:
        return len(self._clip_ids)

    def read(self, rows: list[int]) -> Tensor:
        """Return maps float32 [n, n_freq, n_frames] of the given rows, on the CPU."""
        maps = self._reader.read([self._clip_ids[row] for row in rows])
        return torch.from_numpy(maps.astype(np.float32, copy=False))

    @property
    def sound(self) -> str | None:
        """How the maps follow from the sounds beside them; None where no sounds are kept."""
        return self._reader.sound

    def heard(self, rows: list[int]) -> Heard:
        """Return sounds and maps of the given rows, on the CPU.

        Raises:
            ArtefactError: The file keeps no sounds.
        """
        return Heard(
            torch.from_numpy(self._reader.sounds([self._clip_ids[row] for row in rows])), self.read(rows)
        )


def split(clip_ids: Sequence[str], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Split rows at random into training and validation rows, both ascending.

    A clip's draw depends on its id and the seed alone, not on the order or number of the others.

    Args:
        clip_ids: Ids of all clips.
        fraction: Part to keep for validation, rounded down as P1 does; at least one clip.
        seed: Run seed.

    Raises:
        DataError: Fewer than three clips, which leaves fewer than two to train on.
    """
    if len(clip_ids) < 3:
        raise DataError(
            "training with a validation part",
            f"{len(clip_ids)} normal training clip(s)",
            "give at least 3: two to train on and one to validate with",
        )
    held = min(max(1, int(fraction * len(clip_ids))), len(clip_ids) - 2)
    draw = [seed_from("validation split", seed, clip_id) for clip_id in clip_ids]
    drawn = np.argsort(np.array(draw, dtype=np.int64), kind="stable")
    return sorted(drawn[held:].tolist()), sorted(drawn[:held].tolist())
