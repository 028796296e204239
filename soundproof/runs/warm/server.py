"""The warm interpreter: loads the libraries once, then forks for each job that a client asks for.

It loads libraries only; a job imports this project's own modules itself, from the files as they are when it starts.
One thread does all, since a fork takes only the thread that forks. Linux only (``pidfd_open``, death signals).
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    # read by the preamble that the workflow engine writes above each script
    "snakemake.logging",
    "snakemake.iocontainers",
    "psutil",
    "filelock",
    "pydantic.fields",
    "pydantic.main",
    "yaml",
    "requests",
    "pandas",
    "pyarrow.parquet",
    "scipy.signal",
    "soundfile",
    "scipy.stats",
    "sklearn.metrics",
    "torch",
    "torchaudio",
    "safetensors.torch",
    "soxr",
    "captum.attr",
    "jinja2",
    "matplotlib.backends.backend_agg",
)
# read when the libraries are loaded: a job that wants others is not for this interpreter
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the system kill this process when ``parent`` ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def load() -> None:
    """Import the libraries; one that is missing or broken is left to the job that needs it."""
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:
            sys.stderr.write(f"The warm interpreter does without {name}: {error}\n")
    # objects that all forks share are not to be copied for a collector's marks
    gc.collect()
    gc.freeze()


class Server:
    """Forks for those who ask at ``address``, until its standard input ends."""

    def __init__(self, address: Path) -> None:
        self.events = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # under another name first: who finds the address can connect
        self.listener.bind(str(address.with_suffix(".new")))
        self.listener.listen(64)
        address.with_suffix(".new").rename(address)
        self.events.register(self.listener, selectors.EVENT_READ, self.accept)
        self.events.register(0, selectors.EVENT_READ, lambda: sys.exit(0))

    def serve(self) -> None:
        """Answer until the run that started this interpreter ends."""
        while True:
            for key, _ in self.events.select():
                # an earlier event of this round may have closed what this one is about
                if self.events.get_map().get(key.fd) is key:
                    key.data()

    def accept(self) -> None:
        """Fork for a client, or tell it to do without."""
        client, _ = self.listener.accept()
        client.settimeout(10)
        try:
            request, descriptors = _read(client)
        except (OSError, ValueError):
            client.close()
            return
        wanted = request["environment"]
        job = None
        if all(wanted.get(name) == os.environ.get(name) for name in THREADS):
            job = self.fork(client, request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(OSError):
            client.sendall(b"n" if job is None else b"y")
        if job is None:
            client.close()
            return
        watch = os.pidfd_open(job)
        self.events.register(client, selectors.EVENT_READ, partial(self.hear, client, job))
        self.events.register(watch, selectors.EVENT_READ, partial(self.end, client, job, watch))

    def fork(
        self, client: socket.socket, request: Mapping[str, Any], descriptors: Sequence[int]
    ) -> int | None:
        """Process of a new job; None where the system has no room for one."""
        server = os.getpid()
        try:
            job = os.fork()
        except OSError:
            return None
        if not job:
            die_with(server)
            # the address, and what is between the server and its clients
            for key in list(self.events.get_map().values()):
                if key.fd:
                    os.close(key.fd)
            self.events.close()
            client.close()
            _become(request, descriptors)
        return job

    def hear(self, client: socket.socket, job: int) -> None:
        """Pass a client's signal on to its job; a client that died takes its job along."""
        try:
            number = client.recv(1)
        except OSError:
            number = b""
        os.kill(job, number[0] if number else signal.SIGKILL)
        if not number:
            self.events.unregister(client)

    def end(self, client: socket.socket, job: int, watch: int) -> None:
        """Tell a client how its job ended."""
        _, status = os.waitpid(job, 0)
        self.events.unregister(watch)
        os.close(watch)
        if client in self.events.get_map():
            self.events.unregister(client)
        with suppress(OSError):
            client.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        client.close()


def _read(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A client's request and its three standard streams."""
    head, descriptors, _, _ = socket.recv_fds(client, 8, 3)
    length, body = int.from_bytes(head, "big"), b""
    while len(body) < length:
        more = client.recv(length - len(body))
        if not more:
            raise ConnectionError("the client ended in the middle of its request")
        body += more
    if len(descriptors) != 3:
        raise ConnectionError("the client has closed one of its standard streams")
    return json.loads(body), descriptors


def _become(request: Mapping[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Be the job in all that a script can tell: streams, signals, folder, environment, words, search path."""
    for stream, descriptor in enumerate(descriptors):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    # may have been looked up while libraries were loaded
    tempfile.tempdir = None
    sys.argv[:] = request["words"]
    script = sys.argv[0]
    sys.path[0] = str(Path(script).parent.resolve())
    status = 1
    try:
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as ended:
        if isinstance(ended.code, int | None):
            status = ended.code or 0
        else:
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
    atexit._run_exitfuncs()
    for stream_ in (sys.stdout, sys.stderr):
        try:
            stream_.flush()
        except OSError:
            status = status or 120
    # without taking apart what the libraries hold
    os._exit(status)


def main(address: Path, run: int) -> None:
    """Load the libraries and serve at ``address`` for the process ``run``."""
    # Ctrl-C and what ends the jobs are for the run and its jobs; this ends with the run
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    die_with(run)
    load()
    Server(address).serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
