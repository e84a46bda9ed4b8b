"""Feature tables: any of ``c_1``, ``c_2``, … (containment) and ``lcs_word``, for pairs of cleaned texts and for a corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from algorithms.plagiarism import cleaning, containment, subsequence, tokens

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from algorithms.plagiarism.corpus import Corpus

LCS = "lcs_word"
DEFAULT = ("c_1", "c_2", "c_3", "c_4", "c_5", LCS)
"""The customary table, to choose from."""
CHOSEN = ("c_1", "c_3", LCS)
"""What the study trains on: single words, phrases and their order. See docs/decisions.md."""
SENTINEL = -1.0
"""What the notebook writes into an original's features, which it has none of."""

_CONTAINMENT = re.compile(r"c_([1-9]\d*)")
_AT_ONCE = 512
"""Pairs whose tokens are in memory together."""


class FeatureError(ValueError):
    """Features that there are not; the text says which there are."""


def check(names: Sequence[str]) -> tuple[str, ...]:
    """The names, when each is a feature and none comes twice.

    Raises:
        FeatureError: No name, an unknown or a repeated one.
    """
    if not names:
        raise FeatureError(f"no feature is named; name some of c_1, c_2, … and {LCS}")
    for index, name in enumerate(names):
        if name != LCS and not _CONTAINMENT.fullmatch(name):
            raise FeatureError(
                f"there is no feature {name!r}; there are c_n for every n of 1 or more, and {LCS}"
            )
        if name in names[:index]:
            raise FeatureError(f"feature {name} is named twice; leave one out")
    return tuple(names)


def of(pairs: Sequence[tuple[str, str]], names: Sequence[str] = DEFAULT) -> NDArray[np.float64]:
    """Features of pairs (answer, source) of cleaned texts, shape (pairs, names).

    Raises:
        FeatureError: As `check`.
    """
    check(names)
    found = np.zeros((len(pairs), len(names)))
    for start in range(0, len(pairs), _AT_ONCE):
        found[start : start + _AT_ONCE] = _features(pairs[start : start + _AT_ONCE], names)
    return found


def table(corpus: Corpus, names: Sequence[str] = DEFAULT, sentinel: float = SENTINEL) -> pd.DataFrame:
    """Features of every document, in the order and with the index of ``corpus.frame()``; originals have the sentinel.

    Raises:
        FeatureError: As `check`.
    """
    import pandas as pd

    check(names)
    values = np.full((len(corpus.documents), len(names)), sentinel)
    rows = [row for row, document in enumerate(corpus.documents) if not document.original]
    answers = [corpus.documents[row] for row in rows]
    values[rows] = of([(answer.text, corpus.source(answer).text) for answer in answers], names)
    return pd.DataFrame(values, columns=list(names))


def against(text: str, corpus: Corpus, names: Sequence[str] = DEFAULT) -> pd.DataFrame:
    """Features of a text as written against each task's original, indexed by task.

    Raises:
        FeatureError: As `check`, or a text without a word.
    """
    import pandas as pd

    answer = cleaning.clean(text)
    if not answer.split():
        raise FeatureError("the text has no word of the letters a-z and digits; paste an English answer")
    tasks = sorted(corpus.originals)
    values = of([(answer, corpus.originals[task].text) for task in tasks], names)
    return pd.DataFrame(values, index=pd.Index(tasks, name="Task"), columns=list(names))


def correlations(features: pd.DataFrame, sentinels: bool = False) -> pd.DataFrame:
    """Pearson's correlations of the features over answers alone.

    ``sentinels=True`` leaves the originals' rows of -1 in, as the notebook does; they pull every correlation towards 1.
    """
    return (features if sentinels else answered(features)).corr()


def answered(features: pd.DataFrame) -> pd.DataFrame:
    """The rows that are no sentinels."""
    return features[~(features == SENTINEL).all(axis=1)]


@dataclass(frozen=True)
class Dropped:
    """A feature that was not selected: it is constant (no ``rival``), or it says what ``rival`` says."""

    name: str
    rival: str = ""
    correlation: float = float("nan")

    def __str__(self) -> str:
        if not self.rival:
            return f"{self.name} is the same for every answer"
        return f"{self.name} correlates {self.correlation:.3f} with {self.rival}"


@dataclass(frozen=True)
class Selection:
    """Features that were kept, in the table's order, and why others were not."""

    kept: tuple[str, ...]
    dropped: tuple[Dropped, ...]


def select(features: pd.DataFrame, labels: Sequence[int], cutoff: float) -> Selection:
    """Keep the features that correlate most with the label, leaving out any whose |correlation| with a kept one reaches the cutoff.

    Rows of sentinels do not count. Give the training rows only: a choice that has seen the test labels flatters the test score.

    Raises:
        FeatureError: A cutoff outside (0, 1], another number of labels, or nothing that varies.
    """
    import pandas as pd

    if not 0 < cutoff <= 1:
        raise FeatureError(f"the cutoff is {cutoff:g}; it must be above 0 and at most 1")
    if len(labels) != len(features):
        raise FeatureError(f"{len(labels)} labels came for {len(features)} rows of features; give one a row")
    rows = answered(features)
    label = pd.Series(list(labels), index=features.index)[rows.index].astype(float)
    varying = [str(name) for name in rows.columns if rows[name].nunique() > 1]
    dropped = [Dropped(str(name)) for name in rows.columns if name not in varying]
    if not varying:
        raise FeatureError("every feature is the same for all answers; choose others or check the texts")
    among = rows[varying].corr()
    relevance = rows[varying].corrwith(label).abs().fillna(0.0)
    kept: list[str] = []
    for name in sorted(varying, key=lambda name: -float(relevance[name])):
        # Rounding: a copy of a feature correlates 0.9999999999999998.
        rivals = {other: float(among.loc[name, other]) for other in kept}
        rival = max(rivals, key=lambda other: abs(rivals[other]), default="")
        if rival and abs(rivals[rival]) >= cutoff - 1e-12:
            dropped.append(Dropped(name, rival, rivals[rival]))
        else:
            kept.append(name)
    return Selection(tuple(name for name in varying if name in kept), tuple(dropped))


def _features(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> NDArray[np.float64]:
    ns = [int(name.removeprefix("c_")) for name in names if name != LCS]
    columns = [column for column, name in enumerate(names) if name != LCS]
    found = np.zeros((len(pairs), len(names)))
    grams: list[containment.Pair] = []
    shares: list[float] = []
    for answer, source in _split(pairs):
        words, others = tokens.numbered(answer, source)
        if LCS in names:
            shares.append(subsequence.common(words, others) / len(words) if words else 0.0)
        if ns:
            grams.append((tokens.longer(answer, words), tokens.longer(source, others)))
    if LCS in names:
        found[:, names.index(LCS)] = shares
    if ns:
        found[:, columns] = containment.contained(grams, ns)
    return found


def _split(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[list[str], list[str]]]:
    for answer, source in pairs:
        yield answer.split(), source.split()
