"""The comparison of captured requests with a baseline, as lines of text."""

from __future__ import annotations

from dataclasses import dataclass

from console.formatting import bar, clock, count, crop, number
from console.screens import facts
from console.widgets.drawing import Lines, Run
from workflows.drift.report import Change, DriftReport, Family, Side

VERDICTS = {
    "drift": ("✗ drift", "bad"),
    "none": ("✓ no drift found", "ok"),
    "too-few": ("◌ too few to tell", "wait"),
}
BETWEEN, LEAST = 17, 66
"""Cells of an interval, and those of a screen that has room for it: in fewer it would go on below each line."""
SHOWN = 12
"""Changes per family."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for."""

    baseline: str
    since: str
    column: str


def page(report: DriftReport | None, asked: Asked, width: int, *, waiting: bool) -> Lines:
    """All of it for a width."""
    lines: Lines = []
    if report is None:
        lines += facts.fact("Baseline", asked.baseline, width)
        lines += facts.fact("Window", f"the last {asked.since}" if asked.since else "all that was captured after it", width)  # fmt: skip
        if asked.column:
            lines += facts.fact("Column", asked.column, width)
        text = "Reading the capture and comparing …" if waiting else "Nothing can be compared: the line above says why. b names another baseline."  # fmt: skip
        return [*lines, [], *facts.sentences([text], width, "dim")]
    lines += facts.fact("Baseline", _side(report.baseline), width)
    lines += facts.fact("Window", _side(report.window), width)
    lines += [[], *facts.sentences([report.sentence], width, VERDICTS[report.verdict][1])]
    for family in report.families:
        lines += [[], *_family(family, width)]
    if report.notes:
        lines += [[], facts.head("To be read with it"), *facts.sentences(report.notes, width, "dim")]
    caution = "Looking often finds something at last: whoever looks every day divides alpha (mlconsole drift --looks 30)."  # fmt: skip
    return [*lines, *facts.sentences([caution], width, "dim")]


def _family(family: Family, width: int) -> Lines:
    told = f"{family.looked} looked at · {family.tested} tested · {len(family.drifted)} more than chance"
    lines: Lines = [facts.head(_title(family.name), told)]
    if not family.changes:
        return [*lines, [("nothing could be compared", "dim")]]
    measure = family.changes[0].measure
    between = 0 if width < LEAST else BETWEEN
    name = max(16, min(34, width - 62))
    room = max(0, min(24, width - name - 58))
    interval = f"{'95%':>{between}}" if between else ""
    head = f"  {crop('', name)} {'before':>8} {'now':>8}  {measure:>8} {interval} {'p adj.':>8}"
    lines.append([(crop(head, width).rstrip(), "dim")])
    top = max(abs(change.effect) for change in family.changes[:SHOWN]) or 1.0
    for change in family.changes[:SHOWN]:
        lines.append(_change(change, name, room, top, between))
    rest = len(family.changes) - SHOWN
    if rest > 0:
        lines.append([(f"  … and {rest} weaker ones", "dim")])
    return lines


def _change(change: Change, name: int, room: int, top: float, width: int) -> list[Run]:
    role = "bad" if change.significant else ""
    title = f"{change.name} = {change.what}" if change.what else change.name
    between = (
        f"{_short(change.low)} – {_short(change.high)}"
        if change.low is not None and change.high is not None
        else "–"
    )
    return [
        ("✗ " if change.significant else "  ", role),
        (crop(title, name), "strong" if change.significant else ""),
        (f" {_amount(change, change.before):>8} {_amount(change, change.now):>8}", ""),
        (f"  {_short(change.effect):>8}", role),
        (f" {between:>{width}}" if width else "", "dim"),
        (f" {_p(change.adjusted):>8} ", "dim"),
        (bar(change.effect / top, room).rstrip() if room else "", "bad" if change.significant else "faint"),
    ]


def _amount(change: Change, value: float | None) -> str:
    if value is None:
        return "–"
    return number(value) if change.kind == "number" else f"{value:.1%}"


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _p(value: float) -> str:
    return "1" if value > 0.995 else f"{value:.1e}" if value < 0.001 else f"{value:.3f}"


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _side(side: Side) -> str:
    text = f"{count(side.records, 'record')} · {side.source}"
    if side.since is not None and side.until is not None:
        text += f" · {clock(side.since, day=True)} to {clock(side.until, day=True)}"
    return text
