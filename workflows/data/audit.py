"""Audits that studies share: what in the data would make a score lie. Each answers findings; none changes anything.

Tables are pandas DataFrames, labels sequences of the same length. Nothing is imported before it is needed.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from workflows.data.findings import Finding, Severity
from workflows.data.relation import unrelated

SAME = 0.999
"""From this rank separation (AUC) or correlation on, one feature alone gives the label away."""
MOVED = 0.02
"""A correlation that sentinel rows move by at least this much is told."""
NAMED = 5
TOGETHER = 0.95
"""From this correlation on two columns say the same."""
NARROW = 0.25
"""A column in which most rows share less of the range than this is scaled by its extremes alone."""


def duplicates(frame: Any, columns: Sequence[str] | None = None) -> list[Finding]:
    """Rows that are exact copies of earlier rows, and copies with another label where ``columns`` are the features only."""
    copies = frame.duplicated(subset=list(columns) if columns else None)
    count = int(copies.sum())
    if not count:
        return []
    first = int(copies.to_numpy().argmax()) + 1
    text = f"{count:,} of {len(frame):,} rows are exact copies of earlier ones."
    remedy = "Keep copies on one side of the split, or drop them."
    return [Finding("warning", "duplicates", f"first at row {first}", text, remedy, count)]


def across_split(
    train: Any, test: Any, columns: Sequence[str] | None = None, label: str = "", positive: Any = None
) -> list[Finding]:
    """Test rows that stand in the training data as well: an error, because their score is memory.

    With ``label`` and ``positive`` the text tells how many of them are of that class.
    """
    import pandas as pd

    chosen = list(columns) if columns else [name for name in test.columns if name in train.columns]
    known = set(pd.util.hash_pandas_object(train[chosen], index=False))
    seen = pd.util.hash_pandas_object(test[chosen], index=False).isin(known).to_numpy()
    count = int(seen.sum())
    if not count:
        return []
    more = ""
    if label:
        of_class = int((test[label].to_numpy()[seen] == positive).sum())
        more = f", {of_class:,} of them {label} = {positive}"
    first = int(seen.argmax()) + 1
    text = f"{count:,} of {len(test):,} test rows are also training rows{more}: their score is memory."
    remedy = "Split by distinct rows, so that copies stay on one side."
    return [Finding("error", "duplicates-across-split", f"test row {first}", text, remedy, count)]


def leakage(frame: Any, label: str, positive: Any = 1) -> list[Finding]:
    """Features that alone give the label away: an AUC, or for numbers a correlation, of 0.999 and more."""
    import numpy as np
    from scipy.stats import rankdata

    found = []
    target = frame[label]
    names = set(target.dropna().unique().tolist())
    binary = len(names) == 2
    for name in frame.columns:
        values = frame[name]
        if name == label or not _numeric(values):
            continue
        kept = (values.notna() & target.notna()).to_numpy()
        x = values.to_numpy(dtype=float)[kept]
        if len(x) < 10 or x.min() == x.max():
            continue
        if binary:
            truth = (target == positive).to_numpy()[kept]
            ones, zeros = int(truth.sum()), int((~truth).sum())
            if not ones or not zeros:
                continue
            area = (rankdata(x)[truth].sum() - ones * (ones + 1) / 2) / (ones * zeros)
            strength, how = max(area, 1 - area), "separates the classes"
        elif _numeric(target):
            y = target.to_numpy(dtype=float)[kept]
            strength, how = (
                (abs(float(np.corrcoef(x, y)[0, 1])) if y.min() != y.max() else 0.0),
                "follows the label",
            )
        else:
            continue
        if strength >= SAME:
            text = f"{name} alone {how} ({strength:.4f} of 1): is it known before the label is?"
            found.append(Finding("error", "leakage", f"column {name}", text, "Leave it out if it is not."))
    return found


def missing(frame: Any) -> list[Finding]:
    """Columns with missing values; a warning from a tenth of the rows on."""
    found = []
    for name, count in frame.isna().sum().items():
        if count:
            severity: Severity = "warning" if count >= len(frame) / 10 else "note"
            text = f"{int(count):,} of {len(frame):,} rows have no value."
            remedy = "Leave the rows out, or fill them in with training values only."
            found.append(Finding(severity, "missing", f"column {name}", text, remedy, int(count)))
    return found


def constant(frame: Any) -> list[Finding]:
    """Columns with one value only, and pairs of columns with the same values."""
    found = []
    known: dict[int, str] = {}
    for name in frame.columns:
        values = frame[name]
        if values.nunique(dropna=False) <= 1 and len(frame) > 1:
            text = f"All {len(frame):,} values are the same: the column says nothing."
            found.append(Finding("warning", "constant", f"column {name}", text, "Leave it out."))
            continue
        digest = _digest(values)
        twin = known.setdefault(digest, str(name))
        if twin != str(name) and values.equals(frame[twin].rename(name)):
            text = f"The column has the same values as {twin}."
            found.append(Finding("warning", "twin", f"column {name}", text, "Leave one out."))
    return found


def sentinels(frame: Any, codes: Collection[float] = (-1.0,)) -> list[Finding]:
    """Rows whose values are codes (such as -1 for "does not apply") and what they do to correlations.

    A row counts when every numeric column of a pair holds a code. The finding names the pair whose Pearson correlation
    changes most when such rows are left out.
    """
    import numpy as np

    names = [name for name in frame.columns if _numeric(frame[name])]
    if not names:
        return []
    table = frame[names].to_numpy(dtype=float)
    coded = np.isin(table, list(codes))
    per_column = coded.sum(axis=0)
    suspects = [
        index for index in range(len(names)) if per_column[index] > 0 and _at_edge(table[:, index], codes)
    ]
    if not suspects:
        return []
    codes = [code for code in codes if (table[:, suspects] == code).any()]
    rows = coded[:, suspects].all(axis=1)
    where = f"columns {', '.join(names[index] for index in suspects[:NAMED])}"
    count = int(rows.sum()) or int(per_column[suspects].max())
    worst = _moved(table[:, suspects], rows, [names[index] for index in suspects])
    if worst is None:
        text = f"{count:,} rows hold a code ({_list(codes)}) instead of a value."
        return [Finding("warning", "sentinel", where, text, "Leave these rows out.", count)]
    one, two, before, after = worst
    text = (
        f"{count:,} rows hold a code ({_list(codes)}) instead of values. With them {one} and {two} correlate by {before:.2f}, "
        f"without them by {after:.2f}."
    )
    return [
        Finding(
            "warning", "sentinel", where, text, "Leave these rows out of correlations and of training.", count
        )
    ]


def collinear(frame: Any, strong: float = TOGETHER) -> list[Finding]:
    """Groups of numeric columns that correlate (Pearson, in size) by ``strong`` or more, each over a chain of such pairs: they say the
    same several times, and weigh as much in distances and components."""
    import numpy as np

    names = [name for name in frame.columns if _numeric(frame[name])]
    with np.errstate(invalid="ignore", divide="ignore"):
        related = np.abs(np.nan_to_num(np.corrcoef(frame[names].dropna().to_numpy(dtype=float).T))) >= strong
    found: list[Finding] = []
    taken: set[int] = set()
    for first in range(len(names)):
        if first in taken:
            continue
        group, edge = {first}, {first}
        while edge:
            edge = {int(other) for one in edge for other in np.flatnonzero(related[one])} - group
            group |= edge
        taken |= group
        if len(group) > 1:
            text = f"The {len(group)} columns correlate by {strong:g} or more: one fact counts {len(group)} times."
            where = f"columns {', '.join(names[index] for index in sorted(group))}"
            found.append(
                Finding(
                    "warning",
                    "collinear",
                    where,
                    text,
                    "Leave all but one out, or reduce them by PCA.",
                    len(group),
                )
            )
    return found


def squeezed(frame: Any, least: float = NARROW) -> list[Finding]:
    """Columns whose middle 98 per cent of the values take up less than a share of ``least`` of the whole range: scaled from 0 to 1 by
    their extremes, nearly all rows look the same in them."""
    import numpy as np

    found = []
    for name in frame.columns:
        values = frame[name].dropna().to_numpy(dtype=float) if _numeric(frame[name]) else np.empty(0)
        if len(values) < 100 or values.min() == values.max():
            continue
        low, high = np.percentile(values, [1, 99])
        share = float((high - low) / (values.max() - values.min()))
        if share < least:
            text = f"98 % of the rows lie within {share:.1%} of the range {values.min():,.10g} to {values.max():,.10g}."
            found.append(
                Finding(
                    "warning",
                    "squeezed",
                    f"column {name}",
                    text,
                    "Scale by standard deviations, or take logarithms.",
                )
            )
    return found


def suspicious_labels(
    features: Any, labels: Sequence[int], names: Sequence[str], folds: int = 5
) -> list[Finding]:
    """Rows whose label the other rows contradict: candidates for a second look, the most doubtful first.

    Confident learning (Northcutt, Jiang and Chuang 2021) with the cross-validated probabilities of a logistic regression on
    standardised features: a row is suspicious when another class is as probable for it as it is on average for the rows that
    carry that label.

    Args:
        features: Shape (rows, features), finite numbers.
        names: What the rows are called.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    truth = np.asarray(labels)
    classes, counts = np.unique(truth, return_counts=True)
    splits = min(folds, int(counts.min())) if len(classes) > 1 else 0
    if splits < 2:
        return []
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    order = StratifiedKFold(splits, shuffle=True, random_state=0)
    chances = cross_val_predict(
        model, np.asarray(features, dtype=float), truth, cv=order, method="predict_proba"
    )
    place = np.searchsorted(classes, truth)
    rows = np.arange(len(truth))
    own = chances[rows, place]
    usual = np.array([chances[place == index, index].mean() for index in range(len(classes))])
    others = np.where(chances >= usual, chances, 0.0)
    others[rows, place] = 0.0
    rival = others.argmax(axis=1)
    doubtful = others.max(axis=1) > own
    return [
        Finding(
            "warning", "labels", str(names[index]),
            f"Labelled {truth[index]} (probability {own[index]:.3f} by the other rows), but it looks like {classes[rival[index]]} "
            f"({chances[index, rival[index]]:.3f}).",
            "Look at it again.",
        )
        for index in np.argsort(own, kind="stable") if doubtful[index]
    ]  # fmt: skip


