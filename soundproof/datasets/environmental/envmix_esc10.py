"""P2's recipe on ESC-10: lasting sounds as background, short ones as event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from soundproof.audio.reading import audio_info
from soundproof.clips.notes import Note, listed
from soundproof.datasets.environmental import files
from soundproof.datasets.environmental.events_in_backgrounds import SHORTEST_S, EventsInBackgrounds
from soundproof.datasets.environmental.listings import SoundFile, by_class, esc_sounds, of_classes
from soundproof.datasets.environmental.settings import EnvmixEsc10Parameters
from soundproof.datasets.miniatures.environmental import write_esc50
from soundproof.downloads.needed_files import Needed


class EnvmixEsc10Dataset(EventsInBackgrounds):
    """Clips of ESC-10 (or of other classes of ESC-50) as background and as event: real sound, exact stems.

    Free for any use with attribution as long as the classes are ESC-10's, and small: 400 clips.
    """

    settings: EnvmixEsc10Parameters
    name = files.ENVMIX_ESC10

    @property
    def folder(self) -> Path:
        """Folder of ESC-50, as its own data set has it."""
        return self.data_dir / self.settings.place(files.ESC50)

    def needed(self) -> tuple[Needed, ...]:
        """The archive of ESC-50."""
        return files.esc50_needed(self.settings)

    def write_miniature(self) -> None:
        """Write the classes that are not there yet."""
        write_esc50(self.folder, (*self.settings.backgrounds, *self.settings.anomalies))

    def backgrounds(self) -> Sequence[SoundFile]:
        """Clips of the classes that are backgrounds, without those that are too short."""
        sounds = of_classes(self._sounds, self.settings.backgrounds, "ESC-50")
        return [sound for sound in sounds if sound.place not in self._too_short]

    def events(self) -> Mapping[str, Sequence[SoundFile]]:
        """Events by class."""
        return by_class(self._sounds, self.settings.anomalies, "ESC-50")

    def notes(self) -> tuple[Note, ...]:
        """What is left out, beside what is derived."""
        if not self._too_short:
            return super().notes()
        text = f"shorter than {SHORTEST_S:g} s: {listed(self._too_short)}"
        return (*super().notes(), Note("left out", "Backgrounds", text))

    @cached_property
    def _sounds(self) -> Sequence[SoundFile]:
        return esc_sounds(self.folder, complete=self.settings.by_the_book)

    @cached_property
    def _too_short(self) -> list[str]:
        """Places of backgrounds that no list tells to be too short: ESC-10's files have lengths of their own."""
        infos = {
            sound.place: audio_info(sound.source)
            for sound in of_classes(self._sounds, self.settings.backgrounds, "ESC-50")
        }
        return [place for place, info in infos.items() if info.n_samples < SHORTEST_S * info.rate_hz]
