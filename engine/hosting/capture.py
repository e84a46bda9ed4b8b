"""DataCaptureConfig: what went in and out of an endpoint, as JSON lines in S3, kept through a crash.

A request only puts its bytes into a queue. One thread makes the line, appends it to a journal below ``captures/`` and, when the
journal is old or large enough, makes it an object in S3. What is in a journal survives ``kill -9``: the next engine stores it. What a crash
may lose is the queue, a few milliseconds of requests.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import queue
import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import ServiceError
from engine.hosting.answers import ATTRIBUTES, INFERENCE_ID
from engine.hosting.artifacts import split_uri

if TYPE_CHECKING:
    from engine.context import Engine

FLUSH_SECONDS = 120.0
"""Declared seconds after which a journal becomes an object; AWS says "minutes"."""
FLUSH_BYTES = 4 * 2**20
SHORTEST_FLUSH = 0.5
"""Seconds; below that a small time scale would make an object of every request."""
QUEUED_BYTES = 64 * 2**20
"""What may wait for the writer; further requests are answered but not captured, as on a busy instance of AWS."""
OCTETS = "application/octet-stream"

log = logging.getLogger(__name__)


class Line(NamedTuple):
    """One captured request and a variant's answer to it."""

    capture: Capture
    variant: str
    event: Event
    content_type: str
    body: bytes


@dataclass(slots=True)
class Event:
    """A request that is captured. Its shadow's copy has the same ``event_id``, so that both can be compared."""

    capture: Capture
    event_id: str
    moment: float
    content_type: str
    body: bytes
    inference_id: str | None
    attributes: str | None

    def keep(self, variant: str, content_type: str, body: bytes) -> None:
        """Capture the request with a variant's answer to it."""
        self.capture.writer.put(Line(self.capture, variant, self, content_type, body))


class Capture:
    """One endpoint's DataCaptureConfig, read once."""

    def __init__(self, writer: Writer, endpoint: str, config: Mapping[str, Any]) -> None:
        self.writer = writer
        self.endpoint = endpoint
        self.bucket, prefix = split_uri(config["DestinationS3Uri"])
        self.prefix = prefix.strip("/")
        self.share: float = config["InitialSamplingPercentage"] / 100
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self.input = not modes.isdisjoint(("Input", "InputAndOutput"))
        self.output = not modes.isdisjoint(("Output", "InputAndOutput"))
        types = config.get("CaptureContentTypeHeader") or {}
        self.csv = frozenset(kind.lower() for kind in types.get("CsvContentTypes") or ())
        self.json = frozenset(kind.lower() for kind in types.get("JsonContentTypes") or ())

    def chosen(self, rng: random.Random) -> bool:
        """Whether the next request is in the sample."""
        return self.share >= 1 or rng.random() < self.share

    def begin(self, headers: Mapping[str, str], body: bytes) -> Event:
        """A request of the sample; ``headers`` have lower-case names."""
        return Event(
            self,
            str(uuid.uuid4()),
            self.writer.now(),
            headers.get("content-type", ""),
            body,
            headers.get(INFERENCE_ID),
            headers.get(ATTRIBUTES),
        )

    def encoded(self, content_type: str, data: bytes) -> tuple[str, str]:
        """A body as the line holds it, and the encoding's name: CSV or JSON for the listed content types, else BASE64.

        Parameters of the content type (``; charset=utf-8``) do not matter unless they are listed, too; what is not UTF-8 is BASE64.
        """
        whole = content_type.strip().lower()
        kinds = {whole, whole.partition(";")[0].strip()}
        name = "CSV" if kinds & self.csv else "JSON" if kinds & self.json else ""
        if name:
            try:
                return data.decode("utf-8"), name
            except UnicodeDecodeError:
                pass
        return base64.b64encode(data).decode("ascii"), "BASE64"

    def line(self, item: Line) -> bytes:
        """The JSON line of a captured request, newline included."""
        event = item.event
        data: dict[str, Any] = {}
        for wanted, name, mode, kind, body in (
            (self.input, "endpointInput", "INPUT", event.content_type, event.body),
            (self.output, "endpointOutput", "OUTPUT", item.content_type, item.body),
        ):
            if wanted:
                kind = kind or OCTETS
                text, encoding = self.encoded(kind, body)
                data[name] = {
                    "observedContentType": kind,
                    "mode": mode,
                    "data": text,
                    "encoding": encoding,
                }
        about: dict[str, Any] = {"eventId": event.event_id}
        if event.attributes:
            about["customAttributes"] = [event.attributes]
        if event.inference_id:
            about["inferenceId"] = event.inference_id
        about["inferenceTime"] = _utc(event.moment).strftime("%Y-%m-%dT%H:%M:%SZ")
        whole = {"captureData": data, "eventMetadata": about, "eventVersion": "0"}
        return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def key(self, variant: str, moment: float) -> str:
        """The key of an object that begins with a request of this moment."""
        when = _utc(moment)
        name = f"{when:%M-%S}-{when.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        parts = (self.prefix, self.endpoint, variant, f"{when:%Y/%m/%d/%H}", name)
        return "/".join(part for part in parts if part)