def shuffled(features: Mapping[str, Any], labels: Sequence[int]) -> list[Finding]:
    """An error when labels of two classes have nothing to do with any feature, or all are the same."""
    return unrelated(labels, features)


def balance(labels: Sequence[Any], rare: float = 0.05) -> list[Finding]:
    """Classes with less than a share of ``rare``: a note that tells what always guessing the commonest class would score."""
    import pandas as pd

    shares = pd.Series(list(labels)).value_counts(normalize=True)
    if not len(shares) or shares.iloc[-1] >= rare:
        return []
    text = (
        f"Class {shares.index[-1]} has {shares.iloc[-1]:.3%} of the rows: always answering {shares.index[0]} has an accuracy of "
        f"{shares.iloc[0]:.3%}."
    )
    return [
        Finding("note", "imbalance", "labels", text, "Judge by recall, precision and cost, not by accuracy.")
    ]


def dates(
    days: Sequence[Any], first: datetime.date | None = None, last: datetime.date | None = None
) -> list[Finding]:
    """Days that are repeated, out of order or lacking, and days outside of ``first`` … ``last``."""
    import pandas as pd

    stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(list(days))))
    found = []
    if stamps.has_duplicates:
        count = int(stamps.duplicated().sum())
        text = f"{count:,} days stand there more than once, the first is {stamps[stamps.duplicated()][0]:%Y-%m-%d}."
        found.append(Finding("error", "dates", "days", text, "Each day must stand there once.", count))
    if not stamps.is_monotonic_increasing:
        found.append(Finding("error", "dates", "days", "The days are not in order.", "Sort the rows by day."))
    whole = pd.date_range(stamps.min(), stamps.max(), freq="D")
    lacking = whole.difference(stamps)
    if len(lacking):
        text = f"{len(lacking):,} days are lacking, the first is {lacking[0]:%Y-%m-%d}."
        found.append(
            Finding("error", "dates", "days", text, "Fill them in, or cut the series there.", len(lacking))
        )
    outside = [
        stamp for stamp in stamps if (first and stamp.date() < first) or (last and stamp.date() > last)
    ]
    if outside:
        text = f"{len(outside):,} days are outside of {first or '…'} to {last or '…'}, the first is {outside[0]:%Y-%m-%d}."
        found.append(Finding("error", "dates", "days", text, "Is the year right?", len(outside)))
    return found


