"""Start Snakemake in this process, without what only a cluster needs and without wake-ups that nobody needs.

Snakemake imports every plug-in that is installed before it reads its words. The one for Slurm loads pandas, and
asks ``scontrol`` how long finished jobs are remembered: up to ten seconds where Slurm's programs are installed and
its controller cannot be reached.
"""

from __future__ import annotations

import os
import pkgutil
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

CLUSTER = "snakemake_executor_plugin_slurm"
"""Left out where nothing asks for it. That of the jobs on the nodes (``..._jobstep``) is light, and stays."""
_PROFILES = ("--pr", "--workflow-p")
_HELP = ("-h", "--h")


def may_use_cluster(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> bool:
    """Whether jobs may go to Slurm: a word or a profile names it, or a profile is given that nobody has read yet.

    Args:
        words: Words after ``snakemake``.
        environment: Variables; ``SNAKEMAKE_PROFILE`` names a profile.
        folder: Where the workflow lies; its ``profiles/default`` is read without being named.
    """
    if "SNAKEMAKE_PROFILE" in environment or any("slurm" in word for word in words):
        return True
    if any(word.startswith((*_PROFILES, *_HELP)) for word in words):
        return True
    defaults = (folder / "profiles" / "default").glob("config*.yaml")
    return any("slurm" in path.read_text(encoding="utf-8", errors="replace") for path in defaults)


def start_engine(words: Sequence[str]) -> int:
    """Run Snakemake as its own command would.

    Args:
        words: Words after ``snakemake``.

    Returns:
        Its exit status.
    """
    found = pkgutil.iter_modules

    def local(*args: Any, **kwargs: Any) -> Iterator[pkgutil.ModuleInfo]:
        return (module for module in found(*args, **kwargs) if module.name != CLUSTER)

    if not may_use_cluster(words, os.environ, Path.cwd()):
        pkgutil.iter_modules = local
    try:
        # plug-ins are looked for while this is imported
        from snakemake.cli import main
    finally:
        pkgutil.iter_modules = found
    _wake_once_at_a_time()
    # scripts see the command they were started by
    sys.argv = [shutil.which("snakemake") or "snakemake", *words]
    status = main()
    return int(status or 0)


def _wake_once_at_a_time() -> None:
    """Let one wake-up of Snakemake's scheduler be under way, not one for each job that has finished.

    Where jobs per time span are limited, as they are by default, the scheduler has itself woken a second after each
    round that leaves jobs to run. A finished job starts a round as well, and so one more chain of wake-ups that
    lasts to the end of the run: after a hundred jobs a hundred rounds a second, a fifth of a core and more.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    under_way: set[tuple[int, float]] = set()

    def wake_later(scheduler: Any, delay: float) -> None:
        key = id(scheduler), delay
        if key in under_way:
            return

        def wake() -> None:
            # first, for the round that this starts may ask for the next
            under_way.discard(key)
            scheduler._open_jobs.release()

        under_way.add(key)
        timer = threading.Timer(delay, wake)
        # a run that has finished does not wait for it
        timer.daemon = True
        timer.start()

    JobScheduler._schedule_reevalutation = wake_later
