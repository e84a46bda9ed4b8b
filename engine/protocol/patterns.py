"""The models' regular expressions, which are written for Java, as Python's."""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

_PROPERTY = re.compile(r"\\([pP])\{(\w+)\}")
_POSIX = {
    "Graph": r"!-~",
    "Print": r" -~",
    "Alnum": r"a-zA-Z0-9",
    "Alpha": r"a-zA-Z",
    "Digit": r"0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Lower": r"a-z",
    "Upper": r"A-Z",
    "Space": r" \t\n\x0b\f\r",
    "ASCII": r"\x00-\x7f",
    "Cntrl": r"\x00-\x1f\x7f",
    "Blank": r" \t",
    "XDigit": r"0-9a-fA-F",
}
_CATEGORIES = {"IsLetter": "L", "IsDigit": "Nd"}
_ANYTHING = frozenset(
    (r"[\s\S]*", r"[\S\s]*", r"(?s).*", r"[\u0000-\uFFFF]*", r"^[\s\S]*$", r"[\w\W]*", r"[\W\w]*")
)


@functools.cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, to be used with ``fullmatch`` as AWS does; None when every text matches it, or Python cannot read it."""
    if pattern in _ANYTHING:
        return None
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except re.error:
        return None


# Surrogate pairs as Java writes them, a hyphen after a class escape, the end of the text.
_SPELLINGS = (
    ("\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\U00010000-\\U0010FFFF"),
    ("\\w-_", "\\w_\\-"),
    ("\\z", "\\Z"),
)


def _translated(pattern: str) -> str:
    for java, python in _SPELLINGS:
        pattern = pattern.replace(java, python)
    out, inside, place = [], False, 0
    while place < len(pattern):
        found = _PROPERTY.match(pattern, place)
        if found:
            ranges = _POSIX.get(found[2]) or _ranges(_CATEGORIES.get(found[2], found[2]))
            if inside and found[1] == "P":
                raise re.error(f"{found[0]} inside a class")
            out.append(ranges if inside else f"[{'^' if found[1] == 'P' else ''}{ranges}]")
            place = found.end()
            continue
        char = pattern[place]
        step = 2 if char == "\\" else 1
        if char == "[" and inside:
            out.append("\\")  # Java would nest a class here; none of the models means that.
        elif char == "[":
            inside = True
        elif char == "]":
            inside = False
        out.append(pattern[place : place + step])
        place += step
    return "".join(out)


@functools.cache
def _ranges(category: str) -> str:
    """A Unicode category (``L``, ``Nd`` ...) as the inside of a character class."""
    found = "".join(
        re.escape(chr(first)) + (f"-{re.escape(chr(last))}" if last > first else "")
        for first, last in _table().get(category, ())
    )
    if not found:
        raise re.error(f"unknown category {category}")
    return found


@functools.cache
def _table() -> dict[str, list[tuple[int, int]]]:
    table: dict[str, list[tuple[int, int]]] = {}
    for code in range(sys.maxunicode + 1):
        if code == 0x32400:  # nothing but tags and private use beyond the CJK extensions
            break
        full = unicodedata.category(chr(code))
        for name in (full, full[0]):
            runs = table.setdefault(name, [])
            if runs and runs[-1][1] == code - 1:
                runs[-1] = (runs[-1][0], code)
            else:
                runs.append((code, code))
    return table
