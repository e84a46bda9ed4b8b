"""The connection file: how to reach the engine of a data directory, there only while one runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.credentials import write_private


@dataclass(frozen=True, slots=True)
class Connection:
    """Where an engine answers and with which keys. ``nonce`` is new with every start and is what its health answer says too."""

    url: str
    host: str
    port: int
    pid: int
    nonce: str
    started: float
    version: str
    region: str
    account_id: str
    access_key: str
    secret_key: str
    role_arn: str
    default_bucket: str
    data_dir: str
    time_scale: float
    test_mode: bool

    def write(self, path: Path) -> None:
        """Write the file with mode 0600, atomically."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")


def read(path: Path) -> Connection | None:
    """The connection that the file tells of; None when there is no file or it is no connection file.

    It may be stale: ask `engine.daemon.running` whether that engine answers.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        return Connection(**{name: loaded[name] for name in Connection.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
