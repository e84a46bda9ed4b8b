"""Which columns of a table are distributed otherwise than before: a test per column, and how large the shift is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from workflows.drift.report import Change, Family
from workflows.drift.samples import Value, columns

BINS = 10
FEW = 10
"""Up to so many different values a number is compared as a category: a rank test has no power against ties."""
RARE = 5.0
"""Expected count below which a category is pooled with others (Cochran 1954)."""
DRAWS = 400
INTERVALS = 50
"""Columns, the strongest first, whose shift gets an interval."""
MOST_COLUMNS = 20_000


def compare(
    before: Sequence[Mapping[str, Value]],
    now: Sequence[Mapping[str, Value]],
    alpha: float,
    *,
    name: str = "columns",
    seed: int = 0,
) -> Family:
    """Test every column, Holm-corrected for all of them.

    Numbers: the two-sample Kolmogorov-Smirnov test. Categories, and numbers with few different values: Pearson's test of
    homogeneity, rare categories pooled. A column whose missing values may have become more or fewer is tested for that as well, and
    the smaller p counts double. The size of a shift is the population stability index over the baseline's deciles (or over the
    categories), sum of (q - p) ln(q / p), with a percentile interval of a multinomial bootstrap.
    """
    import numpy as np

    names = columns((*before[:500], *now[:500]))[:MOST_COLUMNS]
    found: list[tuple[Change, Any, Any]] = []
    for column in names:
        old = [row.get(column) for row in before]
        new = [row.get(column) for row in now]
        tested = _column(column, old, new)
        if tested is not None:
            found.append(tested)
    order = sorted(range(len(found)), key=lambda i: (found[i][0].p, -found[i][0].effect))
    random = np.random.default_rng(seed)
    changes: list[Change] = []
    adjusted = 0.0
    for rank, i in enumerate(order):
        change, p, q = found[i]
        adjusted = max(adjusted, min(1.0, change.p * (len(order) - rank)))  # Holm 1979
        low, high = _interval(random, p, q) if rank < INTERVALS else (None, None)
        changes.append(
            Change(
                name=change.name, kind=change.kind, p=change.p, adjusted=adjusted, significant=adjusted <= alpha,
                effect=change.effect, low=low, high=high, before=change.before, now=change.now, what=change.what,
            )
        )  # fmt: skip
    return Family(name=name, alpha=alpha, changes=tuple(changes), tested=len(order), looked=len(names))


def psi(before: Any, now: Any) -> float:
    """The population stability index of two arrays of counts over the same bins; half a record is added to each bin."""
    import numpy as np

    p, q = (np.asarray(counts, dtype=float) + 0.5 for counts in (before, now))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


def _column(name: str, old: list[Value], new: list[Value]) -> tuple[Change, Any, Any] | None:
    """The test of one column, with the counts its PSI is made of; None when there is nothing to compare."""
    known_old = [item for item in old if item is not None]
    known_new = [item for item in new if item is not None]
    missing = _missing(len(old) - len(known_old), len(old), len(new) - len(known_new), len(new))
    if not known_old or not known_new:
        if missing is None:
            return None
        lost = (len(old) - len(known_old), len(known_old)), (len(new) - len(known_new), len(known_new))
        return (
            Change(
                name=name, kind="missing", p=missing, adjusted=missing, significant=False, effect=psi(*lost),
                before=lost[0][0] / len(old), now=lost[1][0] / len(new), what="missing",
            ),
            *lost,
        )  # fmt: skip
    numbers = all(isinstance(item, float) for item in (*known_old, *known_new))
    compared: tuple[Change, Any, Any] | None
    if numbers and len({*known_old, *known_new}) > FEW:
        compared = _number(name, known_old, known_new)
    else:
        compared = _category(name, known_old, known_new)
    if compared is None:
        return None
    change, p, q = compared
    if missing is not None:
        both = min(1.0, 2 * min(change.p, missing))
        if missing < change.p:
            gone = (len(old) - len(known_old)) / len(old), (len(new) - len(known_new)) / len(new)
            change = Change(
                name=name, kind="missing", p=both, adjusted=both, significant=False, effect=change.effect,
                before=gone[0], now=gone[1], what="missing",
            )  # fmt: skip
        else:
            change = Change(
                name=name, kind=change.kind, p=both, adjusted=both, significant=False, effect=change.effect,
                before=change.before, now=change.now, what=change.what,
            )  # fmt: skip
    return change, p, q


def _number(name: str, old: Sequence[Value], new: Sequence[Value]) -> tuple[Change, Any, Any]:
    import numpy as np
    from scipy.stats import ks_2samp

    a, b = np.asarray(old, dtype=float), np.asarray(new, dtype=float)
    p_value = float(ks_2samp(a, b, method="auto" if len(a) * len(b) <= 10_000 else "asymp").pvalue)
    edges = np.unique(np.quantile(a, np.linspace(0, 1, BINS + 1)[1:-1]))
    p = np.bincount(np.searchsorted(edges, a, side="right"), minlength=len(edges) + 1)
    q = np.bincount(np.searchsorted(edges, b, side="right"), minlength=len(edges) + 1)
    return (
        Change(
            name=name, kind="number", p=p_value, adjusted=p_value, significant=False, effect=psi(p, q),
            before=float(a.mean()), now=float(b.mean()),
        ),
        p,
        q,
    )  # fmt: skip


def _category(name: str, old: Sequence[Value], new: Sequence[Value]) -> tuple[Change, Any, Any] | None:
    """None where every value is rare, as in free texts: there is nothing to compare then."""
    import numpy as np
    from scipy.stats import chi2_contingency

    counts_old, counts_new = Counter(old), Counter(new)
    kinds = sorted({*counts_old, *counts_new}, key=lambda kind: -(counts_old[kind] + counts_new[kind]))
    least = min(len(old), len(new)) / (len(old) + len(new))
    common = [kind for kind in kinds if (counts_old[kind] + counts_new[kind]) * least >= RARE]
    rest = [kind for kind in kinds if kind not in set(common)]
    p = [counts_old[kind] for kind in common] + ([sum(counts_old[kind] for kind in rest)] if rest else [])
    q = [counts_new[kind] for kind in common] + ([sum(counts_new[kind] for kind in rest)] if rest else [])
    if not common:
        return None
    names = [_spelled(kind) for kind in common] + (["rare ones"] if rest else [])
    counts = np.array([p, q])
    p_value = float(chi2_contingency(counts, correction=False).pvalue) if len(p) > 1 else 1.0
    moved = max(range(len(p)), key=lambda i: abs(q[i] / len(new) - p[i] / len(old)))
    return (
        Change(
            name=name, kind="category", p=p_value, adjusted=p_value, significant=False, effect=psi(p, q),
            before=p[moved] / len(old), now=q[moved] / len(new), what=names[moved],
        ),
        np.array(p),
        np.array(q),
    )  # fmt: skip


def _missing(gone_old: int, n_old: int, gone_new: int, n_new: int) -> float | None:
    """Fisher's exact p that the share of missing values has changed; None where none is missing."""
    if not gone_old and not gone_new:
        return None
    from scipy.stats import fisher_exact

    return float(fisher_exact([[gone_old, n_old - gone_old], [gone_new, n_new - gone_new]]).pvalue)


def _interval(random: Any, before: Any, now: Any) -> tuple[float, float]:
    import numpy as np

    p, q = np.asarray(before, dtype=float), np.asarray(now, dtype=float)
    a = random.multinomial(int(p.sum()), p / p.sum(), size=DRAWS) + 0.5
    b = random.multinomial(int(q.sum()), q / q.sum(), size=DRAWS) + 0.5
    a, b = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    drawn = np.sum((b - a) * np.log(b / a), axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def noise(cells: int, n_before: int, n_now: int, level: float = 0.95) -> float:
    """The PSI that chance alone stays below with this probability: chi-squared with cells - 1 degrees of freedom, scaled by
    (1/n + 1/m) (Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4))."""
    from scipy.stats import chi2

    if min(n_before, n_now) < 1 or cells < 2:
        return math.inf
    return float(chi2.ppf(level, cells - 1) * (1 / n_before + 1 / n_now))


def _spelled(kind: Value) -> str:
    return f"{kind:g}" if isinstance(kind, float) else str(kind)
