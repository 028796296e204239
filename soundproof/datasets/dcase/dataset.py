"""DCASE Task 2 as a data set."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.audio.reading import audio_info, read_audio
from soundproof.core.errors import DataError
from soundproof.datasets.dcase import files
from soundproof.datasets.dcase.attributes import has_attribute_files
from soundproof.datasets.dcase.drawing import drawn
from soundproof.datasets.dcase.editions import Edition
from soundproof.datasets.dcase.settings import DcaseParameters
from soundproof.datasets.dcase.tree import (
    TaskClip,
    check_counts,
    check_totals,
    machine_clips,
    with_attributes,
)
from soundproof.datasets.dcase.truth import Truth, read_truth
from soundproof.datasets.miniatures.dcase import write_miniature
from soundproof.downloads.archive import unpack
from soundproof.downloads.fetch_all import fetch_all
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile, digest
from soundproof.downloads.zenodo import Zenodo
from soundproof.folders.folder_clips import clip_ids, unknown_clip
from soundproof.interfaces.dataset import Audio, AudioDataset
from soundproof.storage.schemas import CLIPS

log = logging.getLogger(__name__)


class DcaseDataset(AudioDataset):
    """Clips of one year's development set, or of its additional training and evaluation sets.

    A machine may lie in ``<folder>/<machine>``, placed by hand, or in the folders that :meth:`fetch` unpacks its
    archives to. ``machine_id`` is the section (2020: the id of the individual).
    """

    settings: DcaseParameters
    zenodo = Zenodo()

    @property
    def edition(self) -> Edition:
        """The year's facts."""
        return self.settings.edition

    @property
    def name(self) -> str:
        """Name in the registry."""
        return self.edition.name

    @property
    def folder(self) -> Path:
        """Folder that the paths of :meth:`clips` start from."""
        return self.data_dir / files.folder(self.settings)

    def archives(self, machine: str) -> tuple[RemoteFile, ...]:
        """Return the archives that hold a machine."""
        return files.archives(self.edition, self.settings.part, machine)

    def needed(self) -> tuple[Needed, ...]:
        """Archives of the machines, and the truth of an evaluation set."""
        return files.needed(self.settings)

    def fetch(self) -> list[Path]:
        """Download, verify and unpack what is not there yet, or write the miniature.

        Returns:
            The archives that are there; of machines placed by hand, or written here, there are none.

        Raises:
            DownloadError: A file cannot be had; the message tells what to place where.
            DataError: An archive cannot be unpacked safely, or does not hold its machine.
        """
        if self.settings.miniature:
            write_miniature(self.folder, self.edition, self.settings.part, self.settings.machines)
            return []
        fetch_all(self.needed(), self.data_dir, zenodo=self.zenodo)
        for item in self.needed():
            if not item.is_covered(self.data_dir):
                unpack(item.place(self.data_dir), self.folder / item.remote.stem, files.UNPACKED_LIMIT_BYTES)
        for machine in self.settings.machines:
            self._roots(machine)
        return [path for item in self.needed() if (path := item.place(self.data_dir)).is_file()]

    def clips(self) -> pd.DataFrame:
        """One row per clip; ``attrs`` states how many of each section were drawn.

        Raises:
            DataError: A machine or section is missing, a file name is outside the scheme, a clip has no label or no
                row of attributes, the numbers are not the published ones, or a file cannot be decoded.
        """
        rows = [self._row(clip_id, clip) for clip_id, clip in self._clips.items()]
        clips = pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)
        clips.attrs = {"max_train": self.settings.max_train, "max_test": self.settings.max_test}
        return clips

    def read(self, clip_id: str) -> Audio:
        """Decode one clip.

        Raises:
            DataError: No clip of that id, or a file that cannot be used.
        """
        if clip_id not in self._clips:
            raise unknown_clip(self.name, clip_id, self._clips)
        return read_audio(self._clips[clip_id].file)

    @cached_property
    def _clips(self) -> dict[str, TaskClip]:
        clips = [clip for machine in self.settings.machines for clip in self._of_machine(machine)]
        names = clip_ids([clip.place for clip in clips])
        return {names[clip.place]: clip for clip in clips}

    def _of_machine(self, machine: str) -> list[TaskClip]:
        settings, roots = self.settings, self._roots(machine)
        clips = machine_clips(self.edition, machine, roots, self._truth(machine))
        by_the_book = settings.expected_counts == "published" and not settings.miniature
        counted = by_the_book and settings.part == "dev"
        if counted:
            check_totals(clips, self.edition, machine)
        clips = [clip for clip in clips if clip.section in self._sections(machine, clips)]
        if self.edition.has_attributes and (not self.edition.own_name or has_attribute_files(roots)):
            clips = with_attributes(clips, roots, complete=by_the_book)
        if counted:
            check_counts(clips, self.edition, machine)
        kept = drawn(clips, settings.max_train, settings.max_test)
        if len(kept) < len(clips):
            log.info("%s %s: %d of %d clips drawn by name", self.name, machine, len(kept), len(clips))
        return kept

    def _sections(self, machine: str, clips: list[TaskClip]) -> set[str]:
        found = {clip.section for clip in clips}
        wanted = found if self.settings.sections is None else set(self.settings.sections)
        missing = sorted(wanted - found)
        if missing:
            remedy = f"use some of: {', '.join(sorted(found))}"
            raise DataError(
                f"section '{missing[0]}' of '{machine}' in {self.name}", "no such section", remedy
            )
        return wanted

    def _roots(self, machine: str) -> list[Path]:
        """Return the folders of a machine: the one placed by hand, or those unpacked."""
        by_hand = self.folder / machine
        unpacked = [self.folder / archive.stem / machine for archive in self.archives(machine)]
        roots = [by_hand] if by_hand.is_dir() else unpacked
        for root in roots:
            if not root.is_dir():
                raise DataError(
                    f"the folder of '{machine}' in {self.folder}",
                    f"neither {by_hand} nor {root}",
                    "download first, or set 'folder' to the folder that holds it",
                )
        return roots

    def _truth(self, machine: str) -> Truth | None:
        if self.settings.part == "dev" or self.settings.miniature:
            return None
        if self.settings.truth is not None:
            return read_truth(Path(self.settings.truth), self.edition.year, machine)
        base = self.folder / files.truth_archive(self.edition).stem
        # an archive of a repository holds one folder, named after the commit
        folders = [path for path in base.iterdir() if path.is_dir()] if base.is_dir() else []
        repository = folders[0] if len(folders) == 1 else base
        return read_truth(repository, self.edition.year, machine)

    def _row(self, clip_id: str, clip: TaskClip) -> dict[str, Any]:
        info = audio_info(clip.file)
        return {
            "clip_id": clip_id,
            "dataset": self.name,
            "machine": clip.machine,
            "machine_id": clip.section,
            "split": clip.split,
            "label": clip.label,
            "domain": clip.domain,
            "snr_db": None,
            "anomaly_type": None,
            "attributes": clip.attributes,
            "path": clip.file.relative_to(self.folder).as_posix(),
            "sample_rate_hz": info.rate_hz,
            "n_samples": info.n_samples,
            "sha256": digest(clip.file) if self.settings.digests else None,
            "events": None,
        }
