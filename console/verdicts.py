"""What an A/B test says, in words and numbers as a person reads them; the command line and the screens share them."""

from __future__ import annotations

import math

from console.formatting import Status, duration, grouped, number
from workflows.abtest.definition import Experiment
from workflows.abtest.report import Comparison, Guardrail, Report

_CHIPS = {
    "watching": ("◌", "keep watching", "wait"),
    "better": ("▲", "{winner} is better", "ok"),
    "worse": ("▼", "{winner} stays: {others} worse", "bad"),
    "same": ("=", "no difference beyond {margin}", "live"),
    "hurts": ("✗", "better, but breaks {guardrails}", "bad"),
    "split": ("✗", "no verdict: the split is wrong", "bad"),
}
_ONE = {
    "watching": ("◌", "keep watching", "wait"),
    "better": ("▲", "better", "ok"),
    "worse": ("▼", "worse", "bad"),
    "same": ("=", "no difference", "live"),
}
STATES = {"running": "running", "stopped": "stopped", "promoted": "completed"}
"""States of a test as statuses that have a glyph."""


def chip(report: Report) -> Status:
    """The verdict of a whole test: glyph, words, role. No state is told by colour alone."""
    one = report.experiment
    glyph, words, role = _CHIPS[report.verdict]
    others = one.challengers
    text = words.format(
        winner=report.winner,
        others=f"{others[0]} is" if len(others) == 1 else "all others are",
        margin=difference(one, one.margin, sign="±"),
        guardrails=", ".join(dict.fromkeys(item.name for item in report.hurt)),
    )
    return Status(glyph, text, role)


def of_one(verdict: str) -> Status:
    """The verdict of one comparison or guardrail."""
    return Status(*_ONE[verdict])


def of_guardrail(one: Guardrail) -> Status:
    """The state of a guardrail: what is not broken holds so far."""
    if one.verdict == "worse":
        return Status("✗", "broken", "bad")
    return Status("▲", "better", "ok") if one.verdict == "better" else Status("✓", "holds", "dim")


def split_chip(report: Report) -> Status:
    """Whether the requests are split as the weights say."""
    if report.split_wrong:
        return Status("✗", "split wrong", "bad")
    return Status("✓", "split right", "ok") if report.requests else Status("◌", "no request yet", "dim")


def value(one: Experiment, found: float | None) -> str:
    """A mean reward: rates in percent."""
    if found is None:
        return "–"
    return f"{found * 100:.2f}%" if one.kind == "rate" else number(found)


def difference(one: Experiment, found: float, sign: str = "") -> str:
    """A difference of two of them: percentage points of rates, percent of a ``log`` metric."""
    if not math.isfinite(found):
        return "−∞" if found < 0 else "∞"
    found = round(found, 12)  # an axis has its 0 from a sum
    text = sign or ("+" if found > 0 else "−" if found < 0 else "")
    size = abs(found)
    if one.kind == "rate":
        return f"{text}{size * 100:.2f} pp"
    return f"{text}{size * 100:.1f}%" if one.kind == "log" else f"{text}{number(size)}"


def interval(one: Experiment, found: Comparison) -> str:
    """The confidence sequence of a comparison."""
    if not math.isfinite(found.low):
        return "not known yet"
    return f"{difference(one, found.low)} … {difference(one, found.high)}"


def evidence(found: float) -> str:
    """An e-value: how many times the stake against "no difference" has grown."""
    if found >= 1e6:
        return f"×{found:.1e}".replace("e+0", "e").replace("e+", "e")
    return f"×{found:.0f}" if found >= 100 else f"×{found:.2g}"


def percent(found: float) -> str:
    """A probability."""
    if found < 0.0001:
        return "< 0.01%"
    return "> 99.99%" if found > 0.9999 else f"{found * 100:.4g}%"


def ratio(one: Guardrail) -> str:
    """A guardrail's ratio to the control with its confidence sequence."""
    if one.missing or (one.name != "latency" and one.control + one.challenger == 0):
        return "–"
    high = "∞" if math.isinf(one.high) else f"{one.high:.2f}"
    best = "∞" if math.isinf(one.value) else f"{one.value:.2f}"
    return f"×{best}  ({one.low:.2f} … {high})"


def sight(report: Report, found: Comparison) -> str:
    """How far a comparison's verdict is, if things stay as they look."""
    if found.verdict != "watching":
        return f"concluded after {grouped(found.at)} requests, and it stays"
    if report.state != "running":
        return "ended without a verdict"
    if found.missing:
        return f"no verdict before {found.missing}"
    if found.left is None:
        return "not known yet"
    if not math.isfinite(found.left) or found.left > 1e9:
        return "not in sight: the variants look the same" + (
            "" if report.experiment.margin else "; give a margin"
        )
    what = "verdict" if found.outcome == "different" else "no difference"
    more = f"{what} in about {grouped(max(1, round(found.left)))} requests"
    return more + (f", {duration(found.seconds)} at this traffic" if found.seconds is not None else "")
