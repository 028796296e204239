"""EnvMix: everyday backgrounds with rare events, rebuilt after P2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import ceil
from pathlib import Path, PurePosixPath

import numpy as np

from soundproof.audio.fitting import fitted, read_at
from soundproof.audio.mixing import clean, mix, placed
from soundproof.core.errors import DataError
from soundproof.datasets.environmental import files
from soundproof.datasets.environmental.classes import BACKGROUNDS
from soundproof.datasets.environmental.listings import SoundFile, esc50_sounds, of_classes, urban_sounds
from soundproof.datasets.environmental.settings import EnvmixParameters
from soundproof.datasets.environmental.unpacking import unpack_urban
from soundproof.datasets.miniatures.environmental import write_esc50, write_urban
from soundproof.datasets.published.listed import in_drawn_order
from soundproof.datasets.published.mixtures import MixedClip, MixtureDataset, PlannedMixture
from soundproof.downloads.needed_files import Needed
from soundproof.randomness.seeding import seed_from

SECONDS = 4.0
TEST_PART = 4
"""A quarter of the backgrounds, rounded up, is tested; half of these, rounded down, get an event."""


class EnvmixDataset(MixtureDataset):
    """UrbanSound8K clips of at least 4 s as background, ESC-50 clips as anomalous events.

    The paper's files are not published. The recipe (classes, 4 s at 44.1 kHz, split, mixing rule, one event at a
    uniform onset) is that of a fork of the authors' library; draws are our own. A global gain of the published
    implementation, one factor for the whole set, is left out: it shifts all maps alike.

    ``protocol: corrected`` keeps all clips that were cut from one recording on one side of the split, and
    gives clean clips the level that backgrounds have in mixtures. ``snr_db`` is the level of the background
    over the event: a low SNR is a loud event. Split, events and onsets are the same at every SNR.
    """

    settings: EnvmixParameters
    name = files.ENVMIX
    rate_hz = 44_100

    @property
    def n_samples(self) -> int:
        """4 s."""
        return round(SECONDS * self.rate_hz)

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

    def planned(self) -> Sequence[PlannedMixture]:
        """Return the clips of every machine and SNR."""
        return [
            self._planned_clip(str(name), snr_db, background, split, event)
            for name in self.settings.wanted
            for snr_db in self.settings.snrs_of(name)
            for background, split, event in self._split[name.kind]
        ]

    def mixed(self, clip: PlannedMixture) -> MixedClip:
        """Mix a clip by EnvMix's rule (:mod:`soundproof.audio.mixing`)."""
        snr_db = float(clip.snr_db or 0)
        sound = fitted(read_at(self._backgrounds[clip.place].source, self.rate_hz), self.n_samples)
        if clip.event is None:
            silence = np.zeros(self.n_samples, dtype=np.float32)
            return MixedClip(clean(sound, snr_db, self.settings.protocol), silence)
        rng = np.random.default_rng(
            seed_from("envmix onset", self.settings.seed, PurePosixPath(clip.place).stem)
        )
        event = placed(read_at(clip.event.source, self.rate_hz), self.n_samples, rng)
        mixture = mix(sound, event.samples, snr_db)
        return MixedClip(mixture.background, mixture.event, event.onset, event.offset)

    def _planned_clip(
        self, machine: str, snr_db: int, background: SoundFile, split: str, event: SoundFile | None
    ) -> PlannedMixture:
        return PlannedMixture(
            clip_id=f"{background.category}_{snr_db}dB_{background.name}",
            place=f"{files.URBAN}/{background.place}",
            machine=machine,
            machine_id="all",
            split=split,
            snr_db=snr_db,
            event=event,
            anomaly_type=None if event is None else event.category,
            attributes=None if event is None else f"event={event.name}",
        )

    @cached_property
    def _backgrounds(self) -> dict[str, SoundFile]:
        """Backgrounds that are long enough, by place."""
        sounds = of_classes(
            urban_sounds(self.folder / files.URBAN), self.settings.backgrounds, "UrbanSound8K"
        )
        return {f"{files.URBAN}/{sound.place}": sound for sound in sounds if sound.seconds >= SECONDS}

    @cached_property
    def _split(self) -> dict[str, list[tuple[SoundFile, str, SoundFile | None]]]:
        """(background, split, event or None) by class of background."""
        events = of_classes(
            esc50_sounds(self.folder / files.ESC50, complete=self.settings.by_the_book),
            self.settings.anomalies,
            "ESC-50",
        )
        by_class = {name: [e for e in events if e.category == name] for name in self.settings.anomalies}
        return {category: self._of_class(category, by_class) for category in self.settings.backgrounds}

    def _of_class(
        self, category: str, events: dict[str, list[SoundFile]]
    ) -> list[tuple[SoundFile, str, SoundFile | None]]:
        own = {sound.name: sound for sound in self._backgrounds.values() if sound.category == category}
        self._check_count(category, len(own))
        tested = self._tested(category, own)
        with_event = set(in_drawn_order(tested, "envmix event", self.settings.seed)[: len(tested) // 2])
        return [
            (
                sound,
                "test" if name in tested else "train",
                self._event(name, events) if name in with_event else None,
            )
            for name, sound in own.items()
        ]

    def _tested(self, category: str, own: dict[str, SoundFile]) -> set[str]:
        """Draw the test clips: clip by clip, or (corrected) recording by recording until there are enough."""
        n_test = ceil(len(own) / TEST_PART)
        as_published = self.settings.protocol == "as_published"
        groups: dict[str, list[str]] = {}
        for name, sound in own.items():
            groups.setdefault(name if as_published else sound.recording, []).append(name)
        tested: set[str] = set()
        for group in in_drawn_order(groups, "envmix split", self.settings.seed, category):
            if len(tested) >= n_test:
                break
            tested.update(groups[group])
        return tested

    def _event(self, background: str, events: dict[str, list[SoundFile]]) -> SoundFile:
        rng = np.random.default_rng(seed_from("envmix class", self.settings.seed, background))
        of_one_class = events[list(events)[int(rng.integers(len(events)))]]
        return of_one_class[int(rng.integers(len(of_one_class)))]

    def _check_count(self, category: str, count: int) -> None:
        published = BACKGROUNDS.get(category)
        if self.settings.by_the_book and published is not None and count != published:
            raise DataError(
                f"{published} clips of '{category}' of at least {SECONDS:g} s, as P2's sizes add up to",
                f"{count} ({count - published:+d})",
                "fetch UrbanSound8K again, or set 'expected_counts: any'",
            )
