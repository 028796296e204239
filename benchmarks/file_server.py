"""A file server on the loopback interface in a process of its own.

Usage: ``python -m benchmarks.file_server FOLDER MIB_PER_S``. It prints its port; rate 0 is as fast as it can.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 18


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bytes_per_s = 0.0

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file, no faster than the rate."""
        start, sent = time.monotonic(), 0
        while piece := source.read(_CHUNK_BYTES):
            outputfile.write(piece)
            sent += len(piece)
            if self.bytes_per_s:
                time.sleep(max(0.0, start + sent / self.bytes_per_s - time.monotonic()))

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: requests are not what is measured."""


@contextmanager
def file_server(folder: Path, mib_per_s: float = 0.0) -> Iterator[str]:
    """Serve a folder while the block runs; yield its address."""
    command = [sys.executable, "-m", "benchmarks.file_server", str(folder), str(mib_per_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def main(folder: str, mib_per_s: float) -> None:
    """Serve until the process is ended."""
    _Handler.bytes_per_s = mib_per_s * (1 << 20)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=folder))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
