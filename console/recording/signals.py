"""Signals as something that can be waited for beside descriptors."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def wakening(*numbers: int) -> Iterator[int]:
    """A descriptor from which the numbers of signals that came are read as bytes, for a ``with`` block; it never blocks."""
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    old = signal.set_wakeup_fd(writing)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
