"""EnvMix: everyday backgrounds with rare events, rebuilt after P2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from soundproof.core.errors import DataError
from soundproof.datasets.environmental import files
from soundproof.datasets.environmental.classes import BACKGROUNDS
from soundproof.datasets.environmental.events_in_backgrounds import SECONDS, EventsInBackgrounds
from soundproof.datasets.environmental.listings import (
    SoundFile,
    by_class,
    esc50_sounds,
    of_classes,
    urban_sounds,
)
from soundproof.datasets.environmental.settings import EnvmixParameters
from soundproof.datasets.environmental.unpacking import unpack_urban
from soundproof.datasets.miniatures.environmental import write_esc50, write_urban
from soundproof.downloads.needed_files import Needed


class EnvmixDataset(EventsInBackgrounds):
    """UrbanSound8K clips of at least 4 s as background, ESC-50 clips as anomalous events.

    The paper's files are not published: classes and recipe are those of a fork of the authors' library.
    """

    settings: EnvmixParameters
    name = files.ENVMIX

    @property
    def folder(self) -> Path:
        """Folder of both sources: what is downloaded lies where the two data sets have it."""
        return super().folder if self.settings.is_at_hand else self.data_dir

    def needed(self) -> tuple[Needed, ...]:
        """Both archives."""
        return files.envmix_needed(self.settings)

    def write_miniature(self) -> None:
        """Write the classes that are not there yet."""
        write_esc50(self.folder / files.ESC50, self.settings.anomalies)
        write_urban(self.folder / files.URBAN, self.settings.backgrounds)

    def unpack(self) -> None:
        """Unpack UrbanSound8K, which has no random access."""
        unpack_urban(self.data_dir, self.needed())

    def backgrounds(self) -> Sequence[SoundFile]:
        """Backgrounds that are long enough by the list; as in P2, what rounds to less than 4 s is too short."""
        sounds = of_classes(
            urban_sounds(self.folder / files.URBAN), self.settings.backgrounds, "UrbanSound8K"
        )
        return [replace(s, place=f"{files.URBAN}/{s.place}") for s in sounds if s.seconds >= SECONDS]

    def events(self) -> Mapping[str, Sequence[SoundFile]]:
        """Events by class."""
        sounds = esc50_sounds(self.folder / files.ESC50, complete=self.settings.by_the_book)
        return by_class(sounds, self.settings.anomalies, "ESC-50")

    def check_count(self, category: str, count: int) -> None:
        """Compare with what P2's sizes add up to."""
        published = BACKGROUNDS.get(category)
        if self.settings.by_the_book and published is not None and count != published:
            raise DataError(
                f"{published} clips of '{category}' of at least {SECONDS:g} s, as P2's sizes add up to",
                f"{count} ({count - published:+d})",
                "fetch UrbanSound8K again, or set 'expected_counts: any'",
            )
