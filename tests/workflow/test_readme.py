"""The README's commands do what it says: each is run as it stands, on the small run instead of the large one."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import duckdb
import pytest
from checkout import NOTHING, STUDY, Checkout
from test_own_recordings import record

README = (Path(__file__).parents[2] / "README.md").read_text()
SMALL = {
    "results/bench/p1": str(STUDY),
    "results/recordings-press_04/recordings": str(STUDY),
    "attributions/saliency/all/mae/": "attributions/integrated_gradients/all/ae/",
    "--cores all": "--cores 2",
}
"""What the small run has in place of the default run's files."""

WITHIN_CI = {
    "./run pytest": "runs this test",
    "./run pytest -m endurance": "run by CI after the plain tests",
    "scripts/setup.sh gpu": "every command makes the environment first; the set-up has tests of its own",
    "sinfo": "Slurm's own",
}
"""Commands that no test can run from within."""
DRY = ("paper.yaml", "profiles/slurm", "recordings=", "run=dcase2023")
"""What is planned only: jobs of days, of a cluster, or run by tests of their own."""


def blocks(language: str) -> list[str]:
    """Code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def commands() -> list[str]:
    """Commands in the shell blocks, and those in the text that begin with ``./run``."""
    lines = [line.split(" #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    lines += re.findall(r"`(\./run [^`]+)`", README)
    return list(dict.fromkeys(line for line in lines if line))


def small(text: str) -> str:
    for large, here in SMALL.items():
        text = text.replace(large, here)
    return text


def test_the_readme_shows_commands_and_queries():
    assert len(commands()) >= 8 and "./run snakemake --cores all" in commands()
    assert len(blocks("python")) == len(blocks("sql")) == 1


@pytest.mark.parametrize("command", [line for line in commands() if line not in WITHIN_CI])
def test_a_command_of_the_readme_works(command: str, copy: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "press 04"
    record(folder, {"train/normal": 4, "test/normal": 2, "test/anomaly": 2})
    shutil.copy(folder / "test/anomaly/clip_0.wav", copy.path / "squeak.wav")
    words = [word.replace("/data/press_04", str(folder)) for word in shlex.split(small(command))]
    if "=" in words[0]:
        words.insert(0, "env")
    if any(part in command for part in DRY) and "-n" not in words:
        words.append("-n")
    done = copy.command(*words)
    if command == "./run snakemake --cores all":
        assert NOTHING in done.stdout
    if "--draw" in words:
        assert (copy.path / words[words.index("--draw") + 1]).stat().st_size > 1000
    if "-n" in words:
        assert re.search(r"^total +\d+", done.stdout, re.M)


def test_the_queries_of_the_readme_find_what_they_ask_for(finished, monkeypatch):
    monkeypatch.chdir(finished.path)
    (snippet,), (query,) = blocks("python"), blocks("sql")
    *setup, last = small(snippet).strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(setup), names)
    explainers = set(finished.study()["explainers"])
    assert set(eval(last, names).index.get_level_values("explainer")) == explainers
    without_comment = "\n".join(line for line in small(query).splitlines() if not line.startswith("--"))
    found = duckdb.sql(without_comment).fetchall()
    assert {row[1] for row in found} == explainers
    assert all(0 <= row[2] <= 1 for row in found)


@pytest.mark.parametrize("metric", ["deletion_auc", "cell_auroc", "randomisation_similarity", "aupro"])
def test_rows_without_a_protocol_are_found_in_one_way(finished, metric):
    rows = duckdb.sql(
        f"select * from '{finished.path / STUDY}/measurements.parquet' "
        f"where metric = '{metric}' and protocol is null"
    )
    assert rows.fetchall() == []
