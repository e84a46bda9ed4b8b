"""What was seen of a target, in words: for the table of the command and for that of the screen."""

from __future__ import annotations

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
