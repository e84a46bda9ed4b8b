"""Requests to a web app as a browser sends them: unsigned, over plain HTTP(S)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 40.0
"""Seconds; API Gateway answers within 29."""
SHOWN = 400
"""Characters of a body that an exchange shows."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names in lower case. ``asked`` and ``answered`` are the exchange for people, long bodies cut."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: str = ""
    answered: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON; empty where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def send(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """One request.

    Raises:
        OSError: There is no connection.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    sent = dict(headers or {})
    try:
        line.request(method, path, body or None, sent)
        answer = line.getresponse()
        received = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"the answer was broken off: {error}") from error
    finally:
        line.close()
    asked = [
        f"{method} {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in sent.items()),
    ]
    told = [
        f"HTTP/1.1 {answer.status} {answer.reason}",
        *(f"{name}: {value}" for name, value in answer.getheaders()),
    ]
    return Reply(
        answer.status,
        {name.lower(): value for name, value in answer.getheaders()},
        received,
        "\n".join([*asked, "", _cut(body)]).strip(),
        "\n".join([*told, "", _cut(received)]).strip(),
    )


def ask(url: str, review: str) -> Reply:
    """What the web app at ``url`` (a stage, with a slash at its end) says of a review; as the page asks it.

    Raises:
        OSError: There is no connection.
    """
    body = json.dumps({"review": review}).encode()
    return send("POST", f"{url}verdict", body, {"Content-Type": "application/json", "Origin": "null"})


def _cut(body: bytes) -> str:
    text = body[: 4 * SHOWN].decode("utf-8", "replace")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(body):,} bytes)"
