"""AWS's error documents, as its services answer them over HTTP, from a server of a few lines.

The texts are those that AWS documents and sends ("Common errors" of the SageMaker and the STS API reference, "Error responses"
of the S3 API reference): JSON 1.1 for SageMaker, Logs and autoscaling, query XML for STS and IAM, REST-XML for S3.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "123456789012"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Engineer/jane"
REQUEST = "c6104cbe-af31-11e0-8154-cbc7ccf896c7"
INVALID, EXPIRED = (
    "The security token included in the request is invalid.",
    "The security token included in the request is expired",
)
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>{CALLER}</Arn><UserId>AROAEXAMPLE:jane</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
    f"<ResponseMetadata><RequestId>{REQUEST}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
SILENT = 5.0
"""Seconds for which the kind ``silent`` gives no answer."""
KNOWN = frozenset({"denied", "denied by the organization", "throttled", "token ends", "silent"})
"""Kinds of refusal in which STS still tells who one is: GetCallerIdentity needs no permission."""


@dataclass(slots=True)
class Refusing:
    """A server that refuses all but GetCallerIdentity, in the way that ``kind`` says; ``calls`` are those it got."""

    kind: str
    url: str = ""
    calls: list[str] = field(default_factory=list)

    def answer(self, service: str, operation: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        self.calls.append(f"{service}:{operation}")
        if service == "sts" and self.kind in KNOWN:
            return 200, "text/xml", IDENTITY.encode()
        if self.kind == "silent":
            time.sleep(SILENT)
        if service in ("sts", "iam"):
            return self._query(service)
        if service == "s3":
            return self._s3()
        return self._json(service, operation)

    def _query(self, service: str) -> tuple[int, str, bytes]:
        code, text = {
            "expired": ("ExpiredToken", EXPIRED),
            "token ends": ("ExpiredToken", EXPIRED),
            "region": ("InvalidClientTokenId", INVALID[:-1]),
            "throttled": ("Throttling", "Rate exceeded"),
        }.get(self.kind, ("AccessDenied", f"User: {CALLER} is not authorized to perform: iam:ListRoles"))
        body = (
            f'<ErrorResponse xmlns="https://{service}.amazonaws.com/doc/"><Error><Type>Sender</Type><Code>{code}</Code>'
            f"<Message>{text}</Message></Error><RequestId>{REQUEST}</RequestId></ErrorResponse>"
        )
        return (400 if code == "Throttling" else 403), "text/xml", body.encode()

    def _s3(self) -> tuple[int, str, bytes]:
        status, code, text = {
            "expired": (400, "ExpiredToken", "The provided token has expired."),
            "token ends": (400, "ExpiredToken", "The provided token has expired."),
            "region": (
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            "throttled": (503, "SlowDown", "Please reduce your request rate."),
        }.get(self.kind, (403, "AccessDenied", "Access Denied"))
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message>'
            f"<RequestId>{REQUEST[:16]}</RequestId><HostId>eftixk72aD6Ap51T</HostId></Error>"
        )
        return status, "application/xml", body.encode()

    def _json(self, service: str, operation: str) -> tuple[int, str, bytes]:
        action = f"{service}:{operation}"
        why = (
            "with an explicit deny in a service control policy"
            if self.kind == "denied by the organization"
            else f"because no identity-based policy allows the {action} action"
        )
        code, text = {
            "expired": ("ExpiredTokenException", EXPIRED),
            "token ends": ("ExpiredTokenException", EXPIRED),
            "region": ("UnrecognizedClientException", INVALID),
            "throttled": ("ThrottlingException", "Rate exceeded"),
        }.get(
            self.kind,
            ("AccessDeniedException", f"User: {CALLER} is not authorized to perform: {action} {why}"),
        )
        return 400, "application/x-amz-json-1.1", json.dumps({"__type": code, "Message": text}).encode()


@contextmanager
def refusing(kind: str) -> Iterator[Refusing]:
    """The server on a free port of loopback, for as long as the block lasts."""
    state = Refusing(kind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
            scope = re.search(r"Credential=[^/]+/\d+/[\w-]+/([\w-]+)/", self.headers.get("Authorization", ""))
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            action = re.search(r"Action=(\w+)", body)
            operation = target or (action.group(1) if action else self.path.rpartition("/")[2])
            status, content, answer = state.answer(scope.group(1) if scope else "", operation)
            self.send_response(status)
            self.send_header("Content-Type", content)
            self.send_header("x-amzn-RequestId", REQUEST)
            self.send_header("Content-Length", "0" if self.command == "HEAD" else str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                with suppress(ConnectionError):  # who asked has given up
                    self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = respond

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
