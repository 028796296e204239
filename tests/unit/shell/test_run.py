"""``./run`` hands its words on as they are, from a folder of any name that can work, and refuses the others."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from set_up import Folder

# what a run does for a job, without the libraries that it would load before
AS_A_JOB = """
import subprocess, sys, time
from pathlib import Path
from soundproof.runs.warm import client
script, serve = sys.argv[1:]
address = Path(script).with_name("socket")
server = subprocess.Popen([sys.executable, "-c", serve, str(address)], stdin=subprocess.PIPE)
while not address.exists():
    assert server.poll() is None
    time.sleep(0.01)
words = [sys.executable, "-I", "-S", client.__file__, str(address), sys.executable, script, str(server.pid)]
subprocess.run(words, check=True)
server.kill()
"""
SERVER = """
import os, sys
from pathlib import Path
from soundproof.runs.warm import server
server.LIBRARIES = ()
server.main(Path(sys.argv[1]), os.getppid())
"""
# 64 MiB at once are asked of the system (hblkhd), unless the C library was told to keep what it once got
JOB = """
import ctypes, json, os, sys
NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype, libc.malloc.restype, libc.malloc.argtypes = Mallinfo, ctypes.c_void_p, [ctypes.c_size_t]
before = libc.mallinfo2().hblkhd
assert libc.malloc(64 << 20)
assert os.getppid() == int(sys.argv[1]), "no fork of the server"
print(json.dumps([os.environ["GLIBC_TUNABLES"], libc.mallinfo2().hblkhd - before]))
"""


def run(folder: Folder, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./run", *words],
        cwd=folder.path,
        env={**folder.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def environment_in(path: Path) -> Folder:
    """A folder whose set-up has nothing to do and whose environment has one command."""
    folder = Folder.at(path)
    (path / "scripts/setup.sh").write_text("#!/bin/sh\n")
    command = path / ".venv/bin/say"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    command.chmod(0o755)
    return folder


NAMES = ["my projects", "it's", 'a "b"', "$HOME & co", "(x);[y]*?", "-rf", "~", "ü 音", "#1 50%", "a\tb"]


@pytest.mark.parametrize("name", NAMES)
def test_words_arrive_as_they_are(tmp_path, name):
    folder = environment_in(tmp_path / name / "sound proof")
    done = run(folder, "say", "a b", "$HOME", "", "*", "-n", CDPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a b|$HOME||*|-n|", "")


@pytest.mark.parametrize("name", ["a:b", "{x}", "x}", "a\nb", "a\\b"])
def test_a_folder_that_cannot_work_is_refused_with_what_to_do(tmp_path, name):
    done = run(environment_in(tmp_path / name), "say", "hello")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("soundproof cannot run in ") and "rename the folder" in done.stderr


def test_without_words_its_use_is_shown(tmp_path):
    done = run(environment_in(tmp_path / "x"))
    assert done.returncode == 2 and "./run snakemake" in done.stderr


def test_the_exit_code_is_the_commands(tmp_path):
    assert run(environment_in(tmp_path / "x"), "sh", "-c", "exit 42").returncode == 42


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open") or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="of Linux and its C library",
)
@pytest.mark.parametrize(
    ("typed", "from_the_system"),
    [({}, 0), ({"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1048576"}, 64 << 20)],
    ids=["kept", "overridden"],
)
def test_how_memory_is_kept_reaches_a_job_and_can_be_overridden(tmp_path, typed, from_the_system):
    folder = environment_in(tmp_path / "x")
    (folder.path / "soundproof").symlink_to(Path(__file__).parents[3] / "soundproof")
    script = tmp_path / "job.py"
    script.write_text(JOB)
    folder.environment.pop("GLIBC_TUNABLES", None)
    done = run(folder, sys.executable, "-c", AS_A_JOB, str(script), SERVER, **typed)
    assert done.returncode == 0, done.stderr
    tunables, mapped = json.loads(done.stdout)
    assert tunables == typed.get("GLIBC_TUNABLES", tunables) and "mmap_threshold" in tunables
    # the block's header takes a page at most
    assert from_the_system <= mapped <= from_the_system + 4096
