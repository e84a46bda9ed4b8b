"""Which words are used by another share of texts than before: one exact test per word, corrected for all of them.

A word's share is the share of texts that have it, not of all words: one text that says a word twenty times is one observation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from workflows.drift.report import Change, Family
from workflows.drift.samples import words

MOST = 200
"""Changes that are kept, the strongest first."""


def compare(before: Sequence[str], now: Sequence[str], alpha: float) -> Family:
    """Test every word of two sets of texts.

    Given that ``c`` of all texts have a word, how many of them are new ones is binomial with the new texts' share of all texts as
    its probability if nothing has changed (Przyborowski & Wilenski 1940, the conditional test of two Poisson rates; for shares it
    is conservative, because the hypergeometric distribution that holds exactly is narrower). Two-sided p: twice the smaller tail.

    Words that are so rare that even the strongest possible result could not be significant are not tested, and do not count in the
    correction: Tarone's modification of Bonferroni (Tarone 1990, Biometrics 46:515), which keeps the familywise error at alpha.
    """
    import numpy as np
    from scipy.special import betainc, xlogy

    counts_before, counts_now = _counts(before), _counts(now)
    vocabulary = list(dict.fromkeys((*counts_now, *counts_before)))
    if not vocabulary or not before or not now:
        return Family(name="words", alpha=alpha, looked=len(vocabulary))
    old = np.array([counts_before.get(word, 0) for word in vocabulary], dtype=float)
    new = np.array([counts_now.get(word, 0) for word in vocabulary], dtype=float)
    n_before, n_now = len(before), len(now)
    share = n_now / (n_now + n_before)
    both = old + new
    # The strongest result possible for c texts, in logarithms: all of them new, or all of them old.
    strongest = math.log(2.0) + np.minimum(xlogy(both, share), xlogy(both, 1 - share))
    tested = _tarone(strongest, alpha)
    upper = np.where(new > 0, betainc(np.maximum(new, 1), old + 1, share), 1.0)
    lower = np.where(old > 0, betainc(np.maximum(old, 1), new + 1, 1 - share), 1.0)
    p = np.minimum(1.0, 2.0 * np.minimum(upper, lower))
    possible = strongest <= math.log(alpha / tested) if tested else np.zeros(len(p), dtype=bool)
    p = np.where(possible, p, 1.0)
    ratio = ((new + 0.5) / (n_now + 1)) / ((old + 0.5) / (n_before + 1))
    order = np.lexsort((-np.abs(np.log(ratio)), p))[:MOST]
    return Family(
        name="words",
        alpha=alpha,
        changes=tuple(
            _change(vocabulary[i], p[i], tested, alpha, old[i], new[i], n_before, n_now, ratio[i])
            for i in order
            if possible[i]
        ),
        tested=tested,
        looked=len(vocabulary),
    )


def fewest_of_a_new_word(n_before: int, n_now: int, tested: int, alpha: float) -> int:
    """In how many of the new texts a word that nobody used before has to be, to be significant."""
    share = n_now / (n_now + n_before)
    return math.ceil(math.log(alpha / (2 * max(1, tested))) / math.log(share))


def _counts(texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        found.update(words(text))
    return found


def _tarone(strongest: Any, alpha: float) -> int:
    """The smallest K such that at most K tests could reach alpha/K: by that many p is corrected."""
    import numpy as np

    ordered = np.sort(strongest)
    for k in range(1, len(ordered) + 1):
        if int(np.searchsorted(ordered, math.log(alpha / k), side="right")) <= k:
            return k
    return len(ordered)


def _change(
    word: str, p: float, tested: int, alpha: float, old: float, new: float, n_before: int, n_now: int, ratio: float
) -> Change:  # fmt: skip
    adjusted = min(1.0, float(p) * tested)
    # Katz's interval of the ratio, on the same counts with a half added.
    spread = 1.96 * math.sqrt(1 / (new + 0.5) - 1 / (n_now + 1) + 1 / (old + 0.5) - 1 / (n_before + 1))
    return Change(
        name=word,
        kind="word",
        p=float(p),
        adjusted=adjusted,
        significant=adjusted <= alpha,
        effect=float(ratio),
        low=float(ratio * math.exp(-spread)),
        high=float(ratio * math.exp(spread)),
        before=float(old / n_before),
        now=float(new / n_now),
    )
