"""What an edit anywhere in this tree does to the code digests of the stages that compute numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from soundproof.attribution.registry import EXPLAINERS
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
from soundproof.runs import codebase
from soundproof.runs.codebase import shapes_no_number

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "workflow_scripts"
# no stage of numbers: they fetch, or word and draw what others computed
OTHERS = {
    *("__init__", "download_dataset", "verify_results"),
    *("build_tables", "draw_figures", "write_report", "index_studies", "explore_clips"),
}
NUMBERS = sorted({path.stem for path in SCRIPTS.glob("*.py")} - OTHERS)
LOADED_BY_NAME = {
    "list_clips": [entry.module for entry in DATASETS.values()],
    "extract_features": [entry.module for entry in DATASETS.values()],
    "train_detector": [entry.module for entry in DETECTORS.values()],
    "score_clips": [entry.module for entry in DETECTORS.values()],
    "remove_bands": [entry.module for entry in DETECTORS.values()],
    "attribute_clips": [
        *(entry.module for entry in DETECTORS.values()),
        *(entry.module for entry in EXPLAINERS.values()),
    ],
    "measure_faithfulness": [
        *(entry.module for entry in DETECTORS.values()),
        *(entry.module for entry in EXPLAINERS.values()),
        *(entry.module for entry in FAITHFULNESS.values()),
    ],
    "measure_localisation": [entry.module for entry in LOCALISATION.values()],
}
LIST_MODULES = """
import importlib, json, os, sys
import numpy, pandas, torch
for script, modules in json.loads(sys.argv[1]).items():
    read, write = os.pipe()
    if os.fork() == 0:
        importlib.import_module(f"workflow_scripts.{script}")
        for module in modules:
            importlib.import_module(module)
        names = [name for name in sys.modules if name.partition(".")[0] == "soundproof"]
        os.write(write, json.dumps(names).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        print(script, said.read())
"""


def digested(script: str) -> set[str]:
    """Modules whose content is part of a script's digest, with all that registries may load for it."""
    names = [*codebase._imports(SCRIPTS / f"{script}.py"), *LOADED_BY_NAME.get(script, [])]
    files = {path for name in names for path in codebase._closure(name)}
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files
    }


@pytest.mark.parametrize("script", NUMBERS)
@pytest.mark.parametrize(
    "room", ["downloads", "runs", "report", "cli", "config", "core", "figures", "exhibits", "library"]
)
def test_an_edit_of_what_shapes_no_number_changes_no_digest(script, room):
    assert not {name for name in digested(script) if f"{name}.".startswith(f"soundproof.{room}.")}


@pytest.mark.parametrize("script", NUMBERS)
def test_an_edit_of_a_registrys_words_changes_no_digest(script):
    assert not {name for name in digested(script) if name.endswith(".registry")}


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_all_that_a_stage_loads_counts_for_it():
    """Compared with what Python itself says was imported."""
    wanted = {script: LOADED_BY_NAME.get(script, []) for script in NUMBERS}
    said = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, json.dumps(wanted)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    loaded = {line.partition(" ")[0]: set(json.loads(line.partition(" ")[2])) for line in said.splitlines()}
    assert set(loaded) == set(NUMBERS)
    for script, modules in loaded.items():
        science = {name for name in modules if not shapes_no_number(name)}
        # what only modules without numbers load shapes none either
        assert science - digested(script) <= _reached_by_words_only(modules), script


def _reached_by_words_only(modules: set[str]) -> set[str]:
    words = {name for name in modules if shapes_no_number(name)}
    reached = set(words)
    waiting = list(words)
    while waiting:
        path = codebase._file(waiting.pop())
        for name in codebase._imports(path) if path else ():
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached
