"""The filter of every list: ``moons !tuning status:failed ^pca.*-2$``, or ``-f mntr`` for what resembles it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

HINT = "word · regex.* · !not · status:failed · -f fuzzy"
"""What stands in an empty filter line."""

_WORD = re.compile(
    r'(?P<no>!*)(?:(?P<field>[A-Za-z][\w-]*):(?!//))?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S*))\s*'
)
_EXPRESSION = re.compile(r"[\^*+?()\[\]{}|\\]|\$(?!\d)")
"""Characters that make a word a regular expression: no name, status or instance type of AWS has one of them. ``$0.17`` is an amount."""


More = Callable[[str], Iterable[str]]
"""The texts of further fields of which the name begins so."""


def _none(field: str) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class _Test:
    """One word: what has to be found (or not) in which field; an empty field is any of them."""

    field: str
    found: Callable[[str], object]
    negative: bool
    word: str = ""
    """What has to be found in small letters, where that is all."""

    def passes(self, fields: Mapping[str, str], more: More) -> bool:
        texts: Iterable[str] = fields.values()
        if self.field:
            named = (text for name, text in fields.items() if name.startswith(self.field))
            texts = chain(named, more(self.field))
        return any(self.found(text) for text in texts) is not self.negative


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was read. ``problem`` is what a person should know about it, such as an expression that does not end yet."""

    text: str = ""
    tests: tuple[_Test, ...] = ()
    fuzzy: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.tests or self.fuzzy)

    @property
    def words(self) -> tuple[tuple[str, bool], ...] | None:
        """All that is asked, if it is words anywhere in a row: each in small letters, and whether it must not be there; else None."""
        if self.fuzzy or any(test.field or not test.word for test in self.tests):
            return None
        return tuple((test.word, test.negative) for test in self.tests)

    def matches(self, fields: Mapping[str, str], more: More = _none) -> bool:
        """Whether a row with these fields is shown. ``more`` is asked for words with the name of a field."""
        return all(test.passes(fields, more) for test in self.tests) and (
            not self.fuzzy or self.score(fields) > 0
        )

    def score(self, fields: Mapping[str, str]) -> float:
        """How well a row resembles the fuzzy words, in its best field; 0 for not at all."""
        scores = [
            max((resemblance(word, text) for text in fields.values()), default=0.0) for word in self.fuzzy
        ]
        return sum(scores) if all(scores) else 0.0


def parse(text: str, names: Sequence[str] = ()) -> Filter:
    """Read a filter. Every word must hold for a row; case does not matter.

    A word must occur in some field, ``!word`` in none, ``field:word`` in the field of which the name begins so (one of
    ``names``), ``"two words"`` as they stand. A word with one of ``^ $ * + ? ( ) [ ] { } | \\`` is a regular expression;
    while it is not a valid one it is looked for as it stands. Words after ``-f`` are fuzzy: their letters must occur in this order.
    """
    tests: list[_Test] = []
    fuzzy: list[str] = []
    problems: list[str] = []
    resembling = False
    at, text = 0, text.strip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None or match.end() == at:
            break
        at = match.end()
        field, word = (
            (match["field"] or "").lower(),
            match["quoted"] if match["quoted"] is not None else match["plain"],
        )
        if word == "-f" and not field:
            resembling = True
        elif field and names and not any(name.startswith(field) for name in names):
            problems.append(f"no field {field!r}: there are {', '.join(names)}")
            tests.append(_Test(field, lambda text: False, bool(match["no"])))
        elif not word:
            continue
        elif resembling:
            fuzzy.append(word.lower())
        else:
            found, problem = _finder(word, literal=match["quoted"] is not None)
            literal = match["quoted"] is not None or problem or not _EXPRESSION.search(word)
            tests.append(_Test(field, found, len(match["no"]) % 2 == 1, word.lower() if literal else ""))
            problems += [problem] if problem else []
    return Filter(text, tuple(tests), tuple(fuzzy), "; ".join(problems))


def _finder(word: str, *, literal: bool) -> tuple[Callable[[str], object], str]:
    """What looks for a word in a text, and what is wrong with the word."""
    problem = ""
    if not literal and _EXPRESSION.search(word):
        try:
            return re.compile(word, re.IGNORECASE).search, ""
        except re.error as error:
            problem = f"{word!r} is no regular expression yet: {error.msg}"
    wanted = word.lower()
    return lambda text: wanted in text.lower(), problem


def resemblance(word: str, text: str) -> float:
    """How well the letters of a lower-case word, in this order, are found in a text; 0 when they are not.

    Letters that follow each other or begin a part of a name count more, and so does a text of which the word is a large part:
    what ``fzf`` and editors do, in its simplest form.
    """
    text = text.lower()
    if not word or not text:
        return 0.0
    whole = text.find(word)
    if whole >= 0:
        begins = whole == 0 or not text[whole - 1].isalnum()
        return 2.0 + begins + len(word) / len(text) + (whole == 0)
    score, at = 0.0, -1
    for letter in word:
        here = text.find(letter, at + 1)
        if here < 0:
            return 0.0
        if here == at + 1:
            score += 1.0
        elif not text[here - 1].isalnum():
            score += 0.8
        else:
            score += 0.2
        at = here
    return score / len(word) + len(word) / len(text) / 2


def age(text: str) -> float:
    """Seconds of ``90s``, ``15m``, ``2h``, ``7d`` or a plain number of seconds.

    Raises:
        ValueError: It is none of these; the text says so.
    """
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86_400}.get(text[-1:].lower())
    try:
        found = float(text[:-1] if factor else text) * (factor or 1)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e10:
        raise ValueError(f"{text!r} is no time: write 60s, 90m, 12h or 7d.")
    return found
