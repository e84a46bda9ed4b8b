"""What was seen of a target, in words: for the table of the command and for that of the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflows.problem import Problem
from workflows.targets.glance import Glance, Tally

KINDS = {
    "expired": "expired", "ExpiredToken": "expired", "ExpiredTokenException": "expired", "RequestExpired": "expired",
    "credentials": "no keys", "region": "no region", "timeout": "no answer", "unreachable": "no network", "engine": "stopped",
    "RegionDisabledException": "disabled", "OptInRequired": "disabled",
}  # fmt: skip
"""A problem's code in a word or two; what is not here is denied, throttled or failed."""


def state(glance: Glance) -> tuple[str, str]:
    """Glyph and word, and the role that colours them."""
    if glance.problem is not None:
        return failure(glance.problem)
    return ("! in part", "wait") if glance.notes else ("✓ ok", "ok")


def failure(problem: Problem) -> tuple[str, str]:
    """The same of what kept from a look."""
    code = problem.code
    if code in KINDS:
        return f"✗ {KINDS[code]}", "bad"
    if code.startswith(("AccessDenied", "Unauthorized", "NotAuthorized")):
        return "✗ denied", "bad"
    return ("✗ throttled", "bad") if code.startswith(("Throttl", "TooMany")) else ("✗ failed", "bad")


def _severity(glance: Glance) -> tuple[int, str] | None:
    """What needs somebody most is largest; None before there was an answer."""
    if glance.problem is None and not glance.at:
        return None
    return (2 if glance.problem is not None else 1 if glance.notes else 0), state(glance)[0]


def _counted(found: Tally | None) -> tuple[int, bool] | None:
    return None if found is None else (found.count, found.more)


def _hosted(glance: Glance) -> tuple[int, bool] | None:
    ends = glance.endpoints
    return None if ends is None else (ends.in_service + ends.changing + ends.failed, ends.more)


def _dollars(glance: Glance) -> float | None:
    rate = glance.hourly
    return None if rate is None or (rate.unknown and not rate.dollars) else rate.dollars


ORDERS: Mapping[str, Callable[[Glance], Any]] = {
    "target": lambda glance: str(glance.entry),
    "region": lambda glance: glance.region or None,
    "account": lambda glance: glance.account or None,
    "state": _severity,
    "training": lambda glance: _counted(glance.training),
    "tuning": lambda glance: _counted(glance.tuning),
    "transform": lambda glance: _counted(glance.transform),
    "endpoints": _hosted,
    "cost": _dollars,
}
"""What targets can be sorted by. None stands for what is not known, such as the figures of one that has not answered."""
LARGEST_FIRST = ("state", "training", "tuning", "transform", "endpoints", "cost")
"""What is read from its largest on: what runs, what costs, and what needs somebody."""


def tally(found: Tally | None) -> str:
    """``3``, ``100+``; a dash for what could not be had."""
    return "–" if found is None else str(found)


def endpoints(glance: Glance, *, short: bool = False) -> str:
    """``3 up``, ``3 up 1 changing 2 failed`` (short: ``2✗ 1↻ 3 up``, what needs somebody first), ``none``; empty where nothing is known."""
    found = glance.endpoints
    if found is None:
        return ""
    words = (" up", "↻", "✗") if short else (" up", " changing", " failed")
    numbers = (found.in_service, found.changing, found.failed)
    parts = [f"{number}{word}" for number, word in zip(numbers, words, strict=True) if number]
    return (" ".join(reversed(parts) if short else parts) or "none") + (" …" if found.more else "")


def price(glance: Glance) -> str:
    """What is up costs an hour: ``$0.230``, ``>$1.200`` where not all was looked at, ``no price``; empty where nothing is known."""
    rate = glance.hourly
    if rate is None:
        return ""
    if rate.unknown and not rate.dollars:
        return "no price"
    amount = rate.dollars
    if 0 < amount < 10:
        shown = f"${amount:.3f}"
    else:
        shown = f"${amount:,.2f}" if 0 < amount < 100 else f"${amount:,.0f}"
    return f">{shown}" if glance.at_least or rate.unknown else shown
