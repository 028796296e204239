"""ToyADMOS as a data set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soundproof.audio.reading import audio_info
from soundproof.audio.zip_members import files_of
from soundproof.core.errors import DataError
from soundproof.datasets.miniatures.toyadmos import write_miniature
from soundproof.datasets.published.listed import ListedClip, ListedDataset, in_drawn_order
from soundproof.datasets.toyadmos.settings import KIND, ToyadmosParameters, needed
from soundproof.downloads.needed_files import Needed
from soundproof.folders.segments import segment_starts

_PLACE = re.compile(
    r"case(?P<case>[1-4])/(?P<folder>AnomalousSound_IND|NormalSound_IND|NormalSound_CNT)/"
    r"(?P<take>\d+)_(?P<machine>[A-Za-z]+)_case(?P<again>[1-4])_(?P<state>normal|[a-z]+\d+)_(?P<form>IND|CNT)"
    r"_ch(?P<channel>[1-4])_(?P<number>\d+)\.wav"
)


@dataclass(frozen=True)
class _Take:
    """A file of one microphone."""

    path: Path
    place: str
    name: str
    case: str
    state: str
    form: str


class ToyadmosDataset(ListedDataset):
    """Takes of toy cars, conveyors and trains at 48 kHz by four microphones, of which one is read.

    ``machine_id`` is the case (an individual machine), ``anomaly_type`` the code of the damage in the file
    name. The parts of the split 7z archives have no random access and are not unpacked here: that takes 440
    GB, and a tool that does it well (``7z x ToyCar.7z.001``) is at hand on every system.
    """

    settings: ToyadmosParameters
    name = KIND

    def needed(self) -> tuple[Needed, ...]:
        """All parts of the machines' archives, and the licence."""
        return needed(self.settings)

    def write_miniature(self) -> None:
        """Write the machines that are not there yet."""
        write_miniature(self.folder, self.settings.machines, self.settings.seconds)

    def unpack(self) -> None:
        """Ask for what is to be unpacked by hand.

        Raises:
            DataError: A machine is still packed.
        """
        for machine in self.settings.machines:
            self._root(machine)

    def listed(self) -> Sequence[ListedClip]:
        """Return the clips of every machine, split into training and test."""
        return [clip for machine in self.settings.machines for clip in self._of_machine(machine)]

    def _root(self, machine: str) -> Path:
        root = self.folder / machine
        if not root.is_dir():
            packed = (self.folder / f"{machine}.7z.001").exists()
            found = "its parts, not unpacked" if packed else "no such folder"
            remedy = f"unpack there with all parts in place: 7z x {machine}.7z.001; or set 'folder'"
            raise DataError(f"the folder '{machine}' in {self.folder}", found, remedy)
        return root

    def _of_machine(self, machine: str) -> Iterator[ListedClip]:
        takes = [take for take in self._takes[machine] if self._is_wanted(take)]
        missing = sorted({str(case) for case in self.settings.cases or ()} - {take.case for take in takes})
        if missing:
            there = ", ".join(sorted({take.case for take in self._takes[machine]}))
            raise DataError(f"case {missing[0]} of '{machine}'", f"only {there}", "set 'cases'")
        for case in sorted({take.case for take in takes}):
            yield from self._of_case(machine, [take for take in takes if take.case == case])

    def _is_wanted(self, take: _Take) -> bool:
        return self.settings.cases is None or int(take.case) in self.settings.cases

    @cached_property
    def _takes(self) -> dict[str, list[_Take]]:
        return {machine: list(self._of_channel(machine)) for machine in self.settings.machines}

    def _of_channel(self, machine: str) -> Iterator[_Take]:
        root = self._root(machine)
        for place in files_of(root):
            if not place.lower().endswith(".wav"):
                continue
            match = _PLACE.fullmatch(place)
            if match is None or not _agrees(match, machine):
                scheme = f"case1/NormalSound_IND/1100010001_{machine}_case1_normal_IND_ch1_0001.wav"
                raise DataError(f"the file '{place}' in {root}", "not the scheme", f"expected is {scheme}")
            if int(match["channel"]) == self.settings.channel:
                path = root / place
                yield _Take(
                    path, f"{machine}/{place}", path.stem, match["case"], match["state"], match["form"]
                )

    def _of_case(self, machine: str, takes: Sequence[_Take]) -> Iterator[ListedClip]:
        settings = self.settings
        individual = {take.name: take for take in takes if take.form == "IND" and take.state == "normal"}
        anomalous = [take for take in takes if take.state != "normal"]
        n_test = int(settings.test_share * len(individual))
        continuous = settings.training == "continuous"
        if not continuous:
            n_test = min(n_test, len(anomalous))
        order = in_drawn_order(individual, "toyadmos split", settings.seed, machine, takes[0].case)
        for rank, name in enumerate(order):
            if rank < n_test:
                yield self._clip(machine, individual[name], "test")
            elif not continuous:
                yield self._clip(machine, individual[name], "train")
        for take in anomalous:
            yield self._clip(machine, take, "test")
        for take in takes if continuous else ():
            if take.form == "CNT":
                yield from self._pieces(machine, take)

    def _pieces(self, machine: str, take: _Take) -> Iterator[ListedClip]:
        info = audio_info(take.path)
        length = round(self.settings.seconds * info.rate_hz)
        if info.n_samples >= length:
            for number, start in enumerate(segment_starts(info.n_samples, length)):
                yield self._clip(machine, take, "train", f"+{number:04d}", start / info.rate_hz)

    def _clip(
        self, machine: str, take: _Take, split: str, suffix: str = "", start_s: float = 0.0
    ) -> ListedClip:
        normal = take.state == "normal"
        return ListedClip(
            clip_id=f"{take.name}{suffix}",
            place=take.place,
            source=take.path,
            machine=machine,
            machine_id=f"case{take.case}",
            split=split,
            label="normal" if normal else "anomaly",
            anomaly_type=None if normal else take.state,
            seconds=self.settings.seconds,
            start_s=start_s,
        )


def _agrees(match: re.Match[str], machine: str) -> bool:
    """Whether the name says what the folders say."""
    label, form = match["folder"].split("_")
    normal = label == "NormalSound"
    return (
        match["machine"] == machine
        and match["again"] == match["case"]
        and match["form"] == form
        and (match["state"] == "normal") == normal
    )
