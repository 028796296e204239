from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchaudio", "pandas", "numpy", "scipy", "sklearn", "captum", "matplotlib", "pyarrow")


@pytest.mark.parametrize(
    "module", ["soundproof.config", "soundproof.config.stages", "soundproof.runs.codebase"]
)
def test_a_dry_run_imports_no_numerical_library(module: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_importing_the_configuration_takes_under_a_second() -> None:
    program = "import time; t = time.process_time(); import soundproof.config; print(time.process_time() - t)"
    seconds = [
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(2)
    ]
    # processor time, so that a busy machine does not count; the best of two, since the first may compile
    assert min(seconds) < 0.7
