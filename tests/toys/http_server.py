"""A file server on the loopback interface that can misbehave in the ways that real archives do."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Request:
    """What a client asked for: the file's name, its range, and the target as it stood in the request."""

    path: str
    range: str | None
    target: str = ""


@dataclass
class FileServer:
    """Serves ``files``; ``faults[path]`` are used up one per request, then the path behaves."""

    files: dict[str, bytes]
    faults: dict[str, list[Callable[[Handler, bytes], None]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    streams: int = 0
    most_streams: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)
    release: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"

    def url(self, name: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/{name}"

    def ranges(self) -> list[str | None]:
        return [request.range for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # a client that takes this server for its proxy names the whole address
        name = unquote(urlsplit(self.path).path.lstrip("/"))
        site = self.server.site
        with site.guard:
            site.requests.append(Request(name, self.headers.get("Range"), self.path))
            site.streams += 1
            site.most_streams = max(site.most_streams, site.streams)
            faults = site.faults.get(name, [])
            action = faults.pop(0) if faults else serve
        try:
            if name in site.files:
                action(self, site.files[name])
            else:
                self.answer(404, b"")
        finally:
            with site.guard:
                site.streams -= 1

    def wanted(self) -> tuple[int, int | None]:
        """First byte asked for, and the one after the last, where the request names it."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return 0, None
        return int(match[1]), int(match[2]) + 1 if match[2] else None

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


def _ranged(body: bytes, wanted: tuple[int, int | None]) -> tuple[int, bytes, dict[str, str]]:
    start, stop = wanted
    if not start and stop is None:
        return 200, body, {}
    piece = body[start:stop]
    return 206, piece, {"Content-Range": f"bytes {start}-{start + len(piece) - 1}/{len(body)}"}


def serve(handler: Handler, body: bytes) -> None:
    wanted = handler.wanted()
    if wanted[0] >= len(body) > 0:
        handler.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        return
    status, rest, headers = _ranged(body, wanted)
    handler.answer(status, rest, headers)


def truncate(n_sent: int) -> Fault:
    """Announce everything, send ``n_sent`` bytes, hang up."""

    def fault(handler: Handler, body: bytes) -> None:
        status, rest, headers = _ranged(body, handler.wanted())
        handler.answer(status, rest, headers, n_sent)

    return fault


def stall(n_sent: int) -> Fault:
    """Send ``n_sent`` bytes, then say nothing until the test ends."""

    def fault(handler: Handler, body: bytes) -> None:
        status, rest, headers = _ranged(body, handler.wanted())
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


def chunked(handler: Handler, body: bytes) -> None:
    """Send everything in chunks, as HTTP/1.1 does where the length is not known beforehand."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(body), 30_000):
        piece = body[start : start + 30_000]
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


def slowly(seconds: float) -> Fault:
    """Send half, wait, send the rest: long enough for streams to meet."""

    def fault(handler: Handler, body: bytes) -> None:
        status, rest, headers = _ranged(body, handler.wanted())
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[: len(rest) // 2])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.wfile.write(rest[len(rest) // 2 :])

    return fault


def with_headers(headers: dict[str, str]) -> Fault:
    """Serve the file with further fields."""
    return lambda handler, body: handler.answer(200, body, headers)


def lie_about_range(content_range: str) -> Fault:
    """Answer 206 with bytes from the start under a ``Content-Range`` that does not fit the request."""
    return lambda handler, body: handler.answer(206, body, {"Content-Range": content_range})


@contextmanager
def running(files: dict[str, bytes], certificate: tuple[Path, Path] | None = None) -> Iterator[FileServer]:
    """Run a server; with the paths of a certificate and its key, over TLS under the name ``localhost``."""
    site = FileServer(files)
    server = _Server(("127.0.0.1", 0), Handler)
    server.site = site
    site.port = server.server_address[1]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        site.scheme, site.host = "https", "localhost"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
