"""The engine's own log file: what it logs and whatever it or its libraries print, bounded in size."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(message)s"
_LARGEST = 5 * 2**20
_KEPT = 3
_FOLLOW_SECONDS = 0.2


class _LogFile(RotatingFileHandler):
    """A rotating log that takes the process's standard output and error along."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")
        self._take_output()

    def doRollover(self) -> None:
        super().doRollover()
        self._take_output()

    def _take_output(self) -> None:
        Path(self.baseFilename).chmod(0o600)
        sys.stdout.flush()
        sys.stderr.flush()
        if self.stream is not None:
            for descriptor in (1, 2):
                os.dup2(self.stream.fileno(), descriptor)


def to_file(path: Path) -> None:
    """Send the log, standard output and standard error to ``path``."""
    handler = _LogFile(path)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def to_terminal() -> None:
    """Send the log to standard error."""
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)


_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) ([A-Z]+) (.*)", re.DOTALL)


def read(line: str) -> dict[str, str | float | None]:
    """``time`` (epoch seconds), ``level`` and ``message`` of a line; the first two are unknown where it goes on from the one before."""
    found = _LINE.fullmatch(line)
    if found is None:
        return {"time": None, "level": None, "message": line}
    at = time.mktime(time.strptime(found[1], "%Y-%m-%d %H:%M:%S")) + int(found[2]) / 1000
    return {"time": at, "level": found[3], "message": found[4]}


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of the log, also from the file before when the log was just rotated."""
    found: list[str] = []
    for file in (path.with_name(f"{path.name}.1"), path):
        if file.exists():
            found += file.read_text(encoding="utf-8", errors="replace").splitlines()
    return found[-lines:] if lines > 0 else []


def follow(path: Path) -> Iterator[str]:
    """Lines as they come, from now on, through rotations; without end."""
    file = path.open("rb") if path.exists() else None
    if file is not None:
        file.seek(0, os.SEEK_END)
    rest = b""
    while True:
        data = file.read() if file is not None else b""
        if data:
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
            continue
        if path.exists() and (file is None or os.fstat(file.fileno()).st_ino != path.stat().st_ino):
            if file is not None:
                file.close()
            file = path.open("rb")
            continue
        time.sleep(_FOLLOW_SECONDS)
