"""Waiting for a state with polls that are short where they are free and few where the account has a budget."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from workflows.failures import Cancelled, WorkflowError


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between polls: from ``shortest``, growing by ``factor`` while nothing changes, up to ``longest``."""

    shortest: float
    longest: float
    factor: float
    jitter: float = 0.0


OUTAGE = 300.0
"""Seconds without a connection after which waiting is given up."""
EMBEDDED = Pace(shortest=0.1, longest=1.0, factor=1.3)
AWS = Pace(shortest=5.0, longest=30.0, factor=1.3, jitter=0.2)


def pace_of(target: str) -> Pace:
    """The pace for a target."""
    return AWS if target == "aws" else EMBEDDED


class Waiter:
    """Polls until something is so; ends at once when the run is cancelled."""

    def __init__(
        self,
        pace: Pace,
        cancelled: threading.Event,
        revive: Callable[[], bool] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``revive`` is called when no connection can be made, and says whether polling may go on."""
        self.pace = pace
        self._revive = revive
        self.cancelled = cancelled
        self._draw = draw

    def until(
        self, poll: Callable[[], tuple[bool, object]], what: str, timeout: float, cancellable: bool = True
    ) -> None:
        """Calls ``poll`` until it says it is done.

        Args:
            poll: Returns whether it is done, and anything that compares equal as long as nothing has changed.
            what: What is waited for, as it stands in the error.
            timeout: Seconds after which waiting ends.
            cancellable: Whether a cancelled run ends the wait; cleaning up goes on regardless.

        Raises:
            Cancelled: The run was asked to stop.
            WorkflowError: The time is over.
        """
        deadline = time.monotonic() + timeout
        from botocore import exceptions

        delay, last, lost = self.pace.shortest, object(), 0.0
        while True:
            if cancellable and self.cancelled.is_set():
                raise Cancelled
            try:
                done, news = poll()
                lost = 0.0
            except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
                lost = lost or time.monotonic()
                if self._revive is None or time.monotonic() - lost > OUTAGE or not self._revive():
                    raise
                done, news = False, type(error)
            if done:
                return
            delay = self.pace.shortest if news != last else min(self.pace.longest, delay * self.pace.factor)
            last = news
            if time.monotonic() >= deadline:
                raise WorkflowError(
                    f"{what} took longer than {timeout:.0f} s. Resume the run to go on waiting."
                )
            pause = delay * (1 + self.pace.jitter * (2 * self._draw() - 1))
            pause = max(0.01, min(pause, deadline - time.monotonic()))
            if cancellable:
                self.cancelled.wait(pause)
            else:
                time.sleep(pause)
