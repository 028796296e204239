"""Locks of a run that was killed, told from those of a run that is alive.

Snakemake notes the files a run works on in ``.snakemake/locks`` and removes the notes when it ends. After a kill
signal or a power cut they stay, and the next run is refused until somebody types ``--unlock``. The notes do not say
who wrote them, so here every run holds a lock of the operating system beside them, which ends with its process
however that ends. Who can get that lock for himself alone knows that no other run is alive and the notes are dead.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

NAME = "soundproof.runs.dead_locks"


@dataclass(frozen=True)
class Standing:
    """How things stand in a folder of runs.

    Attributes:
        handle: File descriptor that holds this process's lock as long as it is open; None where the folder cannot
            be written or its file system has no such locks, so that nothing is known.
        alive: ``HOST:PID`` of runs that are at work here.
        cleared: Whether the notes of a dead run were removed.
    """

    handle: int | None
    alive: tuple[str, ...] = ()
    cleared: bool = False


def enter(state: Path) -> Standing:
    """Join the runs of a folder, and clear away what dead ones left if nobody else is there.

    On a network file system that does not carry locks between hosts, a run elsewhere cannot be seen. Therefore the
    hosts are noted as well, and notes of Snakemake are only removed if all of them come from this host. Neither are
    they if jobs were submitted to a cluster: these outlive their run, and remove their outputs should they fail.

    Args:
        state: Snakemake's folder ``.snakemake``.
    """
    host, notes = platform.node(), state / "locks"
    try:
        state.mkdir(parents=True, exist_ok=True)
        handle = os.open(state / NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return Standing(None)
    cleared = False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        alive = tuple(entry for entry in _read(handle) if _may_live(entry, host))
        # somebody who is just entering holds it alone for a moment
        fcntl.flock(handle, fcntl.LOCK_SH)
    except OSError:
        os.close(handle)
        return Standing(None)
    else:
        alive = ()
        left = notes.is_dir() and any(notes.iterdir())
        here = all(entry.startswith(f"{host}:") for entry in _read(handle))
        here = here and not _submitted(state)
        if left and here:
            shutil.rmtree(notes)
            cleared = True
        if here or not left:
            os.ftruncate(handle, 0)
        fcntl.flock(handle, fcntl.LOCK_SH)
    os.lseek(handle, 0, os.SEEK_END)
    os.write(handle, f"{host}:{os.getpid()}\n".encode())
    return Standing(handle, alive, cleared)


def _submitted(state: Path) -> bool:
    """Whether a job was submitted to a cluster that is not known to have ended well."""
    # Slurm's log of a job goes when the job has succeeded; the note below is overwritten once the job has started
    if any((state / "slurm_logs").rglob("*.log")):
        return True
    for path in (state / "incomplete").rglob("*"):
        try:
            if path.is_file() and json.loads(path.read_text()).get("external_jobid") is not None:
                return True
        except (ValueError, AttributeError):
            # cut off by the kill: a job that was just being noted
            continue
    return False


def _may_live(entry: str, host: str) -> bool:
    """Whether a noted run may be at work; of another host nothing is known."""
    where, _, pid = entry.rpartition(":")
    return where != host or Path("/proc", pid).exists() or not Path("/proc").is_dir()


def _read(handle: int) -> tuple[str, ...]:
    os.lseek(handle, 0, os.SEEK_SET)
    return tuple(os.read(handle, 1 << 16).decode().split())
