"""A folder of ready-made spectrograms."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soundproof.clips.notes import Note
from soundproof.core.errors import DataError
from soundproof.features.mel import mel_edges_hz
from soundproof.folders.folder_clips import (
    check_events,
    clip_ids,
    folder_clips,
    refuse_leaks,
    refuse_pairs,
    unknown_clip,
)
from soundproof.folders.layouts import LabelledFile
from soundproof.folders.same_sound import Sound, same_sounds
from soundproof.folders.settings import SpectrogramFolderParameters
from soundproof.folders.sources import say_unused
from soundproof.folders.spectrogram_files import SUFFIXES, parse_spectrogram, read_spectrogram
from soundproof.interfaces.dataset import SpectrogramDataset
from soundproof.storage.schemas import CLIPS


class SpectrogramFolder(SpectrogramDataset):
    """Spectrograms as ``.pt`` or ``.npy`` matrices [n_freq, n_frames], all of one shape.

    Layouts and label tables are those of the data set ``recordings``.
    """

    settings: SpectrogramFolderParameters

    @property
    def folder(self) -> Path:
        """Folder that the paths of :meth:`clips` start from."""
        return Path(self.settings.folder)

    @property
    def frames_per_second(self) -> float:
        """Number of columns per second."""
        return self.settings.frames_per_second

    @cached_property
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequency of each row, float64 [n_freq]; the number of rows is that of the first file."""
        n_freq = len(read_spectrogram(self.folder / next(iter(self._files.values())).path))
        low_hz, high_hz = self.settings.low_hz, self.settings.high_hz
        if self.settings.scale == "linear":
            return np.linspace(low_hz, high_hz, n_freq)
        return mel_edges_hz(n_freq, low_hz, high_hz, self.settings.mel_scale)[1:-1]

    def clips(self) -> pd.DataFrame:
        """One row per clip; every file is read once, to see that all can be used.

        Raises:
            DataError: A file, label or split cannot be used, shapes differ, or a test clip is among the training
                clips.
        """
        # said first: what is missing may be among it
        _ = self._unused
        clips = spectrogram_table("spectrograms", self.folder, self._files, self.frames_per_second)
        for file in self._files.values():
            duration_s = clips.attrs["n_frames"] / self.frames_per_second
            check_events(file, duration_s, self.settings.high_hz, 1 / self.frames_per_second)
        refuse_leaks(clips, self.folder)
        refuse_pairs(self._same_maps(), self.folder, "spectrograms")
        return clips

    def notes(self) -> tuple[Note, ...]:
        """Which files are no clips."""
        return (Note("read", "Not used", self._unused),) if self._unused else ()

    @cached_property
    def _unused(self) -> str:
        return say_unused(self.folder, SUFFIXES, self.settings.labels)

    def _same_maps(self) -> list[tuple[str, str]]:
        """Pairs of (training, test) files that hold the same numbers."""
        sounds = [Sound(file.path, str(file.split), "") for file in self._files.values()]
        return same_sounds(
            sounds, lambda path: read_spectrogram(self.folder / path).tobytes(), lambda path: []
        )

    def read(self, clip_id: str) -> np.ndarray:
        """Return a clip's spectrogram, float32 [n_freq, n_frames].

        Raises:
            DataError: No clip of that id, or a file that cannot be used.
        """
        if clip_id not in self._files:
            raise unknown_clip("spectrograms", clip_id, self._files)
        return read_spectrogram(self.folder / self._files[clip_id].path)

    @cached_property
    def _files(self) -> dict[str, LabelledFile]:
        files = folder_clips(self.settings, SUFFIXES)
        names = clip_ids([file.path for file in files])
        return {names[file.path]: file for file in files}


def spectrogram_table(
    dataset: str, folder: Path, files: dict[str, LabelledFile], frames_per_second: float
) -> pd.DataFrame:
    """Read all files and return their ``clips`` table; ``attrs`` holds the common shape.

    Raises:
        DataError: A file that cannot be used, or shapes that differ.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    rows = []
    for clip_id, file in files.items():
        content = (folder / file.path).read_bytes()
        shapes[file.path] = parse_spectrogram(folder / file.path, content).shape
        rows.append(_row(dataset, clip_id, file, hashlib.sha256(content).hexdigest()))
    n_freq, n_frames = _common_shape(folder, shapes)
    clips = pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)
    clips.attrs = {"n_freq": n_freq, "n_frames": n_frames, "frames_per_second": frames_per_second}
    return clips


def _common_shape(folder: Path, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    counts = Counter(shapes.values()).most_common()
    if len(counts) > 1:
        examples = "; ".join(
            f"{list(shape)} in {count} files, as '{_first(shapes, shape)}'" for shape, count in counts[:4]
        )
        raise DataError(
            f"spectrograms of one shape in {folder}", examples, "cut or pad all to the same length"
        )
    return counts[0][0]


def _first(shapes: dict[str, tuple[int, ...]], wanted: tuple[int, ...]) -> str:
    return next(path for path, shape in shapes.items() if shape == wanted)


def _row(dataset: str, clip_id: str, file: LabelledFile, sha256: str) -> dict[str, Any]:
    return {
        "clip_id": clip_id,
        "dataset": dataset,
        "machine": file.machine,
        "machine_id": file.machine_id,
        "split": file.split,
        "label": file.label,
        "domain": file.domain,
        "snr_db": None,
        "anomaly_type": file.anomaly_type,
        "path": file.path,
        "sample_rate_hz": None,
        "n_samples": None,
        "sha256": sha256,
        "events": None if file.events is None else [asdict(event) for event in file.events],
    }
