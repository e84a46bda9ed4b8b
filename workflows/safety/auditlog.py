"""The audit log: every change that was asked for from here, with who, when, where, what and what came of it.

One file of JSON lines, ``<state>/audit.jsonl``, only for its owner. A change is written down before it is sent and once more when
its answer is there: one whose process was killed in between stands there as ``unknown``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workflows import locations
from workflows.safety.origin import origin
from workflows.trimming import trimmed

LARGEST = 8 * 1024 * 1024
"""Bytes after which the file is set aside as ``audit.1.jsonl``, which takes the place of an older one."""
_SECRET = re.compile(r"(secret|token|passw|credential|api_?key|private|webhook)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change.

    ``time`` is in epoch seconds. ``by`` is the command, ``console`` with its action, or the run that asked for it; ``result`` is ``ok``, an
    error code, ``read-only`` for what was refused here, or ``unknown`` where no answer came. ``service`` is an AWS service, or
    ``mlconsole`` for what is kept on this machine.
    """

    id: str
    time: float
    user: str
    host: str
    pid: int
    by: str
    target: str
    account: str
    region: str
    profile: str
    service: str
    operation: str
    resource: str
    parameters: dict[str, Any] = field(default_factory=dict)
    result: str = "unknown"
    message: str = ""
    seconds: float | None = None

    @property
    def failed(self) -> bool:
        """Whether it was not done."""
        return self.result not in ("ok", "unknown")


def path() -> Path:
    """The file of the log."""
    return locations.state_dir() / "audit.jsonl"


def older() -> Path:
    """What was set aside when the file grew too large."""
    return locations.state_dir() / "audit.1.jsonl"


def begin(
    service: str,
    operation: str,
    resource: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    target: str = "",
    account: str = "",
    region: str = "",
    profile: str = "",
) -> str:
    """Write down that a change is asked for; returns its id for `end`."""
    entry = Entry(
        secrets.token_hex(6), time.time(), _user(), socket.gethostname(), os.getpid(), origin(), target, account, region, profile,
        service, operation, resource, concealed(parameters or {}),
    )  # fmt: skip
    line = {name: value for name, value in asdict(entry).items() if value not in ("", {}, None)}
    line.pop("result")
    _append(line)
    return entry.id


def end(identifier: str, result: str = "ok", message: str = "", seconds: float | None = None) -> None:
    """Write down what came of it."""
    line: dict[str, Any] = {"id": identifier, "result": result}
    if message:
        line["message"] = message[:400]
    if seconds is not None:
        line["seconds"] = round(seconds, 3)
    _append(line)


def entries() -> list[Entry]:
    """All that is known, oldest first. Lines that cannot be read are left out."""
    found: dict[str, dict[str, Any]] = {}
    for file in (older(), path()):
        with contextlib.suppress(OSError), file.open("rb") as lines:
            for line in lines:
                _take(line, found)
    return list(_made(found))


def _take(line: bytes, found: dict[str, dict[str, Any]]) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        told = json.loads(line)
        found.setdefault(str(told["id"]), {}).update(told)


def _made(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Entry]:
    empty = {"user": "", "host": "", "pid": 0, "by": "", "target": "", "account": "", "region": "", "profile": "", "service": "", "resource": ""}  # fmt: skip
    known = {item.name for item in fields(Entry)}
    for told in found.values():
        if "time" in told and "operation" in told:
            yield Entry(**(empty | {name: value for name, value in told.items() if name in known}))  # type: ignore[arg-type]


def concealed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they may be kept: short, without bodies, and without the values of what is named like a secret."""
    hidden: dict[str, Any] = trimmed(_hidden(dict(parameters)))
    return hidden


def _hidden(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _hidden(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value[:21]]
    return "(hidden)" if isinstance(value, str) and value and name and _SECRET.search(name) else value


def _append(line: dict[str, Any]) -> None:
    """One line in one write: lines of several processes do not mix."""
    file = path()
    data = (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        if file.stat().st_size > LARGEST:
            _set_aside(file)
    with contextlib.suppress(OSError):  # a full disk must not keep anybody from deleting what bills
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)


def _set_aside(file: Path) -> None:
    """One process does, and looks once more before: another one that found the file too large would set aside the new one in its place, and
    with that all that was kept."""
    import fcntl

    handle = os.open(file.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if file.stat().st_size > LARGEST:
            file.replace(older())
    finally:
        os.close(handle)


def _user() -> str:
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in containers
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{name} ({behind})" if behind and behind != name else name
