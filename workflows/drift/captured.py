"""Reads what an endpoint's data capture has stored: JSON lines below ``<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.drift.samples import MOST_CELLS, Samples, add, decoded
from workflows.observe.endpoints import describe
from workflows.observe.gateway import Gateway, answered
from workflows.observe.objects import lines, parts
from workflows.problem import Problem

MOST = 50_000
"""Records that are read at most: the newest of a window, the oldest of a baseline."""
MOST_LINES = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One captured request: when, by which variant, and the two parts as SageMaker wrote them (empty: not captured)."""

    time: float
    variant: str
    input: dict[str, Any]
    output: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """Records in the order of time. ``damaged`` counts lines that are no captured request."""

    records: tuple[Record, ...]
    destination: str
    files: int
    damaged: int = 0

    def samples(self, column: str = "") -> Samples:
        """The inputs as texts or rows; of very wide ones every second, third … record."""
        found = Samples()
        for record in self.records[:1]:
            add(found, *decoded(record.input), column) if record.input else None
        cells = sum(len(row) for row in found.rows) * len(self.records)
        for record in self.records[1 :: max(1, math.ceil(cells / MOST_CELLS))]:
            add(found, *decoded(record.input), column) if record.input else None
        return found

    def predictions(self) -> Samples:
        """The outputs as rows (a score, a label) or texts."""
        found = Samples()
        for record in self.records:
            add(found, *decoded(record.output)) if record.output else None
        return found


def destination(gateway: Gateway, endpoint: str) -> str:
    """Where an endpoint's data capture writes, without a slash at its end.

    Raises:
        Problem: There is no such endpoint, or it captures nothing.
    """
    detail = describe(gateway, endpoint)
    config = detail.raw.get("DataCaptureConfig") or detail.raw_config.get("DataCaptureConfig") or {}
    place = str(config.get("DestinationS3Uri") or "").rstrip("/")
    if not place:
        raise Problem(
            f"Endpoint {endpoint} captures no data, so there is nothing to compare.",
            "Give its endpoint configuration a DataCaptureConfig and update the endpoint.",
            "capture",
        )
    return place


def read(
    gateway: Gateway,
    endpoint: str,
    *,
    since: float | None = None,
    until: float | None = None,
    variant: str = "",
    place: str = "",
) -> Captured:
    """The captured requests of a span of time.

    Args:
        since: Epoch seconds; None: from the beginning.
        until: Epoch seconds, not included; None: to the end.
        variant: Only this one; empty: all.
        place: Where the capture writes; empty: as the endpoint says.

    Raises:
        Problem: Nothing is captured, or it cannot be read.
    """
    where = place or destination(gateway, endpoint)
    records: list[Record] = []
    damaged = files = 0
    for key, of in _files(gateway, f"{where}/{endpoint}/", since, until, variant):
        files += 1
        for line in lines(gateway, key):
            if not line.strip():
                continue
            record = _record(line, of)
            if record is None:
                damaged += 1
            elif (since is None or record.time >= since) and (until is None or record.time < until):
                records.append(record)
        if len(records) + damaged > MOST_LINES:
            raise Problem(
                f"More than {MOST_LINES:,} requests of {endpoint} were captured in this time.",
                "Narrow it with --since or --until.",
                "size",
            )
    records.sort(key=lambda record: record.time)
    return Captured(records=tuple(records), destination=where, files=files, damaged=damaged)


def _files(
    gateway: Gateway, base: str, since: float | None, until: float | None, variant: str
) -> Iterator[tuple[str, str]]:
    """(URI, variant) of the files whose hour touches the span. Keys sort by time below each variant."""
    bucket, prefix = parts(base)
    for name in [variant] if variant else _folders(gateway, bucket, prefix):
        below = f"{prefix}{name}/"
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": below}
        if since is not None:
            asked["StartAfter"] = below + _hour(since)
        last = None if until is None else below + _hour(until) + "/\uffff"
        while True:
            page = answered(gateway, "s3", "list_objects_v2", **asked)
            for item in page.get("Contents") or ():
                key = str(item["Key"])
                if last is not None and key > last:
                    break
                if key.endswith(".jsonl"):
                    yield f"s3://{bucket}/{key}", name
            if not page.get("NextContinuationToken"):
                break
            asked = {"Bucket": bucket, "Prefix": below, "ContinuationToken": page["NextContinuationToken"]}


def _folders(gateway: Gateway, bucket: str, prefix: str) -> list[str]:
    page = answered(gateway, "s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [str(item["Prefix"])[len(prefix) :].rstrip("/") for item in page.get("CommonPrefixes") or ()]


def _hour(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y/%m/%d/%H")


def _record(line: str, variant: str) -> Record | None:
    try:
        document = json.loads(line)
        data, about = document["captureData"], document["eventMetadata"]
        moment = datetime.fromisoformat(about["inferenceTime"])
        return Record(
            time=(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(),
            variant=variant,
            input=dict(data.get("endpointInput") or {}),
            output=dict(data.get("endpointOutput") or {}),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
