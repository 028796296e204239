"""The tests of ONNX models, with the packages that the locked environment does not have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from guide import blocks_of

ROOT = Path(__file__).parents[2]
CASES = "tests/unit/detectors/external/test_onnx_models.py"
pytestmark = pytest.mark.slow


def test_models_in_onnx_files_do_what_they_should(tmp_path: Path) -> None:
    # the versions that the guide names
    (install,) = (
        words
        for block in blocks_of(ROOT / "docs/own-onnx.md")
        for words in block.commands()
        if "pip" in words
    )
    environment = {**os.environ, "PIP_TARGET": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, *install[1:]], cwd=ROOT, env=environment, check=True)
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", CASES)
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "skipped" not in done.stdout
    assert int(re.findall(r"^([.]+) +\[100%\]$", done.stdout, re.MULTILINE)[0].count(".")) > 10
