"""What of the user's shell reaches a job, and what every job can rely on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from set_up import REPOSITORY

FOREIGN = {
    "PYTHONPATH": "/elsewhere",
    "PYTHONHOME": "/elsewhere",
    "PYTHONSTARTUP": "/elsewhere/start.py",
    "PYTHONUSERBASE": "/elsewhere",
    "PYTHONOPTIMIZE": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPYCACHEPREFIX": "/elsewhere",
    "PYTHONWARNINGS": "error",
    "PYTHONINSPECT": "1",
    "PYTHONHASHSEED": "7",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MATPLOTLIBRC": "/elsewhere",
    "MPLCONFIGDIR": "/elsewhere",
    "VIRTUAL_ENV": "/elsewhere",
    "CONDA_PREFIX": "/elsewhere",
    "CONDA_DEFAULT_ENV": "elsewhere",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_USER": "1",
    "PIP_REQUIRE_HASHES": "1",
    "PIP_CONSTRAINT": "/elsewhere",
    "UV_PYTHON": "/elsewhere",
    "UV_SYSTEM_PYTHON": "1",
    "UV_EXCLUDE_NEWER": "2020-01-01",
    "UV_PROJECT_ENVIRONMENT": "/elsewhere",
    "UV_TORCH_BACKEND": "cu128",
}
KEPT = {
    "PYTHON": "/usr/bin/python3.12",
    "PYTHONUNBUFFERED": "1",
    "PIP_INDEX_URL": "https://mirror.example/simple",
    "PIP_FIND_LINKS": "/wheels",
    "PIP_CERT": "/certificates.pem",
    "UV_INDEX_COMPANY_PASSWORD": "secret",
    "UV_DEFAULT_INDEX": "https://mirror.example/simple",
    "UV_HTTP_TIMEOUT": "600",
    "UV_CACHE_DIR": "/scratch/uv",
    "LD_LIBRARY_PATH": "/opt/lib",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "SNAKEMAKE_PROFILE": "mine",
}


def reachable(folder: Path) -> list[Path]:
    """Folders of pytest's own, which nobody else may enter; there are more where workers share the tests."""
    return [parent for parent in folder.parents if "pytest-of" in str(parent)]


@pytest.fixture
def here(tmp_path) -> Path:
    folder = tmp_path / "my projects"
    folder.mkdir()
    return folder


def reached(here: Path, *prefix: str, **environment: str) -> dict[str, str]:
    """Environment of a job that is started from a shell with ``environment``."""
    done = subprocess.run(
        [
            *prefix,
            "/bin/bash",
            "-ec",
            f'here=$1; . "{REPOSITORY}/scripts/environment.sh"; env -0',
            "-",
            str(here),
        ],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_nothing_foreign_reaches_a_job(here, tmp_path):
    job = reached(here, HOME=str(tmp_path), **FOREIGN)
    assert not [name for name, value in FOREIGN.items() if job.get(name) == value]
    assert job["PYTHONPATH"] == str(here) and job["MPLBACKEND"] == "agg"


def test_of_an_empty_environment_a_path_is_passed_on(here):
    words = (f'here=$1; . "{REPOSITORY}/scripts/environment.sh"; env', "-", str(here))
    done = subprocess.run(["/bin/bash", "-ec", *words], env={}, capture_output=True, text=True, check=True)
    assert "\nPATH=/" in f"\n{done.stdout}"


def test_how_to_reach_packages_and_the_rest_of_the_shell_is_kept(here, tmp_path):
    job = reached(here, HOME=str(tmp_path), **KEPT)
    assert {name: job.get(name) for name in KEPT} == KEPT


def test_a_home_that_can_be_written_is_kept(here, tmp_path):
    job = reached(here, HOME=str(tmp_path), USER="me")
    assert job["HOME"] == str(tmp_path) and job["USER"] == "me" and "XDG_CACHE_HOME" not in job
    assert not (here / ".home").exists()


@pytest.mark.parametrize("home", [None, "", "/", "/nonexistent", "/proc/nowhere", "relative"])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_without_name_or_home_gets_both(here, home):
    here.chmod(0o777)
    for parent in reachable(here):
        parent.chmod(0o755)
    nobody = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    job = reached(here, *nobody, **({} if home is None else {"HOME": home}))
    assert job["HOME"] == str(here / ".home") and job["USER"] == job["LOGNAME"] == "uid12345"
    assert Path(job["XDG_CACHE_HOME"]).stat().st_uid == 12345
    assert job["MPLCONFIGDIR"].startswith(job["XDG_CACHE_HOME"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_home_that_cannot_be_written_stays_the_home_but_holds_no_cache(here, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    here.chmod(0o777)
    for parent in reachable(here):
        parent.chmod(0o755)
    job = reached(here, "setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", HOME=str(home))
    assert job["HOME"] == str(home) and job["XDG_CACHE_HOME"] == str(here / ".home/.cache")


def test_a_temporary_folder_that_is_not_there_is_not_asked_for(here, tmp_path):
    assert "TMPDIR" not in reached(here, HOME=str(tmp_path), TMPDIR="/proc/nowhere")
    assert reached(here, HOME=str(tmp_path), TMPDIR=str(tmp_path))["TMPDIR"] == str(tmp_path)
