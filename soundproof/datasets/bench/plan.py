"""Which clips the bench holds, and what each is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE, BenchParameters

TARGET_EVERY = 10


@dataclass(frozen=True)
class PlannedClip:
    """One clip before it is synthesised; fields as in :data:`soundproof.storage.schemas.CLIPS`."""

    clip_id: str
    machine: str
    machine_id: str
    split: str
    domain: str | None
    fault: str | None
    snr_db: float | None


def plan(settings: BenchParameters) -> Iterator[PlannedClip]:
    """Yield every clip; clip ``n`` of a kind is the same whatever the counts.

    ``snr_db`` of a normal test clip is the condition under which it is compared (it has no fault); training
    clips belong to every condition and have none.
    """
    for machine in settings.machines:
        for number in range(settings.ids_per_machine):
            machine_id = f"id{number:02d}"
            yield from _training(machine, machine_id, settings)
            yield from _testing(machine, machine_id, settings)


def _training(machine: str, machine_id: str, settings: BenchParameters) -> Iterator[PlannedClip]:
    for n in range(settings.train_clips):
        domain = None
        if settings.domains:
            domain = "target" if n % TARGET_EVERY == TARGET_EVERY - 1 else "source"
        clip_id = f"{machine}_{machine_id}_train_normal_{n:03d}"
        yield PlannedClip(clip_id, machine, machine_id, "train", domain, None, None)


def _testing(machine: str, machine_id: str, settings: BenchParameters) -> Iterator[PlannedClip]:
    stem = f"{machine}_{machine_id}_test"
    faults, snrs_db = FAULTS_BY_MACHINE[machine], settings.snrs_db
    for n in range(settings.test_normal):
        domain, turn = _domain(n, settings)
        snr_db = snrs_db[turn % len(snrs_db)]
        yield PlannedClip(f"{stem}_normal_{n:03d}", machine, machine_id, "test", domain, None, snr_db)
    for n in range(settings.test_anomaly):
        domain, turn = _domain(n, settings)
        fault = faults[turn % len(faults)]
        # One step aside after each common period, so that every fault meets every SNR.
        snr_db = snrs_db[(turn + turn // lcm(len(faults), len(snrs_db))) % len(snrs_db)]
        clip_id = f"{stem}_anomaly_{fault}_{n:03d}"
        yield PlannedClip(clip_id, machine, machine_id, "test", domain, fault, snr_db)


def _domain(n: int, settings: BenchParameters) -> tuple[str | None, int]:
    """Return the domain of test clip ``n`` and its turn within it (both domains take the same turns)."""
    if not settings.domains:
        return None, n
    return ("source", "target")[n % 2], n // 2
