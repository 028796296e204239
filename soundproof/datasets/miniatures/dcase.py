"""A small tree of the true names, synthesised: what needs the data set can run without the data set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import soundfile

from soundproof.datasets.dcase.attributes import NONE_TOLD, attribute_file
from soundproof.datasets.dcase.editions import Edition, Part
from soundproof.datasets.dcase.names import ClipName
from soundproof.datasets.miniatures.sound import stand_in
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_folder

CONCEALED = {2024: ("ToyTrain", "gearbox", "slider"), 2025: ("ToyTrain", "bearing", "slider")}
"""Machines of development sets whose conditions the organisers conceal."""
SECTIONS = {2020: ("00", "02"), 2021: ("00", "01"), 2022: ("00", "01")}
SIZE = {"train_clips": 20, "test_normal": 4, "test_anomaly": 4, "seconds": 4.0, "snr_db": 6.0}
"""Per section; of ten training clips one is of the target domain, of the test clips every second."""


def write_miniature(
    folder: Path, edition: Edition, part: Part, machines: Iterable[str], size: dict[str, float] | None = None
) -> None:
    """Write machines that are not there yet; each appears whole or not at all.

    All clips are labelled in their names, those of evaluation sets too: their truth is not ours to invent.

    Args:
        folder: Where the machines' folders go.
        edition: Year whose names are used.
        part: Part whose sections are used.
        machines: Machine types.
        size: Settings of the bench, by default :data:`SIZE`.
    """
    for machine in machines:
        target = folder / machine
        if target.exists():
            continue
        with whole_folder(target) as unfinished:
            _write_machine(unfinished, edition, part, machine, size or SIZE)


def _write_machine(folder: Path, edition: Edition, part: Part, machine: str, size: dict[str, float]) -> None:
    sections = _sections(edition, part)
    seed = seed_from("dcase miniature", edition.own_name or edition.year, part, machine)
    bench = stand_in(machine, seed, ids_per_machine=len(sections), domains=edition.has_domains, **size)
    clips = bench.clips()
    for section, machine_id in zip(sections, sorted(clips["machine_id"].unique()), strict=True):
        mine = clips[clips["machine_id"] == machine_id]
        names = _names(mine, edition, section, conceal=machine in CONCEALED.get(edition.year, ()))
        for clip_id, place in names.items():
            audio = bench.read(clip_id)
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, audio.samples, audio.rate_hz, subtype="PCM_16")
        if edition.has_attributes:
            _write_attributes(attribute_file(folder, section), machine, names.values())


def _sections(edition: Edition, part: Part) -> tuple[str, ...]:
    dev = SECTIONS.get(edition.year, ("00",))
    # evaluation sections follow those of the development set until 2022
    return (
        tuple(f"{int(number) + 3:02d}" for number in dev) if part == "eval" and edition.year <= 2022 else dev
    )


def _names(clips: pd.DataFrame, edition: Edition, section: str, *, conceal: bool) -> dict[str, str]:
    """Return folder and name by clip id."""
    order = clips.groupby(["split", "label", "domain"], dropna=False).cumcount()
    rows = zip(clips["clip_id"], clips["split"], clips["label"], clips["domain"], order, strict=True)
    out = {}
    for clip_id, split, label, domain, number in rows:
        if edition.year == 2020:
            name = ClipName(section=section, number=f"{number:08d}", label=label)
        else:
            tail = f"_{NONE_TOLD}" if conceal else f"_spd_{'A' if domain == 'source' else 'B'}"
            parts = {"label": label, "domain": domain, "split": split, "tail": tail}
            name = ClipName(section=section, number=f"{number:04d}", **parts)
        place = f"{domain}_test" if edition.year == 2021 and split == "test" else split
        out[clip_id] = f"{place}/{name.file_name(edition.year)}"
    return out


def _write_attributes(path: Path, machine: str, places: Iterable[str]) -> None:
    rows = []
    for place in places:
        concealed = place.endswith(f"{NONE_TOLD}.wav")
        value = "" if concealed else place.removesuffix(".wav")[-1]
        rows.append((f"{machine}/{place}", "" if concealed else "spd", value))
    pd.DataFrame(rows, columns=["file_name", "d1p", "d1v"]).to_csv(path, index=False, lineterminator="\n")
