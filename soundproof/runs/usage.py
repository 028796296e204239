"""What a job took of the machine, noted by the job itself when it ends.

Snakemake's own ``benchmark:`` looks at a job's processes again and again, and misses what ended in between. The
system counts all of it anyway.
"""

from __future__ import annotations

import datetime
import os
import resource
import sys
import time
from pathlib import Path

# columns, units and order of Snakemake's files of this kind
COLUMNS = (
    *("s", "h:m:s", "max_rss", "max_vms", "max_uss", "max_pss"),
    *("io_in", "io_out", "mean_load", "cpu_time"),
)
_BLOCK = 512
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_MEBI = 1 << 20
# elsewhere than on Linux a job's time is told from here, the first thing that it does
_IMPORTED = time.monotonic()


def usage_file(log: Path) -> Path | None:
    """Where a job's usage stands: as its log, below ``benchmarks``; None for a log outside ``logs/*/``."""
    for folder in log.parents:
        if folder.parent.name == "logs":
            below = log.relative_to(folder.parent).with_suffix(".tsv")
            return folder.parent.parent / "benchmarks" / below
    return None


def usage() -> dict[str, str]:
    """What this process, and those it waited for, took from its start until now, by :data:`COLUMNS`.

    Seconds; the largest resident set of a process in MiB; MiB read and written; processor seconds, and their
    percentage of the seconds. "NA" is what the system does not count.
    """
    seconds = max(_age_s(), 1e-3)
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    resident = max(_peak_bytes(own.ru_maxrss), others.ru_maxrss * _RSS_UNIT)
    found = {
        "s": f"{seconds:.4f}",
        "h:m:s": str(datetime.timedelta(seconds=int(seconds))),
        "max_rss": f"{resident / _MEBI:.2f}",
        "io_in": f"{(own.ru_inblock + others.ru_inblock) * _BLOCK / _MEBI:.2f}",
        "io_out": f"{(own.ru_oublock + others.ru_oublock) * _BLOCK / _MEBI:.2f}",
        "mean_load": f"{100 * processor / seconds:.2f}",
        "cpu_time": f"{processor:.2f}",
    }
    return {name: found.get(name, "NA") for name in COLUMNS}


def _age_s() -> float:
    status = Path("/proc/self/stat")
    if status.exists():
        # both since the machine was started; the date of a start is known to a second only
        ticks = int(status.read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - _IMPORTED


def _peak_bytes(rss: int) -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # the resource count of a process starts at what its parent held on Linux; the mark of its memory does not
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return rss * _RSS_UNIT


def write_usage(path: Path) -> None:
    """Write :func:`usage` as a table of one row, tab-separated."""
    found = usage()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\t".join(found) + "\n" + "\t".join(found.values()) + "\n", encoding="utf-8")
