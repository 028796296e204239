"""The set-up ends in a whole environment or is made anew, with the build of torch that the machine can use."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from set_up import REPOSITORY, Folder

NO_BUILD = {"STAND_IN_FAILS_AT": "--torch-backend"}
PLATFORMS = {
    "linux x86-64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "linux aarch64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    "macos arm64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder.at(tmp_path / "my projects")


def made(calls: list[str]) -> int:
    return calls.count("venv")


def test_a_second_call_does_nothing(folder):
    code, said = folder.set_up()
    assert (code, said.count("\n")) == (0, 1) and said.startswith("soundproof: preparing .venv")
    assert made(folder.calls()) == 1
    assert folder.set_up() == (0, "") and folder.calls() == []


def test_all_is_byte_compiled_with_the_certificates_of_the_system(folder):
    assert folder.set_up(PYTHONDONTWRITEBYTECODE="1")[0] == 0
    installed = [call for call in folder.calls() if call.startswith("uv pip install")]
    assert installed and all("--compile-bytecode" in call and "certs=true" in call for call in installed)


@pytest.mark.parametrize(
    "death",
    [
        {"STAND_IN_DIES_IN_VENV": "1"},
        {"STAND_IN_DIES_AT": "--require-hashes"},
        {"STAND_IN_DIES_AT": "--editable"},
    ],
)
def test_a_killed_set_up_is_made_anew(folder, death):
    code, _ = folder.set_up(**death)
    assert code != 0 and made(folder.calls()) == 1
    assert folder.set_up()[0] == 0 and made(folder.calls()) == 1
    assert folder.set_up() == (0, "")


def test_an_environment_that_was_killed_while_it_was_brought_up_to_date_is_made_anew(folder):
    folder.set_up()
    with (folder.path / "requirements/gpu.lock").open("a") as lock:
        lock.write("# another lock\n")
    folder.calls()
    assert folder.set_up(STAND_IN_DIES_AT="--require-hashes")[0] != 0 and made(folder.calls()) == 0
    assert folder.set_up()[0] == 0 and made(folder.calls()) == 1


def test_two_set_ups_at_once_make_one_environment(folder):
    both = [folder.start("scripts/setup.sh") for _ in range(2)]
    said = sorted(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert made(folder.calls()) == 1 and "waiting for it" in "".join(said)


def test_without_the_module_venv_one_line_says_what_to_install(folder):
    code, said = folder.set_up(STAND_IN_NO_VENV="1")
    assert code == 1 and "apt-get install python3-venv" in said and "PYTHON=" in said
    assert "Traceback" not in said and not (folder.path / ".venv").exists()
    # and once it is there, all is well
    assert folder.set_up()[0] == 0


def test_a_python_that_is_not_there_is_said(folder):
    code, said = folder.set_up(PYTHON="/nowhere/python3")
    assert code == 1 and said.count("\n") == 1 and "there is no '/nowhere/python3'" in said


def test_a_moved_or_copied_folder_gets_an_environment_of_its_own(folder, tmp_path):
    folder.set_up()
    folder.calls()
    copied = Folder(tmp_path / "copied", folder.environment)
    shutil.copytree(folder.path, copied.path, symlinks=True)
    assert copied.set_up()[0] == 0 and made(copied.calls()) == 1
    moved = Folder(
        folder.path.rename(tmp_path / "moved"), {**folder.environment, "PYTHON": f"{copied.path}/python"}
    )
    assert moved.set_up()[0] == 0 and made(moved.calls()) == 1


def test_a_link_to_an_environment_is_replaced_and_its_target_left_alone(folder, tmp_path):
    target = tmp_path / "somebody's"
    target.mkdir()
    (target / "thesis.tex").write_text("years")
    (folder.path / ".venv").symlink_to(target)
    assert folder.set_up()[0] == 0
    assert (target / "thesis.tex").read_text() == "years" and not (folder.path / ".venv").is_symlink()


def test_without_a_gpu_nobody_downloads_cuda(folder):
    assert folder.set_up("cpu")[0] == 0
    calls = folder.calls()
    assert any("--torch-backend=cpu torch==2.13.0" in call for call in calls)
    assert not any("gpu.lock" in call for call in calls)
    others = (folder.path / ".venv/others.lock").read_text()
    assert not re.search(r"^(torch|triton|nvidia-.*|cuda-.*)==", others, re.MULTILINE)
    pins = {
        name: re.findall(r"^([a-z][\w-]*)==", text, re.MULTILINE)
        for name, text in (("others", others), ("all", (REPOSITORY / "requirements/gpu.lock").read_text()))
    }
    assert {"numpy", "torchaudio", "snakemake"} <= set(pins["others"]) < set(pins["all"])
    assert others.count("--hash=") > len(pins["others"])


@pytest.mark.slow
def test_uv_itself_takes_what_is_not_torch(folder, tmp_path):
    assert folder.set_up("cpu")[0] == 0
    asked = next(call for call in folder.calls() if "others.lock" in call)
    words = (
        asked.removeprefix("uv ").split(" certs=")[0].replace(".venv/bin/python", f"{tmp_path}/real").split()
    )
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "real"], check=True)
    done = subprocess.run(
        [uv, *(word for word in words if word != "--quiet"), "--dry-run"],
        cwd=folder.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    would = re.findall(r"^ \+ ([a-z][\w-]*)==", done.stderr, re.MULTILINE)
    assert len(would) > 150 and "torchaudio" in would
    assert not any(re.match("torch$|triton$|nvidia-|cuda-", name) for name in would)


def test_where_the_cpu_builds_cannot_be_reached_the_other_build_is_taken_and_said(folder):
    code, said = folder.set_up("cpu", **NO_BUILD)
    assert code == 0 and "taking the build with CUDA" in said
    assert any("--require-hashes -r requirements/gpu.lock" in call for call in folder.calls())
    # once: the next call does not try again
    assert folder.set_up() == (0, "")


def test_a_cpu_build_that_lies_ready_is_preferred(folder, tmp_path):
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl").touch()
    assert folder.set_up(PIP_FIND_LINKS=str(tmp_path))[0] == 0
    calls = folder.calls()
    assert any(f"cpu.lock certs=true links={tmp_path}" in call for call in calls)
    assert not any("--torch-backend" in call for call in calls)


def test_what_was_asked_for_is_remembered(folder):
    assert folder.set_up("gpu")[0] == 0
    assert any("gpu.lock" in call for call in folder.calls())
    assert folder.set_up() == (0, "")
    assert folder.set_up("cpu")[0] == 0 and folder.set_up() == (0, "")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_lock_serves_every_platform(platform, python):
    lines = Path(REPOSITORY, "requirements/gpu.lock").read_text().splitlines()
    marks = {
        **PLATFORMS[platform],
        "python_version": python,
        "python_full_version": f"{python}.4",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "extra": "",
    }
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalpha()]
    chosen = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(marks)]
    assert len(chosen) == len(set(chosen)) > 180 and {"torch", "torchaudio", "pandas", "snakemake"} <= set(
        chosen
    )
    assert any(name.startswith("nvidia-") for name in chosen) == (platform != "macos arm64")
    assert ("audioop-lts" in chosen) == (python == "3.13")
