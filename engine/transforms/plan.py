"""What a feeder is told: which objects, which workers, and how records become requests and answers become objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

MB = 2**20


class Input(NamedTuple):
    """One object to transform.

    ``number`` counts the job's objects from 0, ``name`` is ``bucket/key`` as the data log names it, ``output`` the key of its result below
    the output path.
    """

    number: int
    name: str
    path: str
    size: int
    output: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of a feeder.

    ``inputs`` is a file with one `Input` a line, ``sockets`` the workers' sockets, ``outputs`` the directory for finished files.
    ``payload_mb`` is 0 when payloads are streamed whatever their size. ``moment`` is the inference time that records get with an id, "" for none.
    """

    inputs: str
    outputs: str
    sockets: list[str]
    content_type: str
    accept: str
    split: str
    single: bool
    gzip: bool
    lines: bool
    concurrency: int
    payload_mb: int
    timeout: float
    retries: int
    processing: dict[str, str] = field(default_factory=dict)
    moment: str = ""

    @property
    def limit(self) -> int:
        """Bytes that one payload may have; where payloads are streamed, what one record may have."""
        return (self.payload_mb or 100) * MB

    @property
    def streams(self) -> bool:
        """Whether an object is sent as one request, in chunks, without ever being in memory."""
        return self.payload_mb == 0 and not self.single

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


def save_inputs(path: Path, inputs: Iterator[Input]) -> None:
    """Write a list of objects, whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", errors="surrogateescape") as file:
        for item in inputs:
            file.write(json.dumps(item) + "\n")
    part.replace(path)


def load_inputs(path: Path) -> Iterator[Input]:
    """What `save_inputs` wrote, one at a time."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            yield Input(*json.loads(line))
