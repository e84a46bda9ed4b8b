"""Requests as no client library would send them: bytes on a socket."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from engine.connection import Connection
from engine.protocol import signature
from engine.protocol.signature import Claim


@dataclass
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(
    connection: Connection, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Answer:
    """Send a request whose target goes on the wire exactly as given."""
    lines = {
        "host": f"{connection.host}:{connection.port}",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in lines.items()
    )
    with socket.create_connection((connection.host, connection.port), timeout=30) as wire:
        wire.sendall(head.encode("latin-1") + b"connection: close\r\n\r\n" + body)
        data = b""
        while chunk := wire.recv(65536):
            data += chunk
    top, _, rest = data.partition(b"\r\n\r\n")
    first, *others = top.decode("latin-1").split("\r\n")
    found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in others)}
    return Answer(int(first.split()[1]), found, rest)


def signed(
    connection: Connection,
    method: str,
    target: str,
    *,
    scope: str = "s3",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    secret: str | None = None,
    moment: datetime | None = None,
) -> Answer:
    """Send a request signed over its target exactly as given."""
    parts = urlsplit(target)
    stamp = (moment or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    lines = {"host": f"{connection.host}:{connection.port}", "x-amz-date": stamp, **(headers or {})}
    if scope == "s3":
        lines["x-amz-content-sha256"] = digest
    names = ";".join(sorted(lines))
    told = Claim("header", connection.access_key, "", stamp[:8], connection.region, scope, stamp, names)
    path, _, query = target.partition("?")
    uri, pairs = signature._canonical_forms(told, path, query)[0]
    key = signature.signing_key(secret or connection.secret_key, stamp[:8], connection.region, scope)
    value = signature._sign(told, key, method, uri, pairs, lines, digest)
    credential = f"{connection.access_key}/{stamp[:8]}/{connection.region}/{scope}/aws4_request"
    lines["authorization"] = (
        f"{signature.ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={value}"
    )
    assert parts.scheme in ("", "http")
    return send(connection, method, target, lines, body)
