"""A fork of the warm interpreter is to whoever runs it what a Python of its own would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundproof.runs.warm import client, start
from soundproof.runs.warm.server import LIBRARIES, THREADS

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="made for Linux")

SERVER = """
import os, sys
from pathlib import Path
from soundproof.runs.warm import server
server.LIBRARIES = ("json",)
server.main(Path(sys.argv[1]), os.getppid())
"""
TELL = """
import json, os, signal, sys, tempfile
print(json.dumps({
    "words": sys.argv, "name": __name__, "file": __file__, "folder": os.getcwd(), "first": sys.path[0],
    "environment": dict(os.environ), "temporary": tempfile.gettempdir(), "executable": sys.executable,
    "terminate": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "input": sys.stdin.read(),
    "threads": len(os.listdir("/proc/self/task")), "open": sorted(os.listdir("/proc/self/fd")),
}, sort_keys=True))
print("aside", file=sys.stderr)
"""
WAIT = """
import os, signal, sys, time
from pathlib import Path
def leave(number, frame):
    Path("left").write_text(str(number))
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, leave)
Path("pid.new").write_text(str(os.getpid()))
os.rename("pid.new", "pid")
time.sleep(60)
"""


class Warm:
    """A server in a folder, and clients of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, folder / "socket"
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(self.address)], stdin=subprocess.PIPE, env=environment
        )
        until(self.address.exists)

    def words(self, script: str, *arguments: str) -> list[str]:
        path = self.folder / "script.py"
        path.write_text(script)
        mine = [sys.executable, "-I", "-S", str(client.__file__), str(self.address), sys.executable]
        return [*mine, str(path), *arguments]

    def run(self, script: str, *arguments: str, threads: str = "1") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(script, *arguments),
            cwd=self.folder,
            env=environment(threads),
            input="typed",
            capture_output=True,
            text=True,
            check=False,
        )

    def begin(self) -> tuple[subprocess.Popen[bytes], int]:
        """A client whose job waits, and the job's process."""
        here = subprocess.Popen(self.words(WAIT), cwd=self.folder, env=environment("1"))
        until((self.folder / "pid").exists)
        return here, int((self.folder / "pid").read_text())


def environment(threads: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "OF_THE_JOB": "ü", **dict.fromkeys(THREADS, threads)}


def until(true: object) -> None:
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    made = Warm(tmp_path)
    yield made
    made.server.kill()
    made.server.communicate()


def test_a_script_sees_what_it_would_see_in_a_python_of_its_own(warm):
    forked = warm.run(TELL, "a b", "c")
    plain = subprocess.run(
        [sys.executable, str(warm.folder / "script.py"), "a b", "c"],
        cwd=warm.folder,
        env=environment("1"),
        input="typed",
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"typed"' in forked.stdout and "OF_THE_JOB" in forked.stdout
    assert (forked.returncode, forked.stderr) == (0, plain.stderr) == (0, "aside\n")
    assert json.loads(forked.stdout) == json.loads(plain.stdout)


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("raise SystemExit('no such thing')", 1, "no such thing\n"),
        ("import atexit, sys; atexit.register(print, 'last', file=sys.stderr)", 0, "last\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, ""),
    ],
)
def test_it_ends_as_the_script_ends(warm, script, status, said):
    done = warm.run(script)
    assert (done.returncode, done.stderr) == (status, said)


def test_an_error_shows_its_traceback(warm):
    done = warm.run("def inner():\n    raise ValueError('of the script')\ninner()")
    assert done.returncode == 1
    assert "in inner" in done.stderr and done.stderr.endswith("ValueError: of the script\n")


def test_jobs_run_side_by_side_and_leave_nothing_to_each_other(warm):
    waiting, job = warm.begin()
    assert warm.run("import sys; sys.left_behind = 1").returncode == 0
    assert warm.run("import sys; sys.exit(hasattr(sys, 'left_behind'))").returncode == 0
    assert not gone(job)
    waiting.terminate()
    waiting.wait()


