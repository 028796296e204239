"""P2's recipe for mixtures: everyday backgrounds, half of whose test clips get one rare event."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np

from soundproof.audio.fitting import fitted, read_at
from soundproof.audio.mixing import Mixture, PlacedEvent, clean, mix, placed
from soundproof.audio.zip_members import Source
from soundproof.clips.notes import Note
from soundproof.core.errors import DataError
from soundproof.datasets.environmental.listings import SoundFile
from soundproof.datasets.environmental.settings import EventMixParameters
from soundproof.datasets.published.listed import in_drawn_order
from soundproof.datasets.published.mixtures import MixedClip, MixtureDataset, PlannedMixture
from soundproof.randomness.seeding import seed_from

SECONDS = 4.0
SHORTEST_S = 3.9
"""A background may lack a tenth of a second of a clip, for lists round times; zeros fill it up, as in P2."""
BELOW_FULL_SCALE = 0.99999
"""Largest amplitude of mixtures that would exceed full scale: single precision may round it up."""


class EventsInBackgrounds(MixtureDataset):
    """Backgrounds of 4 s at 44.1 kHz, with one event at a uniform onset in half of the test clips.

    The recipe (split, mixing rule, onset, gains) is that of a fork of P2's library; draws are our own, by name.
    Events are drawn class by class, which is clip by clip where classes have one size.

    ``snr_db`` is the level of the background over the event: a low SNR is a loud event. Split, events and onsets
    are the same at every SNR. One gain holds for all clips of a class of background at one SNR (:meth:`_gain`).

    ``protocol: corrected`` keeps all clips that were cut from one recording on one side of the split, and gives
    backgrounds one level, whether there is an event or not.
    """

    settings: EventMixParameters
    rate_hz = 44_100

    @property
    def n_samples(self) -> int:
        """4 s."""
        return round(SECONDS * self.rate_hz)

    @abstractmethod
    def backgrounds(self) -> Sequence[SoundFile]:
        """Return the backgrounds of all classes asked for; their places start from :attr:`folder`.

        Raises:
            DataError: Files are missing, or lists do not fit them.
        """

    @abstractmethod
    def events(self) -> Mapping[str, Sequence[SoundFile]]:
        """Return the events by class.

        Raises:
            DataError: As for backgrounds.
        """

    def check_count(self, category: str, count: int) -> None:
        """Compare the number of backgrounds of a class with the published one, where there is any.

        Raises:
            DataError: It is another one.
        """

    def planned(self) -> Sequence[PlannedMixture]:
        """Return the clips of every machine and SNR."""
        return [
            self._planned_clip(str(name), snr_db, background, split, event)
            for name in self.settings.wanted
            for snr_db in self.settings.snrs_of(name)
            for background, split, event in self._split[name.kind]
        ]

    def mixed(self, clip: PlannedMixture) -> MixedClip:
        """Mix a clip by EnvMix's rule (:mod:`soundproof.audio.mixing`).

        Raises:
            DataError: A background that is shorter than an event may be, or silence.
        """
        mixture, event = self._mixture(clip)
        gain = np.float32(self._gain(self._backgrounds[clip.place].category, int(clip.snr_db or 0)))
        return MixedClip(gain * mixture.background, gain * mixture.event, event.onset, event.offset)

    def notes(self) -> tuple[Note, ...]:
        """How an event's extent was found."""
        floor = self.settings.event_floor_db
        what = "exactly zero" if floor is None else f"more than {floor:g} dB below its peak"
        text = (
            "the event's recording states no onset: what stands at its ends and is "
            f"{what} was cut off, and the rest counts as event. Masks need no onset: they come from the stems"
        )
        return (Note("caution", "Extent of events is derived", text),)

    def _mixture(self, clip: PlannedMixture) -> tuple[Mixture, PlacedEvent]:
        """Mix a clip before the gain of its set."""
        settings = self.settings
        snr_db = float(clip.snr_db or 0)
        background = self._read_background(self._backgrounds[clip.place].source)
        if clip.event is None:
            silence = np.zeros(self.n_samples, dtype=np.float32)
            return Mixture(clean(background, snr_db, settings.protocol), silence), PlacedEvent(silence, 0, 0)
        rng = np.random.default_rng(seed_from("envmix onset", settings.seed, PurePosixPath(clip.place).stem))
        try:
            event = placed(
                read_at(clip.event.source, self.rate_hz), self.n_samples, rng, settings.event_floor_db
            )
            return mix(background, event.samples, snr_db, settings.protocol), event
        except DataError as error:
            asked = f"{error.asked}: event {clip.event.source}, background {clip.place}"
            raise DataError(asked, error.found, error.remedy) from error

    def _read_background(self, source: Source) -> np.ndarray:
        samples = read_at(source, self.rate_hz)
        if samples.size < SHORTEST_S * self.rate_hz:
            raise DataError(
                f"a background of {SECONDS:g} s, as long as an event may be: {source}",
                f"{samples.size / self.rate_hz:.2f} s",
                "fetch it again, or leave it out: an event would stand in silence",
            )
        return fitted(samples, self.n_samples)

    def _gain(self, category: str, snr_db: int) -> float:
        """Gain of all clips of a class at one SNR.

        as_published: one over the largest (positive) sample of its test clips. corrected: one over the largest
        amplitude of its mixtures, where that exceeds full scale.
        """
        key = category, snr_db
        if key not in self._gains:
            as_published = self.settings.protocol == "as_published"
            # one at a time: a set holds hundreds of clips
            mixtures = (
                self._mixture(self._planned_clip("", snr_db, background, split, event))[0].samples
                for background, split, event in self._split[category]
                if event is not None or (as_published and split == "test")
            )
            if as_published:
                self._gains[key] = 1 / max(float(samples.max()) for samples in mixtures)
            else:
                largest = max(float(np.abs(samples).max()) for samples in mixtures)
                self._gains[key] = 1.0 if largest <= 1 else BELOW_FULL_SCALE / largest
        return self._gains[key]

    @cached_property
    def _gains(self) -> dict[tuple[str, int], float]:
        return {}

    def _planned_clip(
        self, machine: str, snr_db: int, background: SoundFile, split: str, event: SoundFile | None
    ) -> PlannedMixture:
        return PlannedMixture(
            clip_id=f"{background.category}_{snr_db}dB_{background.name}",
            place=background.place,
            machine=machine,
            machine_id="all",
            split=split,
            snr_db=snr_db,
            event=event,
            anomaly_type=None if event is None else event.category,
            attributes=None if event is None else f"event={event.name}",
        )

    @cached_property
    def _backgrounds(self) -> Mapping[str, SoundFile]:
        return {sound.place: sound for sound in self.backgrounds()}

    @cached_property
    def _split(self) -> dict[str, list[tuple[SoundFile, str, SoundFile | None]]]:
        """(background, split, event or None) by class of background."""
        events = self.events()
        return {category: self._of_class(category, events) for category in self.settings.backgrounds}

    def _of_class(
        self, category: str, events: Mapping[str, Sequence[SoundFile]]
    ) -> list[tuple[SoundFile, str, SoundFile | None]]:
        own = {sound.name: sound for sound in self._backgrounds.values() if sound.category == category}
        self.check_count(category, len(own))
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

    def _tested(self, category: str, own: Mapping[str, SoundFile]) -> set[str]:
        """Draw the test clips: clip by clip, or (corrected) recording by recording until there are enough."""
        n_test = len(own) - int((1 - self.settings.test_share) * len(own))
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

    def _event(self, background: str, events: Mapping[str, Sequence[SoundFile]]) -> SoundFile:
        rng = np.random.default_rng(seed_from("envmix class", self.settings.seed, background))
        of_one_class = events[list(events)[int(rng.integers(len(events)))]]
        return of_one_class[int(rng.integers(len(of_one_class)))]
