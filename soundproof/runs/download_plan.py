"""What studies have to download, told from their settings and the data folder alone. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.filesize import decimal

from soundproof.config.model import Study
from soundproof.datasets.registry import DATASETS
from soundproof.downloads.catalogue.lock import Lock
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.transfer import held_bytes
from soundproof.runs.weights_plan import MissingWeights


@dataclass
class Downloads:
    """Files of one data set that studies need.

    Attributes:
        kind: Data set.
        studies: Studies that use it.
        missing: Files to fetch.
        there: Files that are there, or that something unpacked stands in for.
    """

    kind: str
    studies: list[str] = field(default_factory=list)
    missing: dict[Path, Needed] = field(default_factory=dict)
    there: dict[Path, Needed] = field(default_factory=dict)

    @property
    def whole(self) -> list[tuple[Path, Needed]]:
        """Missing files that are fetched whole."""
        return [(place, item) for place, item in self.missing.items() if item.members is None]

    @property
    def known_bytes(self) -> int:
        """Bytes still to come of the missing files whose size is known."""
        return sum(
            max(0, item.remote.n_bytes - held_bytes(place.with_name(f"{place.name}.part")))
            for place, item in self.whole
            if item.remote.n_bytes is not None
        )

    @property
    def n_unknown(self) -> int:
        """Missing files whose size is not known."""
        return sum(item.remote.n_bytes is None for _, item in self.whole)

    @property
    def n_members(self) -> int:
        """Members that are fetched out of files which stay where they are."""
        return sum(item.members or 0 for item in self.missing.values())


def downloads(studies: Mapping[str, Study], data_dir: Path, lock: Lock | None = None) -> list[Downloads]:
    """List what studies need of the data sets that are fetched.

    A file counts as there by its size; checksums are compared when it is used.

    Args:
        studies: Configuration of the studies by name.
        data_dir: Data folder.
        lock: Sizes that records have told before.
    """
    lock = lock or Lock()
    found: dict[str, Downloads] = {}
    for name, study in studies.items():
        entry = DATASETS[study.dataset.kind]
        if entry.needed is None:
            continue
        plan = found.setdefault(entry.name, Downloads(entry.name))
        plan.studies.append(name)
        for item in entry.needed(study.dataset.settings):
            known = Needed(lock.complete(item.remote), item.folder, item.instead, item.members)
            place = item.place(data_dir)
            is_there = item.is_covered(data_dir) or _has_size(place, known.remote.n_bytes)
            (plan.there if is_there else plan.missing)[place] = known
    return list(found.values())


def shopping_list(plans: Iterable[Downloads], weights: Iterable[MissingWeights] = ()) -> list[str]:
    """One line per missing file: where it belongs, what tells it, where it is."""
    files = [
        f"{place} ({item.remote.marks}"
        + (f"; or {item.members} of its members" if item.members else "")
        + f") from {' or '.join(item.remote.urls)}"
        for plan in plans
        for place, item in plan.missing.items()
    ]
    return files + [f"{one.place} (made from {_weights_size(one)}) from {one.source}" for one in weights]


def in_words(plans: Iterable[Downloads], weights: Sequence[MissingWeights] = ()) -> list[str]:
    """One line per data set and set of weights, and the sum."""
    plans = list(plans)
    if not plans and not weights:
        return ["to download: nothing, the studies have all that they need"]
    lines = [f"{plan.kind}: {_line(plan)}" for plan in plans]
    lines += [
        f"weights {one.name}: {_weights_size(one)} from {one.source}, into {one.place.parent} [{one.licence}]"
        for one in weights
    ]
    total = sum(plan.known_bytes for plan in plans) + sum(one.n_bytes or 0 for one in weights)
    n_unknown = sum(plan.n_unknown for plan in plans) + sum(one.n_bytes is None for one in weights)
    return [f"to download: {_bytes(total, n_unknown)}", *lines]


def _weights_size(weights: MissingWeights) -> str:
    return _bytes(weights.n_bytes or 0, int(weights.n_bytes is None))


def _line(plan: Downloads) -> str:
    parts = []
    if plan.whole:
        parts.append(f"{len(plan.whole)} files, {_bytes(plan.known_bytes, plan.n_unknown)}")
    if plan.n_members:
        parts.append(f"{plan.n_members} members of {len(plan.missing) - len(plan.whole)} archives")
    if parts:
        parts[-1] += f", into {', '.join(sorted({str(place.parent) for place in plan.missing}))}"
    if plan.there:
        parts.append(f"{len(plan.there)} files already there")
    return f"{'; '.join(parts) or 'nothing'} [{DATASETS[plan.kind].licence}]"


def _bytes(known: int, n_unknown: int) -> str:
    unknown = f"unknown for {n_unknown} {'file' if n_unknown == 1 else 'files'}"
    if not known and n_unknown:
        return f"size {unknown}"
    return decimal(known) + (f", size {unknown}" if n_unknown else "")


def _has_size(place: Path, n_bytes: int | None) -> bool:
    return place.is_file() and n_bytes in (None, place.stat().st_size)
