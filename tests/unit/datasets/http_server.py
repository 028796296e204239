"""A file server on the loopback interface that can misbehave in the ways that real archives do."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What a client asked for."""

    path: str
    range: str | None


@dataclass
class FileServer:
    """Serves ``files``; ``faults[path]`` are used up one per request, then the path behaves."""

    files: dict[str, bytes]
    faults: dict[str, list[Callable[[Handler, bytes], None]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def ranges(self) -> list[str | None]:
        return [request.range for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        site = self.server.site
        site.requests.append(Request(name, self.headers.get("Range")))
        if name not in site.files:
            self.answer(404, b"")
            return
        faults = site.faults.get(name, [])
        action = faults.pop(0) if faults else serve
        action(self, site.files[name])

    def offset(self) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match.group(1)) if match else 0

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, n_sent: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:n_sent])
        self.wfile.flush()
        if n_sent is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


Fault = Callable[[Handler, bytes], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: FileServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle of a body is part of the tests."""


def _ranged(body: bytes, offset: int) -> tuple[int, bytes, dict[str, str]]:
    if not offset:
        return 200, body, {}
    return 206, body[offset:], {"Content-Range": f"bytes {offset}-{len(body) - 1}/{len(body)}"}


def serve(handler: Handler, body: bytes) -> None:
    offset = handler.offset()
    if offset >= len(body):
        handler.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        return
    status, rest, headers = _ranged(body, offset)
    handler.answer(status, rest, headers)


def truncate(n_sent: int) -> Fault:
    """Announce everything, send ``n_sent`` bytes, hang up."""

    def fault(handler: Handler, body: bytes) -> None:
        status, rest, headers = _ranged(body, handler.offset())
        handler.answer(status, rest, headers, n_sent)

    return fault


def stall(n_sent: int) -> Fault:
    """Send ``n_sent`` bytes, then say nothing until the test ends."""

    def fault(handler: Handler, body: bytes) -> None:
        status, rest, headers = _ranged(body, handler.offset())
        handler.answer(status, rest, headers, n_sent)
        handler.server.site.release.wait(30)

    return fault


def refuse(status: int, headers: dict[str, str] | None = None) -> Fault:
    return lambda handler, body: handler.answer(status, b"no", headers)


def ignore_range(handler: Handler, body: bytes) -> None:
    handler.answer(200, body)


def redirect(target: str) -> Fault:
    return lambda handler, body: handler.answer(302, b"", {"Location": target})


def send(other: bytes) -> Fault:
    """Serve another body, as an edge cache with a mixed-up key does."""
    return lambda handler, body: serve(handler, other)


def without_length(handler: Handler, body: bytes) -> None:
    """Send everything without saying how much that is."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True


def lie_about_range(content_range: str) -> Fault:
    """Answer 206 with bytes from the start under a ``Content-Range`` that does not fit the request."""
    return lambda handler, body: handler.answer(206, body, {"Content-Range": content_range})


@contextmanager
def running(files: dict[str, bytes]) -> Iterator[FileServer]:
    site = FileServer(files)
    server = _Server(("127.0.0.1", 0), Handler)
    server.site = site
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
