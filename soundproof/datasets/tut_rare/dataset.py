"""TUT Rare Sound Events 2017 as a data set, mixed here from its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np

from soundproof.audio.fitting import read_at
from soundproof.audio.mixing import PlacedEvent, mix_at_ebr
from soundproof.audio.reading import audio_info, read_audio
from soundproof.audio.resampling import resampled
from soundproof.core.errors import DataError
from soundproof.datasets.miniatures.tut_rare import write_miniature
from soundproof.datasets.published.listed import in_drawn_order
from soundproof.datasets.published.mixtures import MixedClip, MixtureDataset, PlannedMixture
from soundproof.datasets.tut_rare.settings import KIND, TutRareParameters, needed
from soundproof.datasets.tut_rare.sources import Background, IsolatedEvent, Sources, read_sources
from soundproof.downloads.needed_files import Needed
from soundproof.randomness.seeding import seed_from

GAIN = 0.2
"""Factor of every clip, as in the published synthesiser, so that no mixture is clipped."""


@dataclass(frozen=True)
class _Drawn:
    """An event and its level."""

    event: IsolatedEvent
    ebr_db: float


class TutRareDataset(MixtureDataset):
    """Backgrounds of 15 kinds of places, in half of which one event sounds in the test.

    Training clips are backgrounds of the published training part, test clips are mixtures of backgrounds and events
    of its test part (the events of the training part are not used). The rule of mixing is the published
    synthesiser's: 44.1 kHz, the level of the event over the background while it lasts (EBR), a factor of 0.2
    for all. The draws are our own, from names, so the mixtures are not those of the challenge, but background
    and event are known apart and the masks exact. The ready mixtures of the evaluation set carry times only
    and are not read.

    ``snr_db`` is the EBR: unlike EnvMix's SNR, a *high* one is a loud event. ``machine_id`` is the kind of place.
    """

    settings: TutRareParameters
    name = KIND
    rate_hz = 44_100

    @property
    def n_samples(self) -> int:
        """Length of every clip."""
        return round(self.settings.seconds * self.rate_hz)

    def needed(self) -> tuple[Needed, ...]:
        """Archives of the development set's events and backgrounds."""
        return needed(self.settings)

    def write_miniature(self) -> None:
        """Write the tree, if it is not there yet."""
        write_miniature(self.folder, self.settings.seconds)

    def planned(self) -> Sequence[PlannedMixture]:
        """Return training and test clips of each event class."""
        return [clip for machine in self.settings.machines for clip in self._of_class(machine)]

    def mixed(self, clip: PlannedMixture) -> MixedClip:
        """Mix a clip by the synthesiser's rule (:func:`soundproof.audio.mixing.mix_at_ebr`)."""
        background = self._background(clip.place)
        if clip.event is None:
            sound = (GAIN * background.astype(np.float64)).astype(np.float32)
            return MixedClip(sound, np.zeros(self.n_samples, dtype=np.float32))
        event = self._placed(clip.event.event, clip.clip_id)
        mixture = mix_at_ebr(background, event, clip.event.ebr_db, GAIN)
        return MixedClip(mixture.background, mixture.event, event.onset, event.offset)

    @cached_property
    def _sources(self) -> Sources:
        return read_sources(self.folder, self.settings.machines)

    @cached_property
    def _backgrounds(self) -> dict[str, Background]:
        return {one.place: one for one in (*self._sources.train, *self._sources.test)}

    def _of_class(self, machine: str) -> list[PlannedMixture]:
        sources, settings = self._sources, self.settings
        # by name: places differ with where the tree lies
        by_name = {PurePosixPath(one.place).stem: one for one in sources.train}
        order = in_drawn_order(by_name, "tut_rare train", settings.seed)
        clips = [
            self._clip(f"{machine}_train_{name}", machine, "train", by_name[name])
            for name in order[: settings.train_clips]
        ]
        for number in range(settings.test_clips):
            rng = np.random.default_rng(seed_from("tut_rare test", settings.seed, machine, number))
            background = sources.test[int(rng.integers(len(sources.test)))]
            event = sources.events[machine][int(rng.integers(len(sources.events[machine])))]
            ebr_db = settings.ebr_db[int(rng.integers(len(settings.ebr_db)))]
            drawn = _Drawn(event, ebr_db) if number % 2 else None
            kind = machine if drawn else "none"
            clips.append(
                self._clip(f"{machine}_test_{kind}_{number:03d}", machine, "test", background, drawn)
            )
        return clips

    def _clip(
        self, clip_id: str, machine: str, split: str, background: Background, drawn: _Drawn | None = None
    ) -> PlannedMixture:
        return PlannedMixture(
            clip_id=clip_id,
            place=background.place,
            machine=machine,
            machine_id=background.scene,
            split=split,
            snr_db=None if drawn is None else drawn.ebr_db,
            event=drawn,
            anomaly_type=None if drawn is None else machine,
            attributes=None if drawn is None else f"event={drawn.event.name}@{drawn.event.start_s:g}s",
        )

    def _background(self, place: str) -> np.ndarray:
        source = self._backgrounds[place].source
        sound = read_at(source, self.rate_hz)
        if sound.size < self.n_samples:
            found = f"{sound.size / self.rate_hz:g} s"
            asked = f"{self.settings.seconds:g} s of the background {source}"
            raise DataError(asked, found, "set 'seconds' to no more than the shortest background has")
        return sound[: self.n_samples]

    def _placed(self, event: IsolatedEvent, clip_id: str) -> PlacedEvent:
        """Cut the event out of its recording and put it somewhere in the clip, onset uniform over the free room."""
        rate_hz = audio_info(event.source).rate_hz
        first, last = (int(seconds * rate_hz) for seconds in (event.start_s, event.end_s))
        # recordings last up to minutes: no more than the event is resampled
        audio = read_audio(event.source, "mix", first, last - first)
        piece = resampled(audio.samples, rate_hz, self.rate_hz)[: self.n_samples]
        rng = np.random.default_rng(seed_from("tut_rare onset", self.settings.seed, clip_id))
        onset = int(rng.integers(0, self.n_samples - piece.size, endpoint=True))
        samples = np.zeros(self.n_samples, dtype=np.float32)
        samples[onset : onset + piece.size] = piece
        return PlacedEvent(samples, onset, onset + piece.size)
