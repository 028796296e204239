"""A study whose weights are out of reach is left out with the reason, and the others are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from soundproof.backbones.registry import BackboneSettings
from soundproof.config.load import load_config
from soundproof.config.model import Study
from soundproof.core.choice import DetectorChoice
from soundproof.core.registry import parameters
from soundproof.runs.weights_availability import left_out, only_looks

REPOSITORY = Path(__file__).parents[3]


def study(name: str, backbone: str) -> Study:
    """The tiny study with a detector that stands on a backbone."""
    values = {"data_dir": "data", "results_dir": "results", "run": "toy", "studies": ["tiny"]}
    tiny = load_config(values, REPOSITORY / "config/studies")[1]["tiny"]
    settings = parameters("toy", backbone=(BackboneSettings, Field(BackboneSettings())))(backbone=backbone)
    detector = DetectorChoice(kind="gaussian", settings=settings, title="Toy")
    return tiny.model_copy(update={"name": name, "detectors": {"toy": detector}})


@pytest.fixture
def studies() -> dict[str, Study]:
    return {"p2": study("p2", "cnn9"), "control": study("control", "random")}


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")


@pytest.mark.usefixtures("unreachable")
def test_the_reason_reaches_processes_that_do_not_try(studies: dict[str, Study], tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    # a plan alone tries nothing, and takes the best for granted
    assert left_out(studies, run, data, fetch=False) == {}
    reasons = left_out(studies, run, data, fetch=True)
    assert list(reasons) == ["p2"]
    assert "Weights 'cnn9' are missing" in reasons["p2"] and "PIP_INDEX_URL" in reasons["p2"]
    assert "\n" not in reasons["p2"]
    assert left_out(studies, run, data, fetch=False) == reasons


@pytest.mark.usefixtures("unreachable")
def test_weights_that_are_there_are_not_fetched(studies: dict[str, Study], tmp_path: Path) -> None:
    path = tmp_path / "data" / "weights" / "cnn9.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert left_out(studies, tmp_path / "run", tmp_path / "data", fetch=True) == {}


@pytest.mark.usefixtures("unreachable")
def test_a_study_that_is_fitted_stays(studies: dict[str, Study], tmp_path: Path) -> None:
    models = tmp_path / "run" / "p2" / "models"
    for part, label, seed in studies["p2"].fits(["toy"]):
        path = models / part / label / f"seed{seed}.safetensors"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    assert left_out(studies, tmp_path / "run", tmp_path / "data", fetch=True) == {}


def test_switched_off_downloads_leave_out_too(
    studies: dict[str, Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    (reason,) = left_out(studies, tmp_path / "run", tmp_path / "data", fetch=True).values()
    assert "SOUNDPROOF_OFFLINE" in reason and "checkpoint.pth" in reason


def test_a_plan_is_told_from_a_run() -> None:
    assert only_looks(["--cores", "2", "-n"])
    assert only_looks(["--rulegraph=dot"])
    assert not only_looks(["--cores", "all", "--config", "studies=[p1]"])
