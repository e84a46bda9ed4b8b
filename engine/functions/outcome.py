"""What became of an invocation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

PAYLOAD_LIMIT = 6 * 2**20
"""Bytes of a synchronous request and of an answer (Lambda's quota, 6 MB)."""
EVENT_LIMIT = 2**20
"""Bytes of an asynchronous request (Lambda's quota, 1 MB)."""
ANSWER_LIMIT = PAYLOAD_LIMIT + 100
"""Where Lambda really refuses an answer: 6,291,556 bytes."""


@dataclass(slots=True)
class Outcome:
    """An invocation's answer. ``error`` is ``Unhandled`` when the function failed, ``tail`` the last 4 KB of its log."""

    payload: bytes
    error: str = ""
    tail: bytes = b""
    version: str = ""
    milliseconds: float = 0.0


class Invocation(NamedTuple):
    """What an execution environment is asked. ``deadline`` is in milliseconds since the epoch."""

    request_id: str
    arn: str
    payload: bytes
    client_context: str = ""
    trace: str = ""


def failed(kind: str, message: str) -> bytes:
    """The error document of a failure that the runtime did not report itself."""
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def too_large(size: int) -> bytes:
    """An answer beyond the limit."""
    return failed(
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes).",
    )
