"""The binary event stream of ``application/vnd.amazon.eventstream``."""

from __future__ import annotations

import json
import logging
import struct
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from engine.errors import ServiceError

_STRING = 7
_FAILURE = "InternalStreamFailure"
"""What a stream that the model lets end with it says when the engine itself failed."""

_log = logging.getLogger("engine")


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: prelude (total and header length, their CRC-32), headers, payload, CRC-32 of all before it."""
    encoded = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", _STRING, len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + payload
    return message + struct.pack(">I", zlib.crc32(message))


async def frames(shape: Any, events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Each event ``{name: members}`` as a frame. A `ServiceError` on the way becomes the exception frame that ends the stream."""
    try:
        async for event in events:
            for name, members in event.items():
                yield _event(name, shape.members[name], members)
    except ServiceError as error:
        yield _exception(error.code, {"Message": error.message, **error.fields})
    except Exception:
        if _FAILURE not in shape.members:
            raise
        _log.exception("a stream failed")
        yield _exception(_FAILURE, {"Message": "The stream failed; the traceback is in the engine's log."})
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()


def _exception(code: str, members: Mapping[str, Any]) -> bytes:
    headers = {":message-type": "exception", ":exception-type": code, ":content-type": "application/json"}
    return frame(headers, json.dumps(members).encode())


def _event(name: str, shape: Any, members: dict[str, Any]) -> bytes:
    payload = next(
        (key for key, member in shape.members.items() if member.serialization.get("eventpayload")), None
    )
    headers = {":message-type": "event", ":event-type": name}
    if payload is not None and shape.members[payload].type_name == "blob":
        return frame({**headers, ":content-type": "application/octet-stream"}, members.get(payload, b""))
    return frame({**headers, ":content-type": "application/json"}, json.dumps(members).encode())
