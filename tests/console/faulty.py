"""A real HTTP server between the console and a real engine that goes wrong on demand: it hangs, refuses, fails, throttles, dawdles, talks nonsense."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

WAITING = ("hung", "late")
FAILING = ("refused", "failing", "throttled", "garbage")
RECORDED = {
    "denied": (
        400,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: sagemaker:ListTrainingJobs on resource: "
        "arn:aws:sagemaker:us-east-1:123456789012:training-job/* because no identity-based policy allows the "
        "sagemaker:ListTrainingJobs action",
    ),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "disabled": (
        403,
        "RegionDisabledException",
        "STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this "
        "region using the IAM Console.",
    ),
    "unrecognized": (
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "failing": (500, "InternalFailure", "We encountered an internal error. Please try again."),
}
"""Errors as AWS answers them: HTTP status, code, message."""
SLOW = 10.0
"""Seconds."""
FORGETFUL = ("cut", "mute")
"""Faults of the next request alone: it is passed on and done, but its answer does not arrive, because the connection breaks or is silent."""
LOSING = "losing"
"""Each call that changes something meets the fault ``cut`` once; when it is sent again it is answered."""
_LOOKS = re.compile(r"\.(Describe|List|Get)\w+$|^Action=(Get|List|Describe)")


class Faulty:
    """Passes requests on to ``upstream`` while `fault` is empty. ``pending`` are the requests that wait for an answer."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.fault = ""
        self.pending = 0
        self.asked = 0
        """Requests that met a fault."""
        self._seen: set[tuple[str, str, str, bytes]] = set()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self._listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fails(self, fault: str) -> None:
        """From now on requests meet this fault (empty: none); those that hang go on with it."""
        with self._changed:
            self.fault, self.asked = fault, 0
            self._changed.notify_all()
        if fault == "refused":
            self._deafen()
        elif self._server is None:
            self._listen()

    def close(self) -> None:
        """Leave nothing behind."""
        with self._changed:
            self.fault = "closed"
            self._changed.notify_all()
        self._deafen()

    def _listen(self) -> None:
        faulty = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Connections break here all the time."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                faulty._open.add(self.connection)

            def finish(self) -> None:
                faulty._open.discard(self.connection)
                super().finish()

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                faulty._handle(self, body)

            def log_message(self, *args: Any) -> None:
                """Not on the screen that is tested."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _deafen(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _handle(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        with self._changed:
            fault = self._once(handler, body) if self.fault == LOSING else self.fault
            self.pending += 1
            self.asked += bool(fault)
            if fault in ("hung", "late"):
                self._changed.wait_for(lambda: self.fault != fault, SLOW if fault == "late" else None)
                fault = "" if fault == "late" else self.fault
            if self.fault in FORGETFUL:
                self.fault = ""
        try:
            self._answer(handler, body, fault)
        finally:
            with self._changed:
                self.pending -= 1

    def _once(self, handler: BaseHTTPRequestHandler, body: bytes) -> str:
        target = str(handler.headers.get("X-Amz-Target") or "")
        asked = (handler.command, handler.path, target, body)
        if handler.command in ("GET", "HEAD") or _LOOKS.search(target or body.decode("latin-1")[:40]):
            return ""
        if asked in self._seen:
            return ""
        self._seen.add(asked)
        return "cut"

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes, fault: str) -> None:
        if fault in ("refused", "closed", "hung"):
            handler.close_connection = True
        elif fault in RECORDED:
            _refuse(handler, body, *RECORDED[fault])
        elif fault == "garbage":
            _send(handler, 200, b"<html>\x00\xff\xfe It works! {]")
        else:
            channel = http.client.HTTPConnection(*self.upstream, timeout=60)
            try:
                channel.request(handler.command, handler.path, body, dict(handler.headers.items()))
                answer = channel.getresponse()
                if fault in FORGETFUL:
                    answer.read()
                    handler.close_connection = True
                    if fault == "mute":
                        handler.connection.recv(1)  # until whoever asked gives up
                    return
                _send(handler, answer.status, answer.read(), dict(answer.getheaders()))
            finally:
                channel.close()


def _refuse(handler: BaseHTTPRequestHandler, body: bytes, status: int, code: str, message: str) -> None:
    """An error in the protocol of the request: STS speaks XML, the others JSON."""
    if body.startswith(b"Action="):
        text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        answer = f"<ErrorResponse>{text}<RequestId>0-1</RequestId></ErrorResponse>".encode()
        _send(handler, status, answer, {"content-type": "text/xml"})
    else:
        _send(handler, status, json.dumps({"__type": code, "message": message}).encode())


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    handler.send_response(status)
    sent = {"content-type": "application/x-amz-json-1.1"} | {
        name.lower(): value for name, value in (headers or {}).items()
    }
    for name, value in sent.items():
        if name not in ("content-length", "transfer-encoding", "connection", "date", "server"):
            handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