def aligned(
    features: Sequence[Any], labels: Sequence[Any], keys: tuple[Sequence[Any], Sequence[Any]] | None = None
) -> list[Finding]:
    """Whether features and labels have the same number of rows, and where both have ``keys`` the same keys in the same order."""
    if len(features) != len(labels):
        text = f"There are {len(features):,} rows of features and {len(labels):,} labels."
        return [Finding("error", "misaligned", "labels", text, "Make both from the same rows.")]
    if keys is None:
        return []
    different = [number for number, (one, two) in enumerate(zip(*keys, strict=False), 1) if one != two]
    if not different and len(keys[0]) == len(keys[1]):
        return []
    first = different[0] if different else min(len(keys[0]), len(keys[1])) + 1
    text = f"{max(len(different), 1):,} rows of features and labels have different keys: they are in different orders."
    return [
        Finding("error", "misaligned", f"row {first}", text, "Join them by the key.", max(len(different), 1))
    ]


def _numeric(values: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def _digest(values: Any) -> int:
    import pandas as pd

    return hash(pd.util.hash_pandas_object(values, index=False).to_numpy().tobytes())


def _at_edge(values: Any, codes: Collection[float]) -> bool:
    """Whether a code lies outside of all other values, as codes do."""
    import numpy as np

    ordinary = values[~np.isin(values, list(codes)) & np.isfinite(values)]
    if not len(ordinary):
        return False
    held = [code for code in codes if (values == code).any()]
    return any(code < ordinary.min() or code > ordinary.max() for code in held)


def _moved(table: Any, rows: Any, names: list[str]) -> tuple[str, str, float, float] | None:
    """The pair of columns whose correlation the rows move most, with the correlation with and without them."""
    import numpy as np

    if len(names) < 2 or not rows.any() or (~rows).sum() < 3:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        complete = np.isfinite(table).all(axis=1)
        before = np.corrcoef(table[complete].T)
        after = np.corrcoef(table[complete & ~rows].T)
    change = np.nan_to_num(np.abs(before - after))
    one, two = np.unravel_index(int(change.argmax()), change.shape)
    if change[one, two] < MOVED:
        return None
    return names[one], names[two], float(before[one, two]), float(after[one, two])


def _list(codes: Collection[float]) -> str:
    return ", ".join(f"{code:g}" for code in codes)
