"""Data sets whose clips are files, or pieces of files, listed once with all that is known about them."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from soundproof.audio.reading import AudioInfo, audio_info, read_audio
from soundproof.audio.sound import Audio
from soundproof.audio.zip_members import Source
from soundproof.core.errors import DataError
from soundproof.datasets.published.settings import PublishedParameters
from soundproof.downloads.fetch_all import fetch_all
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.zenodo import Zenodo
from soundproof.folders.folder_clips import unknown_clip
from soundproof.interfaces.dataset import AudioDataset
from soundproof.randomness.seeding import seed_from
from soundproof.storage.schemas import CLIPS


@dataclass(frozen=True, kw_only=True)
class ListedClip:
    """A clip's file and what is known about it; fields as in :data:`soundproof.storage.schemas.CLIPS`.

    Attributes:
        place: Path below the data set's folder, the same whether the archives are unpacked or not.
        source: Where the file is.
        seconds: Length of the piece that is the clip; None: the whole file.
        start_s: Where the piece starts.
    """

    clip_id: str
    place: str
    source: Source
    machine: str
    machine_id: str
    split: str
    label: str
    domain: str | None = None
    snr_db: float | None = None
    anomaly_type: str | None = None
    attributes: str | None = None
    seconds: float | None = None
    start_s: float = 0.0


class Clip(Protocol):
    """What is known of every clip."""

    @property
    def clip_id(self) -> str:
        """Unique name."""

    @property
    def machine(self) -> str:
        """Machine."""

    @property
    def split(self) -> str:
        """``train`` or ``test``."""

    @property
    def label(self) -> str:
        """``normal`` or ``anomaly``."""


class PublishedDataset(AudioDataset):
    """A published data set: where its folder is, and how it gets there."""

    settings: PublishedParameters
    name: str
    """Name in the registry."""
    zenodo: Zenodo | None = None

    @property
    def folder(self) -> Path:
        """Folder that the paths of :meth:`clips` start from."""
        return self.data_dir / self.settings.place(self.name)

    @abstractmethod
    def needed(self) -> tuple[Needed, ...]:
        """Files that must be there."""

    @abstractmethod
    def write_miniature(self) -> None:
        """Write the small tree, as far as it is not there yet."""

    def unpack(self) -> None:
        """Unpack what cannot be read as it is."""

    def fetch(self) -> list[Path]:
        """Download and verify what is not there yet, or write the miniature.

        Returns:
            The files that are there; of a tree placed by hand, or written here, there are none.

        Raises:
            DownloadError: A file cannot be had; the message tells what to place where.
            DataError: An archive cannot be used.
        """
        if self.settings.miniature:
            self.write_miniature()
            return []
        fetch_all(self.needed(), self.data_dir, zenodo=self.zenodo)
        self.unpack()
        return [path for item in self.needed() if (path := item.place(self.data_dir)).is_file()]


class ListedDataset(PublishedDataset):
    """A data set that lists its clips in :meth:`listed`."""

    @abstractmethod
    def listed(self) -> Sequence[ListedClip]:
        """Return the clips.

        Raises:
            DataError: The tree is not what it should be.
        """

    def clips(self) -> pd.DataFrame:
        """One row per clip.

        Raises:
            DataError: A folder is missing, a file is outside the naming scheme, cut off or of another length
            than the
                others, a machine lacks training or test clips, or the numbers are not the published ones.
        """
        infos = {clip_id: self._info(clip) for clip_id, clip in self._clips.items()}
        refuse_unequal({str(self._clips[clip_id].source): info for clip_id, info in infos.items()})
        rows = [self._row(clip, infos[clip_id]) for clip_id, clip in self._clips.items()]
        return pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)

    def read(self, clip_id: str) -> Audio:
        """Decode one clip.

        Raises:
            DataError: No clip of that id, or a file that cannot be used.
        """
        clip = self._clips.get(clip_id)
        if clip is None:
            raise unknown_clip(self.name, clip_id, self._clips)
        if clip.seconds is None:
            return read_audio(clip.source, self.channel)
        rate_hz = audio_info(clip.source).rate_hz
        return read_audio(
            clip.source, self.channel, round(clip.start_s * rate_hz), round(clip.seconds * rate_hz)
        )

    @cached_property
    def _clips(self) -> dict[str, ListedClip]:
        clips = self.listed()
        refuse_unusable(self.name, clips)
        return {clip.clip_id: clip for clip in clips}

    def _info(self, clip: ListedClip) -> AudioInfo:
        info = audio_info(clip.source)
        if clip.seconds is None:
            return info
        n_samples = round(clip.seconds * info.rate_hz)
        if round(clip.start_s * info.rate_hz) + n_samples > info.n_samples:
            found = f"{info.n_samples / info.rate_hz:g} s"
            asked = f"{clip.seconds:g} s from {clip.start_s:g} s of the recording {clip.source}"
            raise DataError(asked, found, "set 'seconds' to no more than the shortest recording has")
        return AudioInfo(info.rate_hz, n_samples, info.n_channels)

    def _row(self, clip: ListedClip, info: AudioInfo) -> dict[str, Any]:
        known = {name: getattr(clip, name) for name in CLIPS.names if hasattr(clip, name)}
        facts = {"sample_rate_hz": info.rate_hz, "n_samples": info.n_samples}
        return {"dataset": self.name, "path": clip.place, **known, **facts, "sha256": None, "events": None}


def refuse_unequal(infos: dict[str, AudioInfo]) -> None:
    """Refuse clips of different length or rate: features need one length, and published sets have one.

    Raises:
        DataError: The first clip that differs from most.
    """
    (usual, _), *_ = Counter((info.rate_hz, info.n_samples) for info in infos.values()).most_common(1)
    for name, info in infos.items():
        if (info.rate_hz, info.n_samples) != usual:
            raise DataError(
                f"the recording {name}: {usual[1]} samples at {usual[0]} Hz, as the others",
                f"{info.n_samples} samples at {info.rate_hz} Hz",
                "fetch or unpack it again",
            )


def refuse_unusable(dataset: str, clips: Sequence[Clip]) -> None:
    """Refuse a list with which no detector can be trained and tested.

    Raises:
        DataError: Two clips share an id, or a machine lacks normal training clips or test clips of a label.
    """
    twice = [clip_id for clip_id, count in Counter(clip.clip_id for clip in clips).items() if count > 1]
    if twice:
        raise DataError(
            f"one clip per id in {dataset}", f"'{twice[0]}' stands twice", "keep one of the files"
        )
    kinds = {(clip.machine, clip.split, clip.label) for clip in clips}
    for machine in sorted({clip.machine for clip in clips}):
        if (machine, "train", "anomaly") in kinds:
            raise DataError(f"the training clips of '{machine}'", "an anomaly among them", "report it")
        for split, label in (("train", "normal"), ("test", "normal"), ("test", "anomaly")):
            if (machine, split, label) not in kinds:
                counts = Counter(f"{c.split}/{c.label}" for c in clips if c.machine == machine)
                raise DataError(
                    f"{label} {split} clips of '{machine}' in {dataset}",
                    f"none; there are {', '.join(f'{n} {kind}' for kind, n in sorted(counts.items()))}",
                    "unpack the archives again, or ask for more clips",
                )


def in_drawn_order(names: Iterable[str], *purpose: str | int) -> list[str]:
    """Put names in an order that hangs on the names and the purpose alone: its start is a fair draw."""
    return sorted(names, key=lambda name: seed_from(*purpose, name))
