"""Planing It by Ear: a wood planer's spectrograms (arXiv 2501.04819), with the time labels of arXiv 2601.12660."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from soundproof.core.errors import DataError
from soundproof.datasets.own.spectrograms import spectrogram_table
from soundproof.datasets.planer.files import ARCHIVE, FOLDER, LABELS, needed, unpacked_name
from soundproof.datasets.planer.labels import FRAMES_PER_SECOND, PlanerLabel, read_planer_labels
from soundproof.downloads.archive import unpack
from soundproof.downloads.fetch_all import fetch_all
from soundproof.downloads.needed_files import Needed
from soundproof.features.mel import mel_edges_hz
from soundproof.folders.folder_clips import clip_ids, repeated_across_splits, unknown_clip
from soundproof.folders.layouts import LabelledFile
from soundproof.folders.settings import PlanerParameters
from soundproof.folders.spectrogram_files import read_spectrogram
from soundproof.interfaces.dataset import SpectrogramDataset

log = logging.getLogger(__name__)

UNPACKED_LIMIT_BYTES = 4_000_000_000
"""Four times what 7562 maps of 80 x 401 single-precision numbers take."""

TRAINING = ("2x3", "2x4", "2x6", "machine_start_stop")
ANOMALIES = ("broken_board", "board_stuck", "Uneven_thick_wood")
TEST_BOARD = "2x6"
PUBLISHED = {"training normal": 4327, "test normal": 3130, "test anomaly": 105, "annotated": 46}

HIGHEST_HZ = 10_000.0
"""Half of the published 20 kHz; that the 80 mel bands span all of it is assumed, the recipe is not published."""


class PlanerDataset(SpectrogramDataset):
    """Log-mel maps of 80 bands x 401 frames (10 s, 40 frames per second), as shipped by the authors.

    The maps keep their last frame here; cropping to 400 is the features' business.
    """

    settings: PlanerParameters
    archive = ARCHIVE
    labels = LABELS

    @property
    def frames_per_second(self) -> float:
        """Number of columns per second."""
        return float(FRAMES_PER_SECOND)

    @cached_property
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequency of each row, float64 [n_freq]: HTK mel from 0 to 10 kHz, an assumption."""
        first = next(iter(self._files.values()))
        n_mels = len(read_spectrogram(self.folder / first.path))
        return mel_edges_hz(n_mels, 0.0, HIGHEST_HZ, "htk")[1:-1]

    @property
    def folder(self) -> Path:
        """Folder that holds ``training`` and ``evaluation``.

        Raises:
            DataError: No such folder.
        """
        base = self._unpacked if self.settings.folder is None else Path(self.settings.folder)
        for candidate in (base, base / "data"):
            if (candidate / "training").is_dir() and (candidate / "evaluation").is_dir():
                return candidate
        remedy = "download first, or set 'folder' to the unpacked data.zip"
        raise DataError(f"the planer's clips in {base}", "no folders training/ and evaluation/", remedy)

    def needed(self) -> tuple[Needed, ...]:
        """The archive of the clips, and the labels."""
        return needed(self.settings, self.archive, self.labels)

    def fetch(self) -> list[Path]:
        """Download, verify and unpack what is not there yet.

        Returns:
            The folder of the clips and the label table.

        Raises:
            DownloadError: A file cannot be had; the message tells what to place where.
            DataError: The archive cannot be unpacked safely, or is not the planer's.
        """
        fetch_all(self.needed(), self.data_dir)
        if self.settings.folder is None and not self._unpacked.exists():
            unpack(self._downloads / self.archive.name, self._unpacked, UNPACKED_LIMIT_BYTES)
        return [self.folder, self._label_table]

    def clips(self) -> pd.DataFrame:
        """One row per clip; events are None in the clips that nobody annotated.

        Raises:
            DataError: A file cannot be used, labels and files do not match, or the numbers are not the paper's.
        """
        clips = spectrogram_table("planer", self.folder, self._files, self.frames_per_second)
        if self.settings.expected_counts == "published":
            self._check_counts(clips)
        repeated = repeated_across_splits(clips)
        if repeated:
            log.warning(
                "planer: %d files are in training and test both, first %s", len(repeated), repeated[0]
            )
        return clips

    def read(self, clip_id: str) -> np.ndarray:
        """Return a clip's map, float32 [n_freq, n_frames].

        Raises:
            DataError: No clip of that id, or a file that cannot be used.
        """
        if clip_id not in self._files:
            raise unknown_clip("planer", clip_id, self._files)
        return read_spectrogram(self.folder / self._files[clip_id].path)

    @property
    def _downloads(self) -> Path:
        return self.data_dir / FOLDER

    @property
    def _unpacked(self) -> Path:
        return self._downloads / unpacked_name(self.archive)

    @property
    def _label_table(self) -> Path:
        given = self.settings.labels
        return self._downloads / self.labels.name if given is None else Path(given)

    @cached_property
    def _files(self) -> dict[str, LabelledFile]:
        if not self.folder.is_dir():
            remedy = "download first, or correct 'folder' of the data set"
            raise DataError(f"the planer's folder {self.folder}", "no such folder", remedy)
        labels = read_planer_labels(self._label_table)
        files = [*self._normal_files(), *self._anomalies(labels)]
        unknown = sorted(set(labels) - {Path(file.path).name for file in files if file.label == "anomaly"})
        if unknown:
            found = f"{len(unknown)} labelled clips are not there, first '{unknown[0]}'"
            raise DataError(f"the clips of {self._label_table}", found, "use labels and clips of one release")
        names = clip_ids([file.path for file in files])
        return {names[file.path]: file for file in files}

    def _normal_files(self) -> Iterator[LabelledFile]:
        machine = self.settings.machine
        for board in TRAINING:
            for path in self._maps(f"training/{board}"):
                yield LabelledFile(
                    path=path, split="train", label="normal", machine=machine, machine_id=board
                )
        for path in self._maps("evaluation/normal"):
            yield LabelledFile(
                path=path, split="test", label="normal", machine=machine, machine_id=TEST_BOARD
            )

    def _anomalies(self, labels: dict[str, PlanerLabel]) -> Iterator[LabelledFile]:
        for kind in ANOMALIES:
            for path in self._maps(f"evaluation/anomalies/{kind}"):
                label = labels.get(Path(path).name)
                if label is None or label.kind != kind:
                    found = "no row for it" if label is None else f"kind '{label.kind}' instead of '{kind}'"
                    remedy = "use labels and clips of one release"
                    raise DataError(f"the label of '{path}' in {self._label_table}", found, remedy)
                yield LabelledFile(
                    path=path,
                    split="test",
                    label="anomaly",
                    machine=self.settings.machine,
                    machine_id=TEST_BOARD,
                    anomaly_type=kind,
                    events=label.events,
                )

    def _maps(self, place: str) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in (self.folder / place).glob("*.pt"))

    def _check_counts(self, clips: pd.DataFrame) -> None:
        is_train, is_normal = clips["split"] == "train", clips["label"] == "normal"
        found = {
            "training normal": int(is_train.sum()),
            "test normal": int((~is_train & is_normal).sum()),
            "test anomaly": int((~is_train & ~is_normal).sum()),
            "annotated": int(clips["events"].map(bool).sum()),
        }
        if found != PUBLISHED:
            remedy = "fetch the release anew, or set 'expected_counts: any' for another one"
            raise DataError(f"the published numbers of planer clips, {PUBLISHED}", f"{found}", remedy)
