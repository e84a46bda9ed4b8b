"""Jump mode: a letter over everything that can be gone to; the letter goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""In the order of how easily they are reached."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place of a widget (in its own cells) and what going there does."""

    x: int
    y: int
    go: Callable[[], object]


def hints(number: int) -> Sequence[str]:
    """A text for each of so many targets, as short as can be: none begins another one.

    The first targets get one letter. With more targets than letters, the last letters begin texts of two.
    """
    letters = LETTERS
    if number <= len(letters):
        return letters[:number]
    base = len(letters)
    # Each letter that begins longer texts gives up one text for as many as there are letters.
    beginnings = min(base, -(-(number - base) // (base - 1)))
    single = letters[: base - beginnings]
    double = [first + second for first in letters[base - beginnings :] for second in letters]
    return [*single, *double][:number]
