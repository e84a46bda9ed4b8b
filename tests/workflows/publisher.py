"""A web server on this machine that gives one file, and breaks off, forgets or changes it as a test asks."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Callable
from typing import Any


class Publisher(http.server.ThreadingHTTPServer):
    """Serves ``content`` at every path.

    ``cuts`` are the numbers of bytes after which the next responses break off; ``failures`` the statuses of the next ones;
    ``stall`` holds a response back after its first bytes for so many seconds.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.ranges = True
        self.versions = True
        self.cuts: list[int] = []
        self.failures: list[int] = []
        self.stall = 0.0
        self.before: Callable[[int], None] = lambda number: None
        self.requests: list[dict[str, str]] = []
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def url(self, name: str = "file.bin") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Publisher
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        publisher = self.server
        publisher.requests.append(dict(self.headers))
        publisher.before(len(publisher.requests))
        self.close_connection = True
        if publisher.failures:
            self.send_response(publisher.failures.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = publisher.content
        version = f'"{hashlib.md5(content).hexdigest()}"'
        begin = 0
        asked = self.headers.get("Range", "")
        if publisher.ranges and asked and self.headers.get("If-Range") == version:
            begin = int(asked.removeprefix("bytes=").partition("-")[0])
        if begin and begin >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        if publisher.versions:
            self.send_header("ETag", version)
        self.end_headers()
        cut = publisher.cuts.pop(0) if publisher.cuts else len(body)
        if publisher.stall:
            self.wfile.write(body[:10])
            self.wfile.flush()
            seconds, publisher.stall = publisher.stall, 0.0
            time.sleep(seconds)
            return
        self.wfile.write(body[:cut])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""
