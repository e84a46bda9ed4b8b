"""One county: found by a name that need not be exact, and why it belongs to its segment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows.failures import WorkflowError

SURE, CLEAR = 88.0, 4.0
"""A misspelt name is understood from this similarity (of 100) on, if no other county comes this close to it."""
SUGGESTIONS = 5
_KINDS = re.compile(r"\b(county|parish|borough|census area|municipality|municipio)\b")
STATES = dict(
    pair.split(" ", 1)
    for pair in [
        "al alabama",
        "ak alaska",
        "az arizona",
        "ar arkansas",
        "ca california",
        "co colorado",
        "ct connecticut",
        "de delaware",
        "dc district of columbia",
        "fl florida",
        "ga georgia",
        "hi hawaii",
        "id idaho",
        "il illinois",
        "in indiana",
        "ia iowa",
        "ks kansas",
        "ky kentucky",
        "la louisiana",
        "me maine",
        "md maryland",
        "ma massachusetts",
        "mi michigan",
        "mn minnesota",
        "ms mississippi",
        "mo missouri",
        "mt montana",
        "ne nebraska",
        "nv nevada",
        "nh new hampshire",
        "nj new jersey",
        "nm new mexico",
        "ny new york",
        "nc north carolina",
        "nd north dakota",
        "oh ohio",
        "ok oklahoma",
        "or oregon",
        "pa pennsylvania",
        "pr puerto rico",
        "ri rhode island",
        "sc south carolina",
        "sd south dakota",
        "tn tennessee",
        "tx texas",
        "ut utah",
        "vt vermont",
        "va virginia",
        "wa washington",
        "wv west virginia",
        "wi wisconsin",
        "wy wyoming",
    ]
)
"""Postal abbreviations."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one column says for a county's segment against the second nearest one, as a part of the difference of squared distances.

    ``value``, ``segment`` and ``second`` are the county's value and the two segments' means, in the column's own unit. ``like`` are
    columns that say the same, whose parts are in ``share`` too.
    """

    column: str
    share: float
    value: float
    segment: float
    second: float
    like: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The column, and how many others count with it."""
        return f"{self.column} and {len(self.like)} like it" if self.like else self.column


def find(names: Sequence[str], asked: str) -> int:
    """The index of the county that is meant: "Los Angeles, California", "los angeles county, CA", "California-Los Angeles", the name
    alone where only one state has it, or something misspelt that only one county comes close to.

    Raises:
        WorkflowError: There is none, or there are several; the text has the likeliest ones.
    """
    from rapidfuzz import fuzz, process

    known = [_plain(name) for name in names]
    wanted = _plain(asked)
    if not wanted:
        raise WorkflowError('An empty name is no county. Name one, such as "Los Angeles, California".')
    if wanted in known:
        return known.index(wanted)
    if ", " not in wanted:
        before, dash, after = asked.partition("-")
        turned = _plain(f"{after}, {before}") if dash else ""
        if turned in known:
            return known.index(turned)
        same = [index for index, name in enumerate(known) if name.rpartition(", ")[0] == wanted]
        if len(same) == 1:
            return same[0]
        if same:
            some = "; ".join(names[index] for index in same[:SUGGESTIONS])
            raise WorkflowError(
                f"{len(same)} states have a county {asked.strip()!r}: {some}{' …' if len(same) > SUGGESTIONS else ''}. Name the state too."
            )
        # Without a state only the counties' own names are compared.
        pool = [name.rpartition(", ")[0] for name in known]
    else:
        pool = known
    near = process.extract(wanted, pool, scorer=fuzz.ratio, limit=SUGGESTIONS)
    if near and near[0][1] >= SURE and (len(near) == 1 or near[0][1] - near[1][1] >= CLEAR):
        return int(near[0][2])
    some = "; ".join(names[index] for _, _, index in near)
    raise WorkflowError(f"There is no county {asked.strip()!r} in the data. Did you mean {some}?")


def reasons(
    scaled: Any,
    value: Any,
    columns: Sequence[str],
    components: Any,
    first: Any,
    second: Any,
    means: tuple[Any, Any],
    alike: Sequence[Sequence[int]],
) -> list[Reason]:
    """Why a county is nearer to one centre than to another, column by column, the weightiest first.

    The difference of the squared distances to the centres b and a is exactly 2 Σ_f (x_f - mean_f - m_f) w_f with w = V (a - b) and
    m = V (a + b) / 2 in the space of the columns, as V has orthonormal columns; ``share`` is a summand over the sum. Shares add
    up to 1, and one below zero speaks for the second segment.

    Args:
        scaled: The county on the common scale, shape (d,).
        value: The same in the columns' own units, shape (d,).
        columns: The d columns' names.
        components: `Components` of the n dimensions of the centres.
        first: The centre it belongs to, shape (n,).
        second: The second nearest centre, shape (n,).
        means: Mean values of both segments' members, in the columns' own units, shape (d,) each.
        alike: Indices of the columns in groups that say the same; a group is one reason.
    """
    import numpy as np

    vectors = components.vectors.astype(float)
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    weights = vectors @ (one - other)
    middle = vectors @ (one + other) / 2
    parts = 2 * (np.asarray(scaled, dtype=float) - components.mean - middle) * weights
    total = float(parts.sum())
    shares = parts / total if abs(total) > 1e-12 else parts
    found = [
        Reason(
            columns[group[0]],
            float(shares[list(group)].sum()),
            float(value[group[0]]),
            float(means[0][group[0]]),
            float(means[1][group[0]]),
            tuple(columns[index] for index in group[1:]),
        )
        for group in alike
    ]
    return sorted(found, key=lambda reason: -abs(reason.share))


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    text = _KINDS.sub(" ", text).replace(".", "").replace("'", "")
    county, _, state = text.rpartition(",") if "," in text else (text, "", "")
    state = " ".join(state.split())
    return ", ".join(filter(None, (" ".join(county.split()), STATES.get(state, state))))
