"""Clients that ask again only after a while: their question is worth holding until there is something to tell."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from engine.store import Resource

HOLD_SECONDS = 20.0
"""How long an answer may be held: the SDKs give up reading after 60 s."""

_SDKS = ("lib/aws-sagemaker-python-sdk", "lib/aws-sagemakercore")
# botocore lists the features that a call uses; B is a waiter, which asks every 30 to 120 s.
_WAITER = re.compile(r"(?:^|\s)m/(?:[^\s,]+,)*B(?:,|\s|$)")


def patient(headers: Mapping[str, str]) -> bool:
    """Whether the request comes from one of the SageMaker SDKs or from a waiter of botocore (headers by lower-case name).

    The workflows' own waiting asks often and reports what it sees: it says ``app/mlconsole`` and is answered at once.
    """
    agent = headers.get("user-agent", "")
    if "app/mlconsole" in agent:
        return False
    return any(sdk in agent.lower() for sdk in _SDKS) or _WAITER.search(agent) is not None


async def held(
    find: Callable[[], Resource],
    change: Callable[[str, float], Awaitable[None]],
    news: Callable[[Resource], bool],
    seconds: float,
) -> Resource:
    """A resource when it is worth telling, or as it is after ``seconds``.

    Args:
        find: Looks it up; what it raises ends the waiting.
        change: Returns when the resource with a name changes, at the latest after so many seconds.
        news: Whether it is worth telling.
    """
    deadline = time.monotonic() + seconds
    found = find()
    while not news(found) and (left := deadline - time.monotonic()) > 0:
        await change(found.name, left)
        found = find()
    return found


class Told:
    """The state in which clients were last told that resources are; those that were told of longest ago are forgotten.

    Args:
        most: How many are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._states: OrderedDict[tuple[str, ...], str] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> str | None:
        """What was told last, None when that is not known."""
        return self._states.get(key)

    def remember(self, key: tuple[str, ...], state: str) -> None:
        """Take down what is told now."""
        self._states[key] = state
        self._states.move_to_end(key)
        while len(self._states) > self._most:
            self._states.popitem(last=False)
