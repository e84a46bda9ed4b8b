"""Long computations give way to a key: the threads of a process share one interpreter, and who computes holds it.

Between a key and the picture that answers it, whoever goes through thousands of things waits. `begin` and `end` are called by
who draws; in a process that draws nothing, nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

LONGEST = 0.05
"""Seconds that a key is waited for: it may have changed nothing that is drawn."""
TURN = 256
"""Things that are gone through between two looks at whether a key has come: a fraction of a millisecond."""
INTERVAL = 0.001
"""Seconds after which a thread that computes hands the interpreter to one that waits, Python's own are 5 ms. A key changes
threads four times until it is drawn: 71 ms beside a flooded log with 5 ms, 51 with 1 ms (p95, four runs in turn)."""

_until = 0.0


def begin() -> None:
    """A key has come."""
    global _until
    _until = monotonic() + LONGEST


def end() -> None:
    """What it did is drawn."""
    global _until
    _until = 0.0


def give_way() -> None:
    """Wait while a key is being answered, but not for ever: somebody may lean on one."""
    last = monotonic() + LONGEST
    while monotonic() < min(_until, last):
        sleep(0.001)


def in_turns(things: Iterable[T]) -> Iterator[T]:
    """The things one by one, giving way now and then."""
    for number, thing in enumerate(things):
        if not number % TURN:
            give_way()
        yield thing
