"""Zero-shot detection by CLAP: with the packages that the locked environment does not have, and without them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from checkout import NOTHING, Checkout
from guide import blocks_of

ROOT = Path(__file__).parents[2]
CASES = ("tests/unit/detectors/foundation/test_clap_zero_shot.py", "tests/unit/contracts")
pytestmark = pytest.mark.slow
SMALL = {
    "dataset": {"machines": ["fan"], "train_clips": 6, "test_normal": 5, "test_anomaly": 5},
    "detectors": {"vae": {"epochs": 1}},
    "explain": {"per_machine": 2},
    "faithfulness": None,
}


@dataclass(frozen=True)
class WithLibrary(Checkout):
    """A checkout whose Python finds packages in one more folder."""

    packages: str = ""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": f"{self.path}:{self.packages}"}

    def snakemake(self, *options: str, check: bool = True) -> str:
        # a program of its own, since the folder is for it alone
        return self.command(sys.executable, "scripts/start-snakemake.py", *options, check=check).stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which Python finds the library, in the versions that the guide names."""
    folder = str(tmp_path_factory.mktemp("library"))
    environment = {**os.environ, "PIP_TARGET": folder, "PYTHONPATH": folder}
    (install,) = (
        words for block in blocks_of(ROOT / "docs/clap.md") for words in block.commands() if "pip" in words
    )
    subprocess.run([sys.executable, *install[1:]], cwd=ROOT, env=environment, check=True)
    return environment


def test_models_of_the_library_do_what_they_should(library: dict[str, str]) -> None:
    chosen = ("-k", "clap_zero_shot or test_clap_zero_shot")
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CASES, *chosen)
    done = subprocess.run(words, cwd=ROOT, env=library, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    told = "".join(re.findall(r"^(\S+) +\[ *\d+%\]$", done.stdout, re.MULTILINE))
    # a dot is a test that passed; none was skipped
    assert set(told) == {"."} and len(told) > 50


def run_of(here: Checkout, *options: str) -> str:
    overrides = f"overrides={json.dumps({'p4_clap': SMALL})}"
    # targets first: the values of --config have no end
    return here.snakemake(*options, "--cores", "2", "--config", "studies=[p4_clap]", "run=clap", overrides)


def members(here: Checkout) -> pd.DataFrame:
    return pd.read_parquet(here.path / "results/clap/p4_clap/tables/families.parquet").set_index(
        "detector_title"
    )


def test_without_weights_the_study_runs_and_its_table_says_what_is_missing(fresh: Checkout) -> None:
    said = run_of(fresh)
    missing = "weights missing: no folder data/weights/clap. To do: place a CLAP model there"
    assert f"Detector 'clap_zero_shot' of study 'p4_clap' is left out: {missing}" in said
    table = members(fresh)
    assert table.loc["CLAP zero-shot", "absent"].startswith(missing)
    assert pd.isna(table.loc["CLAP zero-shot", "auc"]) and table.loc["Gaussian", "auc"] >= 0
    page = (fresh.path / "results/clap/p4_clap/index.html").read_text(encoding="utf-8")
    assert missing in page
    assert NOTHING in run_of(fresh)
    assert "fit their configuration, code and inputs" in run_of(fresh, "verify")


def place(folder: Path, library: dict[str, str], seed: int) -> None:
    """Put a model that nobody trained where a user places weights."""
    environment = {**library, "PYTHONPATH": f"{library['PYTHONPATH']}:{ROOT / 'tests'}"}
    text = (
        f"from pathlib import Path\nfrom toys.clap import tiny_clap\ntiny_clap(Path({str(folder)!r}), {seed})"
    )
    subprocess.run([sys.executable, "-c", text], env=environment, check=True)


def test_with_weights_the_study_measures_it_and_other_weights_are_noticed(
    fresh: Checkout, library: dict[str, str]
) -> None:
    here = WithLibrary(fresh.path, library["PYTHONPATH"])
    place(here.path / "data/weights/clap", library, 0)
    assert "is left out" not in run_of(here)
    table = members(here)
    assert "absent" not in table
    found = table.loc["CLAP zero-shot"]
    assert 0 <= found["auc"] <= 1 and 0 <= found["cell_auroc"] <= 1
    assert found["family"] == "foundation" and found["constant"] == "0 of 2"
    assert NOTHING in run_of(here)
    assert "fit their configuration, code and inputs" in run_of(here, "verify")
    place(here.path / "data/weights/clap", library, 1)
    assert "fit_detectors_p4_clap" in run_of(here, "--dry-run")
