"""What is checked before a commit is what continuous integration checks."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[3]


def hooks():
    [local] = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    # any other kind of repository would be fetched
    assert local["repo"] == "local"
    return local["hooks"]


def checks():
    """Commands of scripts/check.sh, in order."""
    lines = (REPOSITORY / "scripts/check.sh").read_text().splitlines()
    return lines[lines.index('cd "$(dirname "$0")/.."') + 1 :]


def test_hooks_run_the_commands_of_the_checks():
    assert len(checks()) >= 5
    assert [hook["entry"] for hook in hooks()] == [f"./run {command}" for command in checks()]


def test_hooks_need_no_environment_of_their_own_and_look_at_everything():
    for hook in hooks():
        assert hook["language"] == "system" and hook["pass_filenames"] is False
        assert "files" not in hook and "types" not in hook


def test_ci_runs_the_checks_and_every_tier_of_tests_unconditionally():
    script = (REPOSITORY / ".ci/run").read_text()
    assert "./run scripts/check.sh" in script
    chosen = re.findall(
        r'^(?:\w+=\w+ )*\./run pytest(?: -n (?:logical|3))?(?: -m "(.*?)")?', script, re.MULTILINE
    )
    assert chosen == ["", "slow or endurance"]
    assert not re.search(r"\bif\b|\|\|", script)
    markers = re.findall(r'^  "(\w+): ', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)
    # CI has no GPU; where there is none these tests would be skipped
    assert set(markers) == {"slow", "endurance", "gpu"}
