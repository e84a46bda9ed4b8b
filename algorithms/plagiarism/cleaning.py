"""Bytes of an answer to the words that features are made of, as the notebook's ``process_file`` makes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OTHER = re.compile(r"[^a-zA-Z0-9]")
_WORD = re.compile(r"[a-z0-9]+")

UNDECODABLE = 0.25
"""From this share of bytes that are no UTF-8 on, a file is in another encoding and not just dotted with foreign characters."""


class Undecodable(ValueError):
    """Bytes that are no UTF-8 text, with what to do."""


@dataclass(frozen=True)
class Decoded:
    """A file's text, and how many of its bytes were no UTF-8 and left out."""

    text: str
    dropped: int


@dataclass(frozen=True)
class Word:
    """A cleaned word and where it stands in the text as written: ``text[start:end]``."""

    word: str
    start: int
    end: int


def decode(raw: bytes) -> Decoded:
    """The text as ``open(path, encoding="utf-8", errors="ignore").read()`` gives it, line ends as ``\\n``.

    Raises:
        Undecodable: NUL bytes (UTF-16 or no text at all), or too many bytes that are no UTF-8.
    """
    text = raw.decode("utf-8", errors="ignore")
    dropped = len(raw) - len(text.encode())
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw:
        raise Undecodable("is UTF-16 or no text; save it as UTF-8 text")
    if raw and dropped / len(raw) >= UNDECODABLE:
        raise Undecodable(
            f"is mostly no UTF-8: {dropped} of {len(raw)} bytes cannot be decoded; save it as UTF-8 text"
        )
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), dropped)


def clean(text: str) -> str:
    """Lower case, everything else than a-z and 0-9 a space, then one pass over double and one over triple spaces.

    As in the notebook some double spaces survive; words are what stands between spaces.
    """
    return _OTHER.sub(" ", text.lower()).replace("  ", " ").replace("   ", " ")


def words(text: str) -> list[Word]:
    """The words of ``clean(text)`` in their order, each with its place in the text as written."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return [Word(found.group(), *found.span()) for found in _WORD.finditer(lowered)]
    # Some capitals become two characters in lower case ("İ"): places need a table.
    pieces = [character.lower() for character in text]
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    return [
        Word(found.group(), places[found.start()], places[found.end() - 1] + 1)
        for found in _WORD.finditer("".join(pieces))
    ]
