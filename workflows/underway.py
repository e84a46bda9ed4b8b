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
    """Something that has not been answered yet: since when (monotonic seconds), and what it is, as it stands after "Waiting for"."""

    since: float
    what: str


_waits: dict[int, Underway] = {}
_lock = threading.Lock()


def oldest() -> Underway | None:
    """What has been waited for longest; None: nothing is."""
    with _lock:
        return min(_waits.values(), key=lambda wait: wait.since, default=None)


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
        _waits[key] = Underway(time.monotonic(), what)


def _end(key: int) -> None:
    with _lock:
        _waits.pop(key, None)
