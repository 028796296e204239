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


def test_importing_the_configuration_loads_few_modules() -> None:
    program = "import sys; n = len(sys.modules); import soundproof.config; print(len(sys.modules) - n)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # most are Python's own and pydantic's
    assert int(done.stdout) < 350
