"""Configurations that need no model: random draws, the spread-out first ones of a Bayesian search, and grids."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Sequence

from engine.tuning.ranges import Parameter, combinations, key_of

_TRIES = 200
_COUNTED = 20_000


def draw(
    parameters: Sequence[Parameter], seed: int, number: int, taken: Collection[tuple[str, ...]] = ()
) -> dict[str, str]:
    """The random configuration with a number: the same seed and number give the same one.

    Args:
        taken: Configurations (`ranges.key_of`) that are not to be drawn again while there are others.
    """
    source = random.Random(f"{seed}/{number}")
    found: dict[str, str] = {}
    for _ in range(_TRIES):
        found = {parameter.name: parameter.at(source.random()) for parameter in parameters}
        if key_of(found, parameters) not in taken:
            return found
    if combinations(parameters) <= _COUNTED:
        left = [item for item in _all(parameters) if key_of(item, parameters) not in taken]
        if left:
            return source.choice(left)
    return found


def spread(parameters: Sequence[Parameter], seed: int, number: int, count: int) -> dict[str, str]:
    """One of ``count`` configurations that cover each range evenly (a Latin hypercube, McKay et al. 1979)."""
    found = {}
    for index, parameter in enumerate(parameters):
        source = random.Random(f"{seed}/spread/{index}")
        order = list(range(count))
        source.shuffle(order)
        shifts = [source.random() for _ in order]
        found[parameter.name] = parameter.at((order[number] + shifts[number]) / count)
    return found


def cell(parameters: Sequence[Parameter], number: int) -> dict[str, str]:
    """The grid's configuration with a number, the last parameter varying fastest."""
    found = {}
    for parameter in reversed(parameters):
        number, place = divmod(number, len(parameter.values))
        found[parameter.name] = parameter.values[place]
    return {parameter.name: found[parameter.name] for parameter in parameters}


def _values(parameter: Parameter) -> list[str]:
    if parameter.kind == "Categorical":
        return list(parameter.values)
    return [str(value) for value in range(int(parameter.low), int(parameter.high) + 1)]


def _all(parameters: Sequence[Parameter]) -> Iterator[dict[str, str]]:
    names = [parameter.name for parameter in parameters]
    for row in itertools.product(*map(_values, parameters)):
        yield dict(zip(names, row, strict=True))
