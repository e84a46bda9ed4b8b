"""Bags of words: a review as the counts of a vocabulary's words, and the vocabulary as a file that has a version."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from algorithms.reviews.words import commonest, review_to_words

SIZE = 5000
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that are counted, in the order of their columns (alphabetical).

    ``version`` identifies words and order: a model trained with one version gives nonsense for counts of another, because the
    columns have other meanings.
    """

    words: tuple[str, ...]
    index: Mapping[str, int] = field(init=False, repr=False, compare=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {word: number for number, word in enumerate(self.words)})
        object.__setattr__(self, "version", hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16])

    def __len__(self) -> int:
        return len(self.words)

    def count(self, text: str) -> dict[int, int]:
        """The counts of a review's known words by column."""
        index = self.index
        return dict(sorted(Counter(index[word] for word in review_to_words(text) if word in index).items()))

    def document(self) -> str:
        """The vocabulary as JSON: ``format``, ``version``, ``words``."""
        return json.dumps(
            {"format": FORMAT, "version": self.version, "words": self.words}, ensure_ascii=False
        )

    def save(self, path: Path) -> None:
        """Writes the `document`."""
        path.write_text(self.document(), encoding="utf-8")


def fit(texts: Iterable[str], size: int = SIZE) -> Vocabulary:
    """The ``size`` `commonest` words of some reviews."""
    return Vocabulary(tuple(sorted(commonest(texts, size))))


def load(path: Path) -> Vocabulary:
    """The vocabulary of a file.

    Raises:
        ValueError: The file is not a vocabulary, or its words are not those of its version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        words, version = tuple(document["words"]), document["version"]
        found = Vocabulary(words)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a vocabulary: {error}") from error
    if found.version != version:
        raise ValueError(
            f"{path} says version {version}, but its words are those of {found.version}: it was changed."
        )
    return found


def libsvm(counts: Mapping[int, int], label: int | None = None) -> str:
    """One line of LIBSVM text, columns counted from 0; without a label for a request (XGBoost then takes 0)."""
    cells = " ".join(f"{column}:{count}" for column, count in sorted(counts.items()))
    return f"{0 if label is None else label} {cells}".rstrip()


def csv(counts: Mapping[int, int], size: int) -> str:
    """One line of CSV with ``size`` counts, without a label."""
    row = ["0"] * size
    for column, count in counts.items():
        row[column] = str(count)
    return ",".join(row)
