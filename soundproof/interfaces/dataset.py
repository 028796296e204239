"""What a data set offers to the rest of the pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.core.registry import Entry, Parameters
from soundproof.downloads.needed_files import Needed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from soundproof.audio.reading import Channel
    from soundproof.audio.sound import Audio, Stems
    from soundproof.clips.notes import Note


class Dataset(ABC):
    """A source of clips.

    Args:
        settings: Validated parameters of the data set's registry entry.
        data_dir: Folder that holds downloads.
    """

    def __init__(self, settings: Parameters, data_dir: Path) -> None:
        self.settings = settings
        self.data_dir = data_dir

    def needed(self) -> tuple[Needed, ...]:
        """Files that must be fetched, or placed by hand, before clips can be listed; by default none."""
        return ()

    @abstractmethod
    def clips(self) -> pd.DataFrame:
        """One row per clip, columns as in :data:`soundproof.storage.schemas.CLIPS`, ordered by ``clip_id``.

        ``clip_id`` is unique, stable, and fit for a file name.

        Raises:
            DataError: Something about the data set cannot be used; the message names file and remedy.
        """

    def notes(self) -> tuple[Note, ...]:
        """What a reader must know of the clips beside their table; by default nothing."""
        return ()


@dataclass(frozen=True)
class Physics:
    """What a clip's fault was drawn to be, by the model that made its sound.

    Attributes:
        fault: Kind of fault.
        drawn: Values that an attribute of its sound may have, by names of
            :data:`soundproof.reasons.attributes.ATTRIBUTES`; several where any of them is right.
        time_s: When it begins and ends.
        band_hz: Band that holds most of its energy.
        takes_away: Whether it takes sound away instead of adding some.
    """

    fault: str
    drawn: Mapping[str, tuple[float, ...]]
    time_s: tuple[float, float]
    band_hz: tuple[float, float]
    takes_away: bool = False


class AudioDataset(Dataset):
    """Clips that are recordings (or are synthesised)."""

    @property
    def channel(self) -> Channel:
        """Channel that is taken of recordings with several; by default the mean of all."""
        return "mix"

    @abstractmethod
    def read(self, clip_id: str) -> Audio:
        """Return the clip's sound; the same id always gives the same samples."""

    def stems(self, clip_id: str) -> Stems | None:
        """Return the separate stems where the data set has an exact ground truth, else None."""
        return None

    def physics(self, clip_id: str) -> Physics | None:
        """What the clip's fault was drawn to be where its sound was made by a model, else None."""
        return None


class SpectrogramDataset(Dataset):
    """Clips that come as ready-made spectrograms."""

    @property
    @abstractmethod
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequency of each row, float64 [n_freq]."""

    @property
    @abstractmethod
    def frames_per_second(self) -> float:
        """Number of columns per second."""

    @abstractmethod
    def read(self, clip_id: str) -> np.ndarray:
        """Return the clip's spectrogram, float32 [n_freq, n_frames]."""


@dataclass(frozen=True, kw_only=True)
class DatasetEntry(Entry):
    """Facts of a data set.

    Attributes:
        licence: Licence and its consequence, in words.
        truth: Which ground truth it has: any of ``"clip"``, ``"events"`` (time intervals), ``"masks"``.
        needed: Tells from its settings which files must be fetched (or placed by hand) first; a light function.
            None: it never needs any.
        ready_made: Whether clips come as spectrograms, so that no feature recipe applies.
    """

    licence: str
    truth: frozenset[str] = field(default_factory=frozenset)
    needed: Callable[[Any], tuple[Needed, ...]] | None = None
    ready_made: bool = False

    @property
    def needs_download(self) -> bool:
        """Whether files may have to be fetched, or placed by hand, first."""
        return self.needed is not None
