"""Captured requests and answers of endpoints: DataCapture's JSON lines in S3, newest first."""

from __future__ import annotations

import base64
import binascii
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from workflows.observe import objects
from workflows.observe.endpoints import describe
from workflows.observe.gateway import Gateway
from workflows.problem import Problem

MOST_FILE = 64 << 20
"""Bytes of one capture file that are read at most."""


@dataclass(frozen=True, slots=True)
class Content:
    """One side of a captured exchange; ``body`` is what went over the wire."""

    body: bytes
    content_type: str

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A captured exchange. A side that is not captured is None; ``time`` is epoch seconds; ``line`` that of its file ``uri``."""

    event_id: str
    inference_id: str
    time: float
    variant: str
    request: Content | None
    answer: Content | None
    uri: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an endpoint's captures are: ``uri`` is ``<destination>/<endpoint>``; ``percent`` of the requests are captured."""

    uri: str
    enabled: bool
    percent: int
    sides: tuple[str, ...]


def place(gateway: Gateway, endpoint: str) -> Place:
    """Where an endpoint captures.

    Raises:
        Problem: There is no such endpoint, or its configuration captures nothing.
    """
    found = place_of(endpoint, describe(gateway, endpoint).raw_config)
    if found is None:
        raise Problem(
            f"Endpoint {endpoint} does not capture its requests.",
            "A configuration with DataCaptureConfig switches it on: UpdateEndpoint to one.",
            "no-capture",
        )
    return found


def place_of(endpoint: str, config: Any) -> Place | None:
    """Where an endpoint with this configuration captures; None where it never does."""
    capture = config.get("DataCaptureConfig") or {}
    destination = str(capture.get("DestinationS3Uri") or "").rstrip("/")
    if not destination:
        return None
    return Place(
        uri=f"{destination}/{endpoint}",
        enabled=bool(capture.get("EnableCapture")),
        percent=int(capture.get("InitialSamplingPercentage") or 0),
        sides=tuple(str(option.get("CaptureMode")) for option in capture.get("CaptureOptions") or ()),
    )


def newest_first(
    gateway: Gateway, place: Place, variant: str = "", *, after: Capture | None = None
) -> Iterator[Capture]:
    """Captures of an endpoint, the newest file first, and in each file the newest line; read as they are asked for.

    Args:
        variant: Of this variant only.
        after: Those that come after this one.

    Raises:
        Problem: The bucket cannot be read.
    """
    variants = [f"{place.uri}/{variant}/"] if variant else objects.children(gateway, f"{place.uri}/")[0]
    files = heapq.merge(*(_files(gateway, prefix) for prefix in variants), key=_written, reverse=True)
    for uri in files:
        if after is not None and _written(uri) > _written(after.uri):
            continue
        own = uri.removeprefix(f"{place.uri}/").partition("/")[0]
        lines = objects.read_bytes(gateway, uri, MOST_FILE).splitlines()
        for number in range(len(lines) - 1, -1, -1):
            if lines[number].strip() and not (after and uri == after.uri and number >= after.line):
                yield parse(lines[number], own, uri, number)


@dataclass(frozen=True, slots=True)
class CapturePage:
    """Some captures, newest first. ``place`` is None where the endpoint's configuration never captures; ``more``: older ones follow."""

    place: Place | None
    captures: tuple[Capture, ...] = ()
    more: bool = False


def page(
    gateway: Gateway, endpoint: str, variant: str = "", *, after: Capture | None = None, most: int = 50
) -> CapturePage:
    """The newest captures of an endpoint, or those that come after one of them.

    Raises:
        Problem: There is no such endpoint, or the bucket cannot be read.
    """
    found = place_of(endpoint, describe(gateway, endpoint).raw_config)
    if found is None:
        return CapturePage(None)
    some = list(islice(newest_first(gateway, found, variant, after=after), most + 1))
    return CapturePage(found, tuple(some[:most]), len(some) > most)


def parse(line: bytes, variant: str = "", uri: str = "", number: int = 0) -> Capture:
    """One line of a capture file.

    Raises:
        Problem: It is no captured exchange.
    """
    try:
        found = json.loads(line)
        data, meta = found["captureData"], found["eventMetadata"]
        return Capture(
            event_id=str(meta["eventId"]),
            inference_id=str(meta.get("inferenceId") or ""),
            time=datetime.fromisoformat(str(meta["inferenceTime"])).timestamp(),
            variant=variant,
            request=_content(data.get("endpointInput")),
            answer=_content(data.get("endpointOutput")),
            uri=uri,
            line=number,
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Problem(
            f"{uri or 'A line'} holds something else than captured requests: {error}.",
            "Is the prefix used for something else too?",
            "captures",
        ) from error


def _content(side: Any) -> Content | None:
    if not side:
        return None
    data = str(side.get("data") or "")
    encoded = side.get("encoding") == "BASE64"
    body = base64.b64decode(data) if encoded else data.encode()
    return Content(body, str(side.get("observedContentType") or ""))


def _files(gateway: Gateway, prefix: str) -> Iterator[str]:
    """Capture files below ``<variant>/``, newest first; folders (``yyyy/mm/dd/hh``) are listed as they are needed."""
    folders, files = objects.children(gateway, prefix)
    yield from (item for item in reversed(files) if item.endswith(".jsonl"))
    for folder in reversed(folders):
        yield from _files(gateway, folder)


def _written(uri: str) -> list[str]:
    """What orders files of several variants by time: ``yyyy/mm/dd/hh/<file>``."""
    return uri.split("/")[-5:]
