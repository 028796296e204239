"""The wheel, installed into an environment of its own without the workflow's packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.prefix, "bin", "uv")
pytestmark = pytest.mark.slow
ALONE = """
import importlib.util
import soundproof

for name in ("snakemake", "dvc", "tabulate", "seaborn", "pytest", "duckdb", "workflow_scripts", "benchmarks"):
    assert importlib.util.find_spec(name) is None, name
assert "site-packages" in soundproof.__file__
"""
SMOKE = """
import soundproof
from soundproof.downloads.catalogue import catalogue

assert "mimii" in catalogue()
clips = soundproof.load_dataset(
    {"kind": "bench", "machines": ["fan"], "train_clips": 8, "test_normal": 5, "test_anomaly": 5, "seconds": 2.0}
)
gaussian = soundproof.fit(clips, "gaussian")
explained = soundproof.explain(gaussian, ["error_map", "saliency", "integrated_gradients", "random_map"])
explained.localisation(["cell_ranking", "segment_f1"])
explained.faithfulness({"deletion": {"replacement": ["clip_median"]}})
compared = soundproof.compare(explained).set_index(["explainer", "axis"])["value"]
assert compared["error_map", "cell_auroc"] > 0.6 > compared["random_map", "cell_auroc"]
assert len(soundproof.rivals(explained)) and len(soundproof.areas(gaussian)) == 2
assert soundproof.draw("quality_overview", explained).axes
print(repr(float(compared["error_map", "cell_auroc"])))
"""


def said_by(*words: str | Path, cwd: Path) -> str:
    # what the tests run in must not be seen from within
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds the wheel and what it declares, in the versions of the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    said_by(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    said_by(UV, "venv", "--quiet", "--python", sys.executable, folder / "environment", cwd=folder)
    python = folder / "environment/bin/python"
    lock = (ROOT / "requirements/cpu.lock").read_text()
    pinned = re.findall(r"^([a-z0-9-]+==[^ ;\\\n]+)", lock, re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pinned) + "\n")
    links = said_by(sys.executable, "-c", _LINKS, cwd=folder).strip()
    cpu = ("--find-links", links) if links else ("--torch-backend", "cpu")
    options = ("--quiet", "--python", python, "--constraint", folder / "pins.txt", *cpu)
    said_by(UV, "pip", "install", *options, wheel, cwd=folder)
    # the registry's torchaudio is built for CUDA
    said_by(python, ROOT / "scripts/fix_torchaudio.py", cwd=folder)
    return python


_LINKS = """
import os, subprocess, sys
found = os.environ.get("PIP_FIND_LINKS")
pip = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
print(found or subprocess.run(pip, capture_output=True, text=True, check=False).stdout.strip())
"""


def test_the_library_works_without_the_workflows_packages(installed: Path, tmp_path: Path) -> None:
    value = said_by(installed, "-c", ALONE + SMOKE, cwd=tmp_path).split()[-1]
    # the same code and versions, hence the same number
    assert value == said_by(sys.executable, "-c", SMOKE, cwd=ROOT).split()[-1]
