"""A word dictionary: a review as a row of word numbers of one length (needs the standard library and `words` only)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from words import commonest, review_to_words

NO_WORD, INFREQUENT, FIRST = 0, 1, 2
"""What fills a row up, what stands for words that the dictionary does not have, and the number of the commonest word."""
SIZE, LENGTH = 5000, 500
"""Numbers of the reference's dictionary, the two reserved ones among them, and of its rows."""
FORMAT = 1


class WordDictionary:
    """Numbers of words: 0 is no word, 1 an infrequent one, 2 the commonest, and so on by falling frequency.

    ``version`` is a hash of words and order, as a vocabulary's. ``size`` counts the two reserved numbers.

    Raises:
        ValueError: A word occurs twice, so that a number would have two meanings.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words, FIRST)}
        if len(self._numbers) != len(self.words):
            raise ValueError("a word occurs twice in the dictionary")
        self.version = hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16]

    @classmethod
    def fit(cls, texts: Iterable[str], size: int = SIZE) -> WordDictionary:
        """The commonest words of some reviews; with the reserved numbers at most ``size``."""
        return cls(commonest(texts, max(0, size - FIRST)))

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.words) + FIRST

    def encode(self, text: str, length: int = LENGTH) -> tuple[list[int], int]:
        """A review as ``length`` numbers, cut at the end or filled up with 0, and how many of them stand for words (at least 1: a
        review without any word counts as one infrequent word)."""
        found = [self._numbers.get(word, INFREQUENT) for word in review_to_words(text)[:length]]
        found = found or [INFREQUENT]
        return found + [NO_WORD] * (length - len(found)), len(found)

    def save(self, path: Path) -> None:
        """Writes ``format``, ``version`` and ``words`` as JSON."""
        document = {"format": FORMAT, "version": self.version, "words": self.words}
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> WordDictionary:
        """The dictionary of a file.

        Raises:
            ValueError: It is none, or its words are not those of its version: numbers would mean other words than in training.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            words, version = document["words"], document["version"]
            if not all(isinstance(word, str) for word in words):
                raise TypeError("a word is no text")
            found = cls(words)
        except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path.name} is no word dictionary: {error!r}") from error
        if found.version != version:
            raise ValueError(
                f"{path.name} says version {version}, but its words are those of {found.version}"
            )
        return found
