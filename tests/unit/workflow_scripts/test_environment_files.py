"""A rule's script finds all that it imports among the packages of its environment file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[3]
# a rule's body, whether it stands alone or is made for each study
RULE = re.compile(r"^( *)rule\b.*:\n((?:(?:\1    .*)?\n)*)", re.MULTILINE)
# conda-forge's names of what the package index calls otherwise
OTHER_NAMES = {"pytorch": "torch", "pysoundfile": "soundfile", "soxr-python": "soxr"}
# what the rule of downloads loads by name, for each data set that it may be asked for; and its work, for one
FETCHERS = """
from pathlib import Path
from soundproof.datasets.registry import DATASETS
for entry in DATASETS.values():
    if entry.needs_download:
        entry.load()
choice = {"kind": "mimii", "machines": ["fan"], "ids": ["00"], "snr_db": 6, "miniature": True}
folder = Path(sys.argv[3])
workflow_scripts.download_dataset.download_dataset(choice, folder, folder / "manifest.json")
"""
REGISTERED = """
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.attribution.registry import EXPLAINERS
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
for registry in (ARTEFACTS, EXPLAINERS, DATASETS, DETECTORS, FAITHFULNESS, LOCALISATION):
    for entry in registry.values():
        entry.load()
"""
REFUSING = """
import json, sys
refused = set(json.loads(sys.argv[1]))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
exec(sys.argv[2])
"""


def rules() -> dict[str, tuple[Path, Path]]:
    """Environment file and script of each rule, by the script's name."""
    found = {}
    for file in sorted(REPOSITORY.glob("rules/*.smk")):
        for _, body in RULE.findall(file.read_text()):
            of_rule = {
                key: REPOSITORY / "rules" / path
                for key, path in re.findall(r"^ *(conda|script):\n *\"(.*)\"", body, re.MULTILINE)
            }
            script = of_rule["script"].resolve()
            found[script.stem] = of_rule["conda"].resolve(), script
    return found


def listed(environment: Path) -> set[str]:
    """Distributions that an environment file names; Python itself is none."""
    lines = yaml.safe_load(environment.read_text())["dependencies"]
    names = {re.split(r"[ <>=]", line)[0] for line in lines} - {"python"}
    return {canonicalize_name(OTHER_NAMES.get(name, name)) for name in names}


def with_dependencies(names: set[str]) -> set[str]:
    """These distributions and what they need, without what they merely use where it is there."""
    found: set[str] = set()
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needed(name)
    return found


def needed(name: str) -> Iterator[str]:
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        # of another platform
        return
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def refused(environment: Path) -> list[str]:
    """Modules that are installed here, and would not be where only the file's packages are."""
    allowed = with_dependencies(listed(environment))
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if module != "soundproof" and not {canonicalize_name(name) for name in distributions} & allowed
    )


def run(environment: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", REFUSING, json.dumps(refused(environment)), code, *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_rule_is_looked_at():
    scripts = {script.stem for _, script in rules().values()}
    assert scripts == {path.stem for path in REPOSITORY.glob("workflow_scripts/[a-z]*.py")} - {"engine"}


@pytest.mark.parametrize("environment", sorted({file.name for file, _ in rules().values()}))
def test_scripts_and_what_they_load_by_name_need_no_other_package(environment, tmp_path):
    scripts = [script.stem for file, script in rules().values() if file.name == environment]
    imports = "\n".join(f"import workflow_scripts.{name}" for name in scripts)
    by_name = FETCHERS if scripts == ["download_dataset"] else REGISTERED
    done = run(REPOSITORY / "envs" / environment, imports + by_name, str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_package_that_the_file_lacks_is_not_found():
    # so that the test above can fail; rich's own dependencies tell that these are followed
    done = run(REPOSITORY / "envs/download.yaml", "import pandas, dateutil, captum")
    assert "No module named 'captum'" in done.stderr


def test_the_large_file_names_the_lock_s_packages():
    own = {
        canonicalize_name(re.split(r"[ <>=]", line)[0])
        for line in (REPOSITORY / "requirements/base.in").read_text().split()
    }
    assert listed(REPOSITORY / "envs/soundproof.yaml") <= own
    assert listed(REPOSITORY / "envs/download.yaml") <= listed(REPOSITORY / "envs/soundproof.yaml")
