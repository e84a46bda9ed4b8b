"""The likely cause of a difference, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflows.comparison.rows import Difference, Score, Side

_SPELLED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MOST = 6
"""Causes that are named; more are counted."""


def sentence(
    a: Side, b: Side, differences: Sequence[Difference], scores: Sequence[Score], *, known: bool = True
) -> str:
    """What the scores did, and what that is due to. ``known``: both runs recorded everything that can be compared."""
    recorded = "" if known else " as far as both runs recorded them"
    causes = [item for item in differences if item.cause]
    machines = [item for item in differences if item.kind == "machine"]
    lead = next((score for score in scores if score.important and score.difference is not None), None)
    without = [
        side for side in (a, b) if side.withheld or side.status in ("failed", "stopped", "interrupted")
    ]
    if lead is None and without:
        why = " ".join(_silent(side) for side in without)
        return f"{why} So scores cannot be compared. {_differ(causes)}"
    said = _did(lead) if lead is not None else "No score is in both runs."
    moved = [
        score
        for score in scores
        if score.important and score.verdict in ("better", "worse", "higher", "lower", "unknown")
    ]
    if not causes:
        if not moved and (lead is None or lead.verdict == "same"):
            also = f" Only the machine differs: {_named(machines)}." if machines else ""
            return f"Same inputs{recorded}, same scores.{also}"
        also = f", or the machine's ({_named(machines)})" if machines else ""
        return f"{said} The inputs are the same{recorded}: the difference is randomness of training and timing{also}."
    if lead is not None and lead.verdict == "same" and not moved:
        return f"{said} {_differ(causes)} It changed no score."
    if len(causes) == 1:
        if lead is not None and lead.verdict == "within":
            return f"{said} Only {_named(causes)} differs, and chance alone makes differences as large."
        return f"{said} The difference is due to {_named(causes)}: nothing else differs{recorded and ', as far as both runs recorded it'}."
    if lead is not None and lead.verdict == "within":
        return f"{said} {_differ(causes)} Chance alone makes differences as large."
    return f"{said} {_differ(causes)} The difference cannot be put down to one of them."


def value(given: Any) -> str:
    """A value as a sentence shows it: hashes shortened."""
    if given is None:
        return "none"
    text = str(given)
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, float):
        return f"{given:g}"
    if len(text) == 64 and not set(text) - set("0123456789abcdef"):
        return text[:12]
    return text if len(text) <= 60 else f"{text[:57]}…"


def _did(score: Score) -> str:
    """``Accuracy 0.933 → 0.947 (+0.013): within …``."""
    before, after = shown(score.a, score.unit), shown(score.b, score.unit)
    moved = f"{score.title} {before} → {after} ({change(score)})"
    match score.verdict:
        case "same":
            return f"{score.title} is the same: {before}."
        case "within":
            return f"{moved}, within the {score.basis}."
        case "unknown":
            return f"{moved}; nothing tells how much of it is chance."
    return f"{moved}, {score.verdict} by more than the {score.basis}."


def shown(number: float | None, unit: str = "") -> str:
    """A metric's value in its unit."""
    if number is None:
        return "–"
    if unit == "share":
        return f"{100 * number:.1f} %"
    return f"{number:.4g} {unit}".strip()


def change(score: Score) -> str:
    """The difference with its sign; that of shares in percentage points."""
    if score.difference is None:
        return "–"
    if score.difference == 0:
        return "0"
    if score.unit == "share":
        return f"{100 * score.difference:+.1f} points"
    return f"{score.difference:+.4g} {score.unit}".strip()


def _tag(image: Any) -> str:
    return str(image).rpartition(":")[2]


def _silent(side: Side) -> str:
    if side.withheld:
        return f"{side.run}: {side.withheld[0]}"
    return f"{side.run} is {side.status}{f': {side.message}' if side.status == 'failed' and side.message else '.'}"


def _differ(causes: Sequence[Difference]) -> str:
    if not causes:
        return "The inputs are the same."
    if len(causes) == 1:
        return f"One thing differs: {_named(causes)}."
    count = _SPELLED[len(causes)] if len(causes) < len(_SPELLED) else str(len(causes))
    return f"{count.capitalize()} things differ: {_named(causes)}."


def _named(items: Sequence[Difference]) -> str:
    parts = [_one(item) for item in items[:MOST]]
    if len(items) > MOST:
        parts.append(f"{len(items) - MOST} more")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _one(item: Difference) -> str:
    moved = f"{value(item.a)} → {value(item.b)}"
    match item.kind:
        case "parameter" | "machine" | "input" | "library":
            return f"{item.name} ({moved})"
        case "interface" | "target":
            return f"the {item.name} ({moved})"
        case "code":
            return f"the code ({item.name} {moved})"
        case "image":
            return f"the image {item.name} ({_tag(item.a)} → {_tag(item.b)})"
        case "data":
            return f"the data ({moved})" if item.name == "data" else f"the data's {item.name} ({moved})"
        case "split":
            return f"the prepared data ({item.name} {moved})"
    return f"{item.name} ({moved})"