def test_a_job_that_is_asked_to_end_may_clear_away_first(warm):
    waiting, job = warm.begin()
    waiting.terminate()
    assert waiting.wait(timeout=30) == 128 + signal.SIGTERM
    assert (warm.folder / "left").read_text() == str(int(signal.SIGTERM)) and gone(job)


def test_a_job_dies_with_who_asked_for_it(warm):
    waiting, job = warm.begin()
    waiting.kill()
    waiting.wait()
    until(lambda: gone(job))
    assert warm.run("").returncode == 0


def test_a_job_dies_with_the_server_and_the_next_runs_without_it(warm):
    waiting, job = warm.begin()
    warm.server.kill()
    assert waiting.wait(timeout=30) == -signal.SIGKILL
    until(lambda: gone(job))
    assert warm.run("import sys; sys.exit(5)").returncode == 5


def test_the_server_ends_with_its_run_and_hears_no_interrupt(warm):
    for number in (signal.SIGINT, signal.SIGTERM):
        warm.server.send_signal(number)
    assert warm.run("import sys; sys.exit(6)").returncode == 6
    warm.server.stdin.close()
    assert warm.server.wait(timeout=30) == 0


def test_other_threads_are_not_for_this_interpreter(warm):
    tell = "import os; print(os.getppid())"
    assert warm.run(tell).stdout == f"{warm.server.pid}\n"
    other = warm.run(tell, threads="2")
    assert other.returncode == 0 and other.stdout != f"{warm.server.pid}\n"


def test_what_is_no_script_goes_to_python_itself(warm):
    words = warm.words("")[:-1]
    assert subprocess.run([*words, "-c", "import sys; sys.exit(7)"], check=False).returncode == 7


def test_a_run_calls_its_jobs_through_a_name_of_one_word(monkeypatch, tmp_path):
    code = (
        "import subprocess, sys; from soundproof.runs.warm import server, start\n"
        "assert start.keep_warm(1, 9)\n"
        "print(sys.executable)\n"
        "out = subprocess.check_output(f'{sys.executable} ' + sys.argv[1], shell=True, text=True)\n"
        "assert out == 'ran\\n'"
    )
    script = tmp_path / "script.py"
    script.write_text("print('ran')")
    done = subprocess.run(
        [sys.executable, "-c", code, str(script)], capture_output=True, text=True, check=True
    )
    # and it clears away
    assert not Path(done.stdout.strip()).parent.exists()


@pytest.mark.parametrize("folder", ["two words", "long" * 30])
def test_where_it_cannot_be_all_stays_as_it_is(monkeypatch, tmp_path, folder):
    before = sys.executable
    assert not start.keep_warm(1, start.WORTHWHILE - 1)
    (tmp_path / folder).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / folder))
    assert not start.keep_warm(1, 100)
    assert sys.executable == before and not list((tmp_path / folder).iterdir())


def test_what_jobs_import_of_libraries_is_loaded_before():
    scripts = Path(__file__).parents[3] / "workflow_scripts"
    names = [f"workflow_scripts.{path.stem}" for path in scripts.glob("[a-z]*.py")]
    code = (
        "import importlib, os, sys; from soundproof.runs.warm.server import load\n"
        "load(); before = set(sys.modules)\n"
        "assert len(os.listdir('/proc/self/task')) == 1 + ('jemalloc_bg_thd' in threads()), threads()\n"
        f"for name in {names}: importlib.import_module(name)\n"
        "new, old = ({name.partition('.')[0] for name in names} for names in (sys.modules, before))\n"
        "print(*sorted(new - old - {'workflow_scripts'} - set(sys.stdlib_module_names)))"
    )
    threads = (
        "from pathlib import Path\n"
        "def threads(): return [path.read_text().strip() for path in Path('/proc/self/task').glob('*/comm')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", threads + code],
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "torch" in LIBRARIES
    assert done.stdout.split() == []
