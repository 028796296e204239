"""Peak memory of streaming jobs: it must not grow with the number of clips."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.rows import Aim, Row
from benchmarks.setting import Setting

FLAT = Aim("at most", 1.1)
MORE = 10


def memory(setting: Setting) -> list[Row]:
    """Explain and judge one row group of clips and ten times as many, each in a process of its own."""
    rows = []
    for job, case in (("attribution", "Integrated Gradients"), ("faithfulness", "FF (reconstruction)")):
        few, many = (peak_mib(setting, job, factor * setting.stored_clips) for factor in (1, MORE))
        rows.append(
            Row(
                benchmark="memory",
                case=f"{case}, {MORE * setting.stored_clips} clips",
                unit="MiB",
                ours=many,
                against=f"{setting.stored_clips} clips",
                other=few,
                ratio=many / few,
                sense="x of it",
                aim=FLAT,
            )
        )
    return rows


def peak_mib(setting: Setting, job: str, n: int) -> float:
    """Peak memory of a job in a fresh process: of the GPU where it runs on one, else resident."""
    n_freq, n_frames = setting.shape
    command = [sys.executable, "-m", "benchmarks.peak", job, str(n), str(setting.device), setting.kind]
    done = subprocess.run([*command, str(n_freq), str(n_frames)], check=True, capture_output=True, text=True)
    return float(done.stdout)
