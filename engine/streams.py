"""CloudWatch Logs' groups and streams as append-only files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class LogStore:
    """Log groups, streams and events, appended as they come and read from both ends."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clear(self) -> None: ...
    def close(self) -> None: ...
    def append(self, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None: ...
    def tail(self, group: str, stream: str, lines: int) -> list[str]: ...
