"""Small synthetic corpora: tasks with an original each, and answers that copy all, much, little or none of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from algorithms.plagiarism import corpus
from algorithms.plagiarism.categories import Category
from algorithms.plagiarism.corpus import Corpus, Document

_WORDS = [
    f"{start}{middle}{end}" for start in "bdfgklmn" for middle in "aeiou" for end in ("", "r", "st", "nd")
]
_KEPT = {Category.NON: 0.0, Category.HEAVY: 0.55, Category.LIGHT: 0.8, Category.CUT: 0.97}
"""The share of the original's words that stay where they are."""


def synthetic(tasks: str = "ab", seed: int = 1) -> Corpus:
    """Of every task two answers of each plagiarised category, three of none, and the original, 60 words each."""
    return corpus.of(list(_documents(tasks, random.Random(seed))))


def write(folder: Path, documents: Corpus) -> None:
    """The corpus as its files."""
    rows = ["File,Task,Category"]
    for document in documents.documents:
        (folder / document.file).write_text(document.written)
        rows.append(f"{document.file},{document.task},{document.category}")
    (folder / corpus.INFORMATION).write_text("\n".join(rows) + "\n")


def _documents(tasks: str, rng: random.Random) -> Iterator[Document]:
    for task in tasks:
        original = rng.choices(_WORDS, k=60)
        for category, kept in _KEPT.items():
            for number in range(3 if category is Category.NON else 2):
                words = [word if rng.random() < kept else rng.choice(_WORDS) for word in original]
                yield corpus.document(f"{category}{number}_task{task}.txt", task, category, _prose(words))
        yield corpus.document(f"orig_task{task}.txt", task, Category.ORIG, _prose(original))


def _prose(words: list[str]) -> str:
    sentences = [" ".join(words[start : start + 9]).capitalize() for start in range(0, len(words), 9)]
    return ".\n".join(sentences) + "."