@dataclass(slots=True)
class Journal:
    """A file that becomes the object that its first line names. ``opened`` is `time.monotonic`, ``hour`` hours since the epoch."""

    path: Path
    opened: float
    hour: int
    descriptor: int
    size: int = field(default=0)


class Writer:
    """The thread that writes what is captured, for all endpoints.

    Args:
        folder: Where journals lie.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._queue: queue.SimpleQueue[Line | threading.Event | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._dropped = 0
        self._journals: dict[tuple[str, str, str, str], Journal] = {}
        self._thread: threading.Thread | None = None
        scaled = FLUSH_SECONDS * engine.clock.scale
        self._seconds = max(SHORTEST_FLUSH, scaled)

    def of(self, endpoint: str, config: Mapping[str, Any] | None) -> Capture | None:
        """What captures an endpoint's requests by its DataCaptureConfig; None when it captures nothing."""
        if not config or not config.get("EnableCapture", True) or not config["InitialSamplingPercentage"]:
            return None
        return Capture(self, endpoint, config)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._engine.clock.time()

    def recover(self) -> None:
        """Store the journals that an engine that was killed left behind."""
        for path in sorted(self._folder.glob("*.jsonl")):
            self._settle(path)

    def put(self, line: Line) -> None:
        """Capture a request; returns at once."""
        size = len(line.body) + len(line.event.body)
        with self._lock:
            if self._waiting + size > QUEUED_BYTES and self._waiting:
                self._dropped += 1
                return
            self._waiting += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="data-capture", daemon=True)
                self._thread.start()
        self._queue.put(line)

    def flush(self) -> None:
        """Store everything captured so far; blocks until it is."""
        with self._lock:
            if self._thread is None:
                return
        done = threading.Event()
        self._queue.put(done)
        done.wait()

    def stop(self) -> None:
        """Store everything and end."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def forget(self) -> None:
        """Drop everything (test mode's reset, after `stop`)."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=self._pause())
            except queue.Empty:
                self._store_due()
                continue
            if item is None or isinstance(item, threading.Event):
                for place in list(self._journals):
                    self._close(place)
                if item is None:
                    return
                item.set()
                continue
            try:
                self._append(item)
            except Exception:
                log.exception("A request could not be captured.")
            with self._lock:
                self._waiting -= len(item.body) + len(item.event.body)
                dropped, self._dropped = self._dropped, 0
            if dropped:
                log.warning("%d requests were not captured: more came than could be written.", dropped)
            self._store_due()

    def _pause(self) -> float | None:
        """Seconds until the oldest journal is due; None when there is none."""
        if not self._journals:
            return None
        oldest = min(journal.opened for journal in self._journals.values())
        return max(0.01, oldest + self._seconds - time.monotonic())

    def _append(self, item: Line) -> None:
        capture, moment = item.capture, item.event.moment
        place = (capture.bucket, capture.prefix, capture.endpoint, item.variant)
        data = capture.line(item)
        journal = self._journals.get(place)
        if journal is not None and journal.hour != int(moment // 3600):
            self._close(place)
            journal = None
        if journal is None:
            journal = self._journals[place] = self._open(capture, item.variant, moment)
        # One write to a file that only grows: it is whole there or not at all when the process is killed in between.
        os.write(journal.descriptor, data)
        journal.size += len(data)
        if journal.size >= FLUSH_BYTES:
            self._close(place)

    def _open(self, capture: Capture, variant: str, moment: float) -> Journal:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = capture.key(variant, moment)
        path = self._folder / f"{time.time_ns()}-{uuid.uuid4().hex}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.write(descriptor, json.dumps({"bucket": capture.bucket, "key": key}).encode() + b"\n")
        return Journal(path, time.monotonic(), int(moment // 3600), descriptor)

    def _store_due(self) -> None:
        now = time.monotonic()
        for place, journal in list(self._journals.items()):
            if now - journal.opened >= self._seconds:
                self._close(place)

    def _close(self, place: tuple[str, str, str, str]) -> None:
        journal = self._journals.pop(place)
        os.close(journal.descriptor)
        self._settle(journal.path)

    def _settle(self, path: Path) -> None:
        try:
            self._store(path)
        except ServiceError as error:
            # Its bucket is gone: nobody will come for it.
            log.warning("Captured data was dropped: %s", error.message)
            path.unlink(missing_ok=True)
        except Exception:
            log.exception("Captured data could not be stored yet: %s", path)

    def _store(self, path: Path) -> None:
        """Make a journal the object that its first line names, and remove it; a broken last line is dropped."""
        head, _, lines = path.read_bytes().partition(b"\n")
        lines = lines[: lines.rfind(b"\n") + 1]
        if lines:
            told = json.loads(head)
            self._engine.objects.put_bytes(told["bucket"], told["key"], lines, "application/json")
        path.unlink()


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
