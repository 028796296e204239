"""MIMII as a data set."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

from soundproof.audio.reading import Channel
from soundproof.audio.zip_members import Files, files_of
from soundproof.core.errors import DataError
from soundproof.datasets.mimii import files
from soundproof.datasets.mimii.files import archive_stem, members_folder
from soundproof.datasets.mimii.settings import MimiiParameters
from soundproof.datasets.mimii.tree import Recording, check_counts, recordings
from soundproof.datasets.miniatures.mimii import write_miniature
from soundproof.datasets.published.listed import ListedClip, ListedDataset, in_drawn_order
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_zip import Member, fetch_members


class MimiiDataset(ListedDataset):
    """Recordings of four machine types, four individuals each, in factory noise.

    ``machine_id`` is the individual, ``snr_db`` the level of the machine over the noise. The archives of the
    three SNRs hold the same recordings with other noise; the split goes by clip number, so that a recording
    is on the same side at every SNR. Archives are read without unpacking: inflating a clip takes some 20 ms
    more, once, and spares 14 GB per archive.
    """

    settings: MimiiParameters
    name = files.KIND

    @property
    def channel(self) -> Channel:
        """Microphone."""
        return self.settings.channel

    def needed(self) -> tuple[Needed, ...]:
        """Archives of the machines and SNRs."""
        return files.needed(self.settings)

    def write_miniature(self) -> None:
        """Write the individuals that are not there yet."""
        wanted = [
            (name.kind, individual, snr_db) for name, individual, snr_db in files.individuals(self.settings)
        ]
        write_miniature(self.folder, wanted)

    def fetch(self) -> list[Path]:
        """As :meth:`PublishedDataset.fetch`; of a subset, the single clips are fetched out of each archive.

        Raises:
            DownloadError: A file or clip cannot be had; the message tells what to place where.
            DataError: An archive cannot be used.
        """
        if self.settings.subset is None or self.settings.is_at_hand:
            return super().fetch()
        fetched = []
        for item, (kind, snr_db) in zip(self.needed(), files.archives(self.settings), strict=True):
            if not item.is_covered(self.data_dir):
                folder = self.folder / members_folder(kind, snr_db)
                fetched += fetch_members(item.remote, partial(self._subset, kind, snr_db), folder)
        return fetched

    def _subset(self, kind: str, snr_db: int, members: Sequence[Member]) -> list[Member]:
        """Choose the clips of the individuals that are asked for."""
        by_place: Files = {member.name: Path(member.name) for member in members}
        wanted = [
            one for name, one, snr in files.individuals(self.settings) if (name.kind, snr) == (kind, snr_db)
        ]
        found = recordings(by_place, kind, archive_stem(kind, snr_db))
        chosen = {clip.place for one in wanted for clip in self._kept(found, kind, one)}
        return [member for member in members if member.name in chosen]

    def _kept(self, found: Sequence[Recording], kind: str, individual: str) -> list[Recording]:
        """Return an individual's clips: all, or those that :attr:`MimiiParameters.subset` draws by number."""
        own = [clip for clip in found if clip.individual == individual]
        if self.settings.subset is None:
            return own
        n_abnormal = self.settings.subset // 4
        limits = {"anomaly": n_abnormal, "normal": self.settings.subset - n_abnormal}
        kept = set()
        for label, limit in limits.items():
            numbers = [clip.number for clip in own if clip.label == label]
            drawn = in_drawn_order(numbers, "mimii subset", kind, individual, label)
            kept |= {(label, number) for number in drawn[:limit]}
        return [clip for clip in own if (clip.label, clip.number) in kept]

    def listed(self) -> Sequence[ListedClip]:
        """Return the clips of every machine asked for, split into training and test."""
        return [
            clip
            for name, individual, snr_db in files.individuals(self.settings)
            for clip in self._of_individual(str(name), name.kind, individual, snr_db)
        ]

    def _root(self, kind: str, snr_db: int) -> Path:
        stem = archive_stem(kind, snr_db)
        places = [stem, f"{stem}.zip"]
        if self.settings.subset is not None:
            places.insert(1, members_folder(kind, snr_db))
        for path in [self.folder / place for place in places]:
            if path.exists():
                return path
        raise DataError(
            f"the clips of '{kind}' at {snr_db} dB in {self.folder}",
            f"neither the folder '{stem}' nor '{stem}.zip'",
            "download first, or set 'folder' to the folder of the archives; unpack each into a folder of its "
            "own name, since the three SNRs of a machine hold the same paths",
        )

    @cached_property
    def _recordings(self) -> dict[tuple[str, int], list[Recording]]:
        return {
            (kind, snr_db): recordings(files_of(root), kind, str(root))
            for kind, snr_db in files.archives(self.settings)
            for root in [self._root(kind, snr_db)]
        }

    def _of_individual(self, machine: str, kind: str, individual: str, snr_db: int) -> list[ListedClip]:
        splits = self._splits(kind, individual)
        return [
            ListedClip(
                clip_id=f"{kind}_id_{individual}_{snr_db}dB_{clip.label}_{clip.number}",
                place=f"{archive_stem(kind, snr_db)}/{clip.place}",
                source=clip.source,
                machine=machine,
                machine_id=f"id_{individual}",
                split=splits[clip.label, clip.number],
                label=clip.label,
                snr_db=snr_db,
                anomaly_type=None if clip.label == "normal" else "abnormal",
            )
            for clip in self._own(kind, individual, snr_db)
            if (clip.label, clip.number) in splits
        ]

    def _own(self, kind: str, individual: str, snr_db: int) -> list[Recording]:
        """Return an individual's clips at one SNR, of the published number."""
        found = self._recordings[kind, snr_db]
        where = str(self._root(kind, snr_db))
        if self.settings.by_the_book and self.settings.subset is None:
            check_counts(found, kind, individual, where)
        own = self._kept(found, kind, individual)
        if not own:
            there = ", ".join(sorted({clip.individual for clip in found}))
            raise DataError(
                f"{kind} id_{individual} in {where}", f"only {there}", "set 'ids', or fetch it again"
            )
        return own

    def _splits(self, kind: str, individual: str) -> dict[tuple[str, str], str]:
        """Return the split of each recording that is used, by label and number.

        The draw goes over the recordings of all SNRs at once: one that is missing at an SNR moves no other across.
        """
        settings = self.settings
        there = {
            (clip.label, clip.number)
            for name, one, snr_db in files.individuals(settings)
            if (name.kind, one) == (kind, individual)
            for clip in self._own(kind, individual, snr_db)
        }
        numbers = {
            label: in_drawn_order(
                (number for of, number in there if of == label),
                "mimii split",
                settings.seed,
                kind,
                individual,
                label,
            )
            for label in ("normal", "anomaly")
        }
        n_abnormal = len(numbers["anomaly"])
        n_test = n_abnormal if settings.test_share is None else int(settings.test_share * n_abnormal)
        n_test = min(n_test, len(numbers["normal"]))
        splits = {("anomaly", number): "test" for number in numbers["anomaly"][:n_test]}
        for rank, number in enumerate(numbers["normal"]):
            splits["normal", number] = "test" if rank < n_test else "train"
        return splits
