"""Stands in for the interpreter of a job: has the script run by a fork of the warm one, or becomes a plain Python.

Run by its path with ``python -I -S``: it is up in a few hundredths of a second because it imports little. Words:
socket, interpreter, script, arguments of the script. It ends as the job ends, by its status or its signal. A
request to end reaches the job, and its death ends the job.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType


def ask(words: list[str], server: socket.socket) -> int | None:
    """Have ``words`` (script and arguments) run.

    Returns:
        Exit status, negative for a signal as in ``subprocess``; None if the server would not run it, or is gone
        before it has begun.
    """
    request = json.dumps(
        {"words": words, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    ).encode()
    try:
        socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(request)
        if server.recv(1) != b"y":
            return None
    except OSError:
        return None

    def pass_on(number: int, _: FrameType | None) -> None:
        # not to be taken for a server that never began
        with suppress(OSError):
            server.sendall(bytes([number]))

    signal.signal(signal.SIGTERM, pass_on)
    answer = b""
    while len(answer) < 4:
        try:
            more = server.recv(4 - len(answer))
        except OSError:
            more = b""
        if not more:
            sys.stderr.write("The warm interpreter was killed, and this job with it.\n")
            return -signal.SIGKILL
        answer += more
    return int.from_bytes(answer, "big", signed=True)


def main(address: str, interpreter: str, words: list[str]) -> None:
    """Run ``words`` as ``interpreter`` would, and end as it does."""
    status = None
    if words and words[0].endswith(".py"):
        # an error says that it is not up yet, or not any more
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.connect(address)
            status = ask(words, server)
    if status is None:
        os.execv(interpreter, [interpreter, *words])
    if status < 0:
        # SIGKILL is none that could be handled or ignored
        with suppress(OSError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
