"""Plagiarism features of 10,000 pairs of 300 words, against the textbook's dynamic programme and a vectorizer for every pair.

Words follow Zipf's law as those of English do; every pair has its own two texts, and the answer copies some half of its source in
runs. Peers take turns within one process, in seconds of processor time: other programs' turns do not count.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from algorithms.plagiarism import features
from benchmarks.report import Row

PAIRS = 10_000
WORDS = 300
TURNS = 3
_SAMPLE = 8
"""Pairs that a slow peer is measured on in one turn."""

Pairs = Sequence[tuple[str, str]]


def tabulated(answer: str, source: str) -> float:
    """lcs_word by the whole table, as the notebook describes it."""
    words, others = answer.split(), source.split()
    table = [[0] * (len(others) + 1) for _ in range(len(words) + 1)]
    for i, word in enumerate(words, 1):
        for j, other in enumerate(others, 1):
            if word == other:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1] / len(words)


def vectorized(answer: str, source: str, n: int) -> float:
    """c_n by a vectorizer that is fitted to the pair, as in the notebook."""
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(analyzer="word", ngram_range=(n, n)).fit_transform([answer, source]).toarray()
    return float(counts.min(axis=0).sum() / counts[0].sum())


def pairs(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Answers and sources of `WORDS` words."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = list({"".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(20_000)})
    weights = [1 / rank for rank in range(2, len(vocabulary) + 2)]
    made = []
    for _ in range(count):
        source, answer = (rng.choices(vocabulary, weights, k=WORDS) for _ in range(2))
        for start in range(0, WORDS, 30):
            answer[start : start + 15] = source[start : start + 15]
        made.append((" ".join(answer), " ".join(source)))
    return made


def seconds(act: Callable[[], Any], each: int) -> float:
    """Processor time of an action, for each of so many pairs."""
    began = time.process_time()
    act()
    return (time.process_time() - began) / each


def main() -> tuple[str, str, list[Row]]:
    """Measure; a peer that finds other values ends it.

    Raises:
        AssertionError: Ours and a peer's features differ.
    """
    texts = pairs(PAIRS)
    few = texts[:_SAMPLE]
    grams = [name for name in features.DEFAULT if name != features.LCS]
    ns = [int(name.removeprefix("c_")) for name in grams]
    for pair, row in zip(few, features.of(few).tolist(), strict=True):
        wanted = [*(vectorized(*pair, n) for n in ns), tabulated(*pair)]
        assert all(abs(a - b) < 1e-12 for a, b in zip(row, wanted, strict=True)), (row, wanted)

    def table() -> None:
        for pair in few:
            tabulated(*pair)

    def vectorizers() -> None:
        for pair in few:
            for n in ns:
                vectorized(*pair, n)

    taken: dict[str, list[float]] = {name: [] for name in ("all", "part", "lcs", "grams", "table", "fitted")}
    for _ in range(TURNS):
        taken["table"].append(seconds(table, _SAMPLE))
        taken["fitted"].append(seconds(vectorizers, _SAMPLE))
        taken["part"].append(seconds(lambda: features.of(texts[: PAIRS // 10]), PAIRS // 10))
        taken["all"].append(seconds(lambda: features.of(texts), PAIRS))
        taken["lcs"].append(seconds(lambda: features.of(texts[:1000], [features.LCS]), 1000))
        taken["grams"].append(seconds(lambda: features.of(texts[:1000], grams), 1000))
    best = {name: 1e6 * min(values) for name, values in taken.items()}
    rows = [
        Row("c_1 … c_5 and lcs_word / the table alone", "µs a pair", best["all"], best["table"], 50, False),
        Row("the same / table and vectorizers", "µs a pair", best["all"], best["table"] + best["fitted"], None, False),
        Row("lcs_word / the table", "µs a pair", best["lcs"], best["table"], None, False),
        Row("c_1 … c_5 / vectorizers", "µs a pair", best["grams"], best["fitted"], None, False),
        Row(f"{PAIRS:,} pairs", "s", best["all"] * PAIRS / 1e6, None, None, False),
        Row(f"a pair of {PAIRS:,} over a pair of {PAIRS // 10:,}", "x", best["all"] / best["part"], None, 1.25, False),
    ]  # fmt: skip
    return f"Plagiarism features, pairs of {WORDS} words", "by the book", rows
