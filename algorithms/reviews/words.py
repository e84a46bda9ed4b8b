"""A review as words. Training and serving must take the same: this file is packed with every model that uses it."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable

_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def review_to_words(text: str) -> list[str]:
    """The words of a review in lower case: markup and punctuation are taken out, contractions stay whole (``don't``)."""
    plain = html.unescape(_TAG.sub(" ", text)).lower().replace("’", "'")
    return _WORD.findall(plain)


def commonest(texts: Iterable[str], size: int) -> list[str]:
    """The ``size`` commonest words of some reviews, the commonest first; of equally common ones the alphabetically first.

    All occurrences count, as in scikit-learn's CountVectorizer(max_features=size).
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(review_to_words(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:size]
