"""What is waited for in this process, mostly AWS calls: for who waits at a terminal and wants to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Underway:
    """Something that has not been answered yet: since when (monotonic seconds), what it is, as it stands after "Waiting for", and
    the name of the thread that waits."""

    since: float
    what: str
    thread: str = ""


_waits: dict[int, Underway] = {}
_lock = threading.Lock()


def oldest(thread: str = "") -> Underway | None:
    """What has been waited for longest, by threads of this name or by any; None: nothing is."""
    with _lock:
        waits = [wait for wait in _waits.values() if not thread or wait.thread == thread]
    return min(waits, key=lambda wait: wait.since, default=None)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """``what`` is waited for while the block runs."""
    key = object()
    _begin(id(key), what)
    try:
        yield
    finally:
        _end(id(key))


def follow(core: Any) -> None:
    """Take note of the calls of every client that is made from a botocore session from now on."""

    def began(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        host = "/".join(str(params.get("url") or "").split("/")[:3])
        _begin(id(context), f"{model.service_model.service_name} {model.name} at {host}")

    def ended(context: dict[str, Any], **_: Any) -> None:
        _end(id(context))

    core.register("before-call.*.*", began)
    core.register("after-call.*.*", ended)
    core.register("after-call-error.*.*", ended)


def _begin(key: int, what: str) -> None:
    with _lock:
        _waits[key] = Underway(time.monotonic(), what, threading.current_thread().name)


def _end(key: int) -> None:
    with _lock:
        _waits.pop(key, None)
