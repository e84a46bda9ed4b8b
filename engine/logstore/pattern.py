"""Filter patterns of CloudWatch Logs: terms, quoted phrases, ``?any``, ``-not``, ``%regex%`` and JSON conditions.

Facts: "Filter pattern syntax for metric filters, subscription filters, and filter log events" in the CloudWatch Logs user guide. Terms are
case-sensitive and all must occur; ``?`` terms count only when there are no others. A JSON condition never matches a message that is not JSON.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from engine.errors import ServiceError

Predicate = Callable[[str], bool]
JsonPredicate = Callable[[Any], bool]
_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)*)%|(\S+))')
_TOKEN = re.compile(
    r"""\s*(?:(?P<path>\$(?:\.(?:[A-Za-z0-9_@#-]+|\*)|\[(?:\d+|\*|"[^"]*"|'[^']*')\])*)
    |(?P<word>&&|\|\||!=|<=|>=|=|<|>|\(|\)|NOT\ EXISTS|IS\ TRUE|IS\ FALSE|IS\ NULL)
    |"(?P<text>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)*)%|(?P<bare>[^\s()&|"]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([A-Za-z0-9_@#-]+|\*)|\[(\d+|\*)\]|\["([^"]*)"\]|\['([^']*)'\]""")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@lru_cache(256)
def compile_pattern(pattern: str) -> Predicate:
    """The predicate of a filter pattern.

    Raises:
        ServiceError: ``InvalidParameterException``.
    """
    text = pattern.strip()
    if not text:
        return lambda message: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise _invalid(pattern)
        return _json(text[1:-1], pattern)
    if text.startswith("["):
        raise _invalid(
            pattern, "space-delimited patterns ([a, b, ...]) are not offered; use terms or a JSON pattern"
        )
    return _terms(text, pattern)


def _terms(text: str, pattern: str) -> Predicate:
    required: list[Predicate] = []
    optional: list[Predicate] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise _invalid(pattern)
        position = match.end()
        sign, quoted, regex, bare = match.groups()
        if bare is not None and bare.startswith('"'):
            raise _invalid(pattern, "a quotation mark is not closed")
        if bare is not None and not re.fullmatch(r"[\w.:/@#$*+,;=<>!~^'|&()\[\]{}\\-]+", bare):
            raise _invalid(pattern)
        test = (
            _search(regex, pattern)
            if regex is not None
            else _contains(_unescape(quoted) if quoted is not None else bare)
        )
        if sign == "?":
            optional.append(test)
        elif sign == "-":
            required.append(lambda message, test=test: not test(message))  # type: ignore[misc]
        else:
            required.append(test)
    if required:
        return lambda message: all(test(message) for test in required)
    return lambda message: any(test(message) for test in optional)


def _contains(term: str) -> Predicate:
    return lambda message: term in message


def _search(regex: str, pattern: str) -> Predicate:
    try:
        found = re.compile(regex)
    except re.error as error:
        raise _invalid(pattern, f"the regular expression cannot be read: {error}") from error
    return lambda message: found.search(message) is not None


def _json(text: str, pattern: str) -> Predicate:
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _invalid(pattern)
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    parser = _Conditions(tokens, pattern)
    test = parser.either()
    if parser.tokens:
        raise _invalid(pattern)

    def match_message(message: str) -> bool:
        start = message.find("{")
        if start < 0:
            return False
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict) and test(document)

    return match_message


class _Conditions:
    """Recursive descent: ``||`` of ``&&`` of comparisons and parentheses."""

    def __init__(self, tokens: list[tuple[str, str]], pattern: str) -> None:
        self.tokens = tokens[::-1]
        self._pattern = pattern

    def either(self) -> JsonPredicate:
        tests = [self._both()]
        while self._accept("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)

    def _both(self) -> JsonPredicate:
        tests = [self._one()]
        while self._accept("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def _one(self) -> JsonPredicate:
        if self._accept("("):
            test = self.either()
            if not self._accept(")"):
                raise _invalid(self._pattern, "a parenthesis is not closed")
            return test
        kind, path = self._next()
        if kind != "path":
            raise _invalid(self._pattern)
        steps = _steps(path, self._pattern)
        kind, word = self._next()
        if kind != "word":
            raise _invalid(self._pattern)
        if word == "NOT EXISTS":
            return lambda document: not _values(document, steps)
        constants = {"IS TRUE": True, "IS FALSE": False, "IS NULL": None}
        if word in constants:
            wanted = constants[word]
            return lambda document: any(value is wanted for value in _values(document, steps))
        kind, operand = self._next()
        if kind not in ("text", "bare", "regex") or word not in ("=", "!=", *_COMPARE):
            raise _invalid(self._pattern)
        test_value = self._comparison(word, kind, operand)
        return lambda document: any(test_value(value) for value in _values(document, steps))

    def _comparison(self, word: str, kind: str, operand: str) -> Callable[[Any], bool]:
        number = _number(operand) if kind == "bare" else None
        if word in _COMPARE:
            if number is None:
                raise _invalid(self._pattern, f"{word} compares numbers")
            compare, bound = _COMPARE[word], number
            return lambda value: (found := _number(value)) is not None and compare(found, bound)
        equal = self._equality(kind, operand, number)
        return equal if word == "=" else lambda value: not equal(value)

    def _equality(self, kind: str, operand: str, number: float | None) -> Callable[[Any], bool]:
        if kind == "regex":
            search = _search(operand, self._pattern)
            return lambda value: isinstance(value, str) and search(value)
        if number is not None:
            return lambda value: _number(value) == number
        text = _unescape(operand) if kind == "text" else operand
        glob = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
        return lambda value: bool(glob.fullmatch(value if isinstance(value, str) else json.dumps(value)))

    def _accept(self, word: str) -> bool:
        if self.tokens and self.tokens[-1] == ("word", word):
            self.tokens.pop()
            return True
        return False

    def _next(self) -> tuple[str, str]:
        if not self.tokens:
            raise _invalid(self._pattern)
        return self.tokens.pop()


def _steps(path: str, pattern: str) -> list[str | int]:
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise _invalid(pattern)
        name, index, double, single = match.groups()
        if index is not None and index != "*":
            steps.append(int(index))
        else:
            steps.append(name or index or double or single or "")
        position = match.end()
    return steps


def _values(document: Any, steps: list[str | int]) -> list[Any]:
    found = [document]
    for step in steps:
        following: list[Any] = []
        for value in found:
            if step == "*" and isinstance(value, dict | list):
                following += value.values() if isinstance(value, dict) else value
            elif isinstance(value, dict):
                following += [value[step]] if step in value else []
            elif isinstance(value, list) and isinstance(step, int):
                following += value[step : step + 1]
        found = following
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _invalid(pattern: str, why: str = "") -> ServiceError:
    text = f"Invalid filter pattern: {pattern[:200]}" + (f" ({why})" if why else "")
    return ServiceError("InvalidParameterException", text)
