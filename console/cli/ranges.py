"""Searched hyperparameters as they are written on a command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workflows.observe.tuning_rows import Range, Scaling

SCALES: dict[str, Scaling] = {
    "auto": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "reverse-log": "ReverseLogarithmic",
}
HELP = "What to search: eta=0.1:0.5, rate=1e-4:1:log, depth=3:12 (whole numbers), kind=a,b,c. Again for more."


def parse_ranges(texts: tuple[str, ...]) -> tuple[Range, ...]:
    """The ranges; a name that comes twice is an error.

    Raises:
        click.BadParameter: A text is no range.
    """
    found = tuple(parse_range(text) for text in texts)
    names = [item.name for item in found]
    for name in names:
        if names.count(name) > 1:
            raise click.BadParameter(f"{name} comes twice.", param_hint="--range")
    return found


def parse_range(text: str) -> Range:
    """``name=low:high[:scale]`` (whole numbers where both bounds are written so), or ``name=value,value``.

    Raises:
        click.BadParameter: The text is neither.
    """
    from workflows.tuning.request import categorical, continuous, integer

    name, equals, body = text.partition("=")
    name = name.strip()
    if not (name and equals and body):
        raise _bad(text, "it is no assignment")
    if ":" not in body:
        values = tuple(value.strip() for value in body.split(","))
        if not all(values):
            raise _bad(text, "a value is empty")
        if len(set(values)) < len(values):
            raise _bad(text, "a value comes twice")
        return categorical(name, values)
    low, high, scale, *more = [*(part.strip() for part in body.split(":")), "auto"][:4]
    if more and more[0] != "auto":
        raise _bad(text, "there is more than low:high:scale")
    if scale not in SCALES:
        raise _bad(text, f"{scale!r} is none of {', '.join(SCALES)}")
    if _whole(low) and _whole(high):
        bounds = int(low), int(high)
        _check(text, *bounds, scale)
        return integer(name, *bounds, SCALES[scale])
    try:
        begin, end = float(low), float(high)
    except ValueError:
        raise _bad(text, "its bounds are no numbers") from None
    _check(text, begin, end, scale)
    return continuous(name, begin, end, SCALES[scale])


def _check(text: str, low: float, high: float, scale: str) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _bad(text, "its bounds are not finite")
    if low >= high:
        raise _bad(text, "the lower bound is not below the upper one")
    if scale == "log" and low <= 0:
        raise _bad(text, "a logarithmic scale needs bounds above 0")
    if scale == "reverse-log" and not (low >= 0 and high < 1):
        raise _bad(text, "a reverse logarithmic scale needs bounds from 0 to below 1")


def _whole(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def _bad(text: str, why: str) -> click.BadParameter:
    return click.BadParameter(
        f"{text!r}: {why}. Write name=low:high, name=low:high:log or name=a,b,c.", param_hint="--range"
    )
