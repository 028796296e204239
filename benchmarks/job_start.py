"""What a job costs before it does anything: its imports, in a Python of its own and in a fork of the warm one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil  # type: ignore[import-untyped]

from benchmarks.rows import Aim, BenchmarkError, Row
from benchmarks.setting import Setting
from soundproof.attribution.registry import EXPLAINERS
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
from soundproof.runs.warm import client, server

MET = Aim("at most", 1.0)
SECONDS_WITH_TORCH = 1.5
SECONDS_WITHOUT = 0.5
_DETECTOR = DETECTORS["skip_cae_transformer"].module
_TABLES = tuple(entry.module for entry in ARTEFACTS.values() if entry.kind == "table")
_FIGURES = tuple(entry.module for entry in ARTEFACTS.values() if entry.kind != "table")
STARTS: Mapping[str, tuple[str, ...]] = {
    "list_clips": (DATASETS["bench"].module,),
    "extract_features": (DATASETS["bench"].module,),
    "train_detector": (_DETECTOR,),
    "score_clips": (_DETECTOR,),
    "attribute_clips": (_DETECTOR, EXPLAINERS["integrated_gradients"].module),
    "measure_faithfulness": (_DETECTOR, *(entry.module for entry in FAITHFULNESS.values())),
    "compare_trainings": (),
    "measure_localisation": tuple(entry.module for entry in LOCALISATION.values()),
    "remove_bands": (_DETECTOR,),
    "illustrate_clips": (_DETECTOR,),
    "render_sounds": (DATASETS["bench"].module,),
    "explore_clips": (DATASETS["bench"].module,),
    "collect_measurements": (),
    "build_tables": _TABLES,
    "draw_figures": _FIGURES,
    "write_report": (),
    "index_studies": (),
    "download_dataset": (DATASETS["mimii"].module,),
    "verify_results": (),
}
"""Rule: modules that its job loads by name for a study like the default one, beside what its script imports."""


@dataclass(frozen=True)
class Start:
    """Processor seconds until a job begins its work.

    Attributes:
        warm: In a fork of the warm interpreter, its client included.
        plain: In a Python of its own.
        torch: Whether torch is loaded then.
    """

    warm: float
    plain: float
    torch: bool


def job_start(setting: Setting) -> list[Row]:
    """Start a job of each rule that does no more than to import, in both ways; a local run starts its jobs warm."""
    with tempfile.TemporaryDirectory() as name, _warm(Path(name)) as (interpreter, loading_s):
        starts = {rule: _start(rule, Path(name), interpreter, setting.repeats) for rule in STARTS}
    plain = sum(start.plain for start in starts.values())
    rows = [
        _row(rule, start.warm, "a Python of its own", start.plain, start.plain / start.warm, "x faster")
        for rule, start in starts.items()
    ]
    rows.append(
        _row("loading, once a run", loading_s, "all these in a Python of their own", plain, loading_s / plain)
    )
    for torch, aim in ((True, SECONDS_WITH_TORCH), (False, SECONDS_WITHOUT)):
        slowest = max(start.warm for start in starts.values() if start.torch == torch)
        kind = "with torch" if torch else "without torch"
        rows.append(_row(f"the slowest {kind}", slowest, "what is wanted", aim, slowest / aim, aim=MET))
    return rows


def _row(
    case: str,
    ours: float,
    against: str,
    other: float,
    ratio: float,
    sense: Literal["x faster", "x of it"] = "x of it",
    aim: Aim | None = None,
) -> Row:
    return Row(
        benchmark="job-start",
        case=case,
        unit="s",
        ours=ours,
        against=against,
        other=other,
        ratio=ratio,
        sense=sense,
        aim=aim,
    )


def _start(rule: str, folder: Path, interpreter: Sequence[str], repeats: int) -> Start:
    script, took = folder / f"{rule}.py", folder / "took"
    imports = "".join(f"import {name}\n" for name in (f"workflow_scripts.{rule}", *STARTS[rule]))
    tell = f"print(time.process_time(), 'torch' in sys.modules, file=open({str(took)!r}, 'w'))\n"
    script.write_text(f"import sys, time\n{imports}{tell}", encoding="utf-8")
    warm, plain = [], []
    for _ in range(repeats):
        plain.append(_seconds([sys.executable, str(script)]))
        # the warm interpreter has it loaded for whatever job
        torch = took.read_text(encoding="utf-8").split()[1]
        asking = _seconds([*interpreter, str(script)])
        # the fork is no child of this process: it tells its own time
        warm.append(asking + float(took.read_text(encoding="utf-8").split()[0]))
    return Start(statistics.median(warm), statistics.median(plain), torch == "True")


def _seconds(words: Sequence[str]) -> float:
    """Processor seconds of a command and of what it waits for."""
    process = subprocess.Popen(words, env=_environment())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkError(f"{words[-1]}: a job that only imports", f"status {status}", "read its message")
    return used.ru_utime + used.ru_stime


@contextmanager
def _warm(folder: Path) -> Iterator[tuple[list[str], float]]:
    """Words that call the warm interpreter, and the processor seconds that loading it took."""
    address = folder / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", server.__name__, str(address), str(os.getpid())],
        stdin=subprocess.PIPE,
        env=_environment(),
    )
    try:
        while not address.exists():
            if process.poll() is not None:
                raise BenchmarkError("the warm interpreter", "it ended", "read its message")
            time.sleep(0.05)
        took = psutil.Process(process.pid).cpu_times()
        yield (
            [sys.executable, "-I", "-S", str(client.__file__), str(address), sys.executable],
            took.user + took.system,
        )
    finally:
        process.kill()
        process.communicate()


def _environment() -> dict[str, str]:
    """As jobs have it: one thread; bytecode is written, so that no start compiles what an earlier one did."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    root = str(Path(__file__).parent.parent)
    return {**kept, "PYTHONPATH": root, **dict.fromkeys(server.THREADS, "1")}
