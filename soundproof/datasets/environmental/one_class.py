"""ESC-50 and UrbanSound8K as data sets of their own: one normal class against others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from soundproof.audio.fitting import fitted
from soundproof.audio.reading import AudioInfo
from soundproof.audio.resampling import resampled
from soundproof.datasets.environmental import files
from soundproof.datasets.environmental.listings import SoundFile, esc50_sounds, of_classes, urban_sounds
from soundproof.datasets.environmental.settings import (
    Esc50Parameters,
    OneClassParameters,
    Urbansound8kParameters,
)
from soundproof.datasets.environmental.unpacking import unpack_urban
from soundproof.datasets.miniatures.environmental import write_esc50, write_urban
from soundproof.datasets.published.listed import ListedClip, ListedDataset, in_drawn_order
from soundproof.downloads.needed_files import Needed
from soundproof.interfaces.dataset import Audio

URBAN_RATE_HZ = 44_100
URBAN_SECONDS = 4.0


class OneClassDataset(ListedDataset):
    """Sounds of everyday places: each machine is a class, trained on its own clips.

    Normal clips of the test folds, and anomalous clips of the same folds, are test clips. Folds keep what was cut
    from one recording together. Every anomalous clip is tested with one machine only, dealt by name.
    """

    settings: OneClassParameters

    @abstractmethod
    def sounds(self) -> list[SoundFile]:
        """Return all sounds of the data set."""

    def listed(self) -> Sequence[ListedClip]:
        """Return the clips of the machines."""
        settings = self.settings
        sounds = of_classes(self.sounds(), (*settings.machines, *settings.anomalies), self.name)
        tested = set(settings.test_folds)
        clips = [
            self._clip(sound, sound.category, "test" if sound.fold in tested else "train", "normal")
            for sound in sounds
            if sound.category in settings.machines
        ]
        by_name = {s.name: s for s in sounds if s.category in settings.anomalies and s.fold in tested}
        for rank, name in enumerate(in_drawn_order(by_name, self.name, "anomalies")):
            machine = settings.machines[rank % len(settings.machines)]
            clips.append(self._clip(by_name[name], machine, "test", "anomaly"))
        return clips

    def _clip(self, sound: SoundFile, machine: str, split: str, label: str) -> ListedClip:
        return ListedClip(
            clip_id=f"{machine}_{split}_{label}_{sound.name}",
            place=sound.place,
            source=sound.source,
            machine=machine,
            machine_id="all",
            split=split,
            label=label,
            anomaly_type=None if label == "normal" else sound.category,
        )


class Esc50Dataset(OneClassDataset):
    """ESC-50: 2000 sounds of 5 s in 50 classes, read from the archive of its repository without unpacking."""

    settings: Esc50Parameters
    name = files.ESC50

    def needed(self) -> tuple[Needed, ...]:
        """The repository's archive."""
        return files.esc50_needed(self.settings)

    def write_miniature(self) -> None:
        """Write the classes that are not there yet."""
        write_esc50(self.folder, (*self.settings.machines, *self.settings.anomalies))

    def sounds(self) -> list[SoundFile]:
        """Return all sounds."""
        return esc50_sounds(self.folder, complete=self.settings.by_the_book)


class Urbansound8kDataset(OneClassDataset):
    """UrbanSound8K: sounds of at most 4 s in ten classes, of many rates and channel counts.

    Clips are mixed to mono, resampled to 44.1 kHz and filled up with zeros to 4 s.
    """

    settings: Urbansound8kParameters
    name = files.URBAN

    def needed(self) -> tuple[Needed, ...]:
        """The archive."""
        return files.urban_needed(self.settings)

    def write_miniature(self) -> None:
        """Write the classes that are not there yet."""
        write_urban(self.folder, (*self.settings.machines, *self.settings.anomalies))

    def unpack(self) -> None:
        """Unpack the archive, which has no random access."""
        unpack_urban(self.data_dir, self.needed())

    def sounds(self) -> list[SoundFile]:
        """Return all sounds."""
        return urban_sounds(self.folder)

    def read(self, clip_id: str) -> Audio:
        """Decode one clip, at 44.1 kHz and 4 s.

        Raises:
            DataError: No clip of that id, or a file that cannot be used.
        """
        audio = super().read(clip_id)
        samples = resampled(audio.samples, audio.rate_hz, URBAN_RATE_HZ)
        return Audio(fitted(samples, round(URBAN_SECONDS * URBAN_RATE_HZ)), URBAN_RATE_HZ)

    def _info(self, clip: ListedClip) -> AudioInfo:
        n_channels = super()._info(clip).n_channels
        return AudioInfo(URBAN_RATE_HZ, round(URBAN_SECONDS * URBAN_RATE_HZ), n_channels)
