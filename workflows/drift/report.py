"""What a comparison tells: changes ranked by evidence, and whether they are more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FEWEST = 30
"""Records on each side below which nothing is said."""
Verdict = Literal["drift", "none", "too-few"]
Kind = Literal["word", "number", "category", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that was compared.

    ``p`` is of its own test, ``adjusted`` holds for all tests of its family together, ``significant`` is adjusted against the
    family's share of alpha. ``effect`` is a ratio of shares for words, the population stability index (PSI) otherwise, with its
    95 % interval. ``before`` and ``now`` are shares of records for words, means for numbers, the share of the category that moved
    most (``what``) for categories.
    """

    name: str
    kind: Kind
    p: float
    adjusted: float
    significant: bool
    effect: float
    low: float | None = None
    high: float | None = None
    before: float | None = None
    now: float | None = None
    what: str = ""

    @property
    def measure(self) -> str:
        """What ``effect`` is."""
        return "ratio" if self.kind == "word" else "PSI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tests that share one part of alpha. ``tested`` is by how many p is corrected, ``looked`` how many things there were."""

    name: str
    alpha: float
    changes: tuple[Change, ...] = ()
    tested: int = 0
    looked: int = 0

    @property
    def drifted(self) -> tuple[Change, ...]:
        """What is more than chance."""
        return tuple(change for change in self.changes if change.significant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison: where it comes from, how many records, from when to when (epoch seconds, None: not known)."""

    source: str
    records: int
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The comparison of an endpoint's captured data with a baseline. ``form`` is ``text`` or ``table``."""

    endpoint: str
    form: str
    baseline: Side
    window: Side
    alpha: float
    looks: int = 1
    families: tuple[Family, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``drift``: something is more than chance; ``none``: nothing is; ``too-few``: nothing can be said yet."""
        if min(self.baseline.records, self.window.records) < FEWEST:
            return "too-few"
        return "drift" if any(family.drifted for family in self.families) else "none"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        have = f"{self.window.records} records against {self.baseline.records}"
        if self.verdict == "too-few":
            return f"Too few to tell: {have}; at least {FEWEST} on each side are needed."
        level = f"chance of any false alarm {self.alpha:.2g}"
        level += f" over {self.looks} looks" if self.looks > 1 else ""
        if self.verdict == "none":
            return f"No drift found in {have} ({level})."
        found = [change for family in self.families for change in family.drifted]
        first = ", ".join(change.name for change in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return f"Drift in {have} ({level}): {first}{more}."
