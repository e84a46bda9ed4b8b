"""A rollout as lines of text: what will happen, and what happens. Pure functions from plan, state and a size to styled lines."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

from console import timeline
from console.formatting import clock, crop, duration, number, span, status
from console.screens.facts import fact, head, sentences
from console.widgets.drawing import Lines, Run
from console.widgets.folding import fold
from workflows.rollout.alarms import AlarmState
from workflows.rollout.asked import RolloutView
from workflows.rollout.events import RolloutEvent
from workflows.rollout.plan import Plan
from workflows.rollout.request import GAUGES
from workflows.rollout.state import FleetTraffic, FleetView, RolloutState, current_phase

ROLES = {"good": "ok", "warning": "wait", "error": "bad", "info": ""}
GLYPHS = {"good": "✓", "warning": "!", "error": "✗", "info": "·"}
LOWEST, HIGHEST = 4, 7
"""Lines of the picture of the traffic: as many as the facts leave."""
TALL = 30
"""From this many lines on there is room for more than the most important."""


def amount(value: float | None, gauge: str) -> str:
    """A gauge's value as a person reads it."""
    if value is None:
        return "–"
    if GAUGES[gauge].unit == "share":
        return f"{value * 100:.3g}%"
    return f"{value:.3g} ms"


# A plan


def preview(plan: Plan, width: int, height: int, target: str) -> Lines:
    """A plan beside or below its form: the timeline first, then as much as there is room for."""
    short = height < 14
    top: list[Run] = [("Takes about ", "dim"), (duration(plan.seconds), "strong")]
    if plan.extra:
        free = " on AWS" if target == "embedded" else ""
        top.append((f" · {plan.extra} more meanwhile{free}", ""))
    if 0 < plan.scale < 1:
        top.append((f" · waits {1 / plan.scale:g} × faster here", "dim"))
    lines: Lines = [top, *timeline.chart(plan.phases, width, 5 if short else 7)]
    worst = [*plan.errors, *plan.warnings]
    if short:
        if worst:
            lines += _finding(worst[0].level, worst[0].sentence, width)[:2]
        else:
            lines += sentences([plan.cost(target)], width, "dim")[:2]
        return lines
    lines += [[], *timeline.rows(plan.phases, width, most=12)]
    lines += [[], head("Cost"), *sentences([plan.cost(target) or "nothing more: no instances"], width)]
    lines += [[], head("Alarms that take it back")]
    for rail in plan.guardrails:
        lines.append(
            [
                (crop(rail.gauge.title, 15), ""),
                (f"> {amount(rail.threshold, rail.gauge.key):<10}", "strong"),
                (f"{rail.variant}, last hour {amount(rail.blue, rail.gauge.key)}", "dim"),
            ]
        )
    lines += [[(name, ""), ("  (an alarm of yours)", "dim")] for name in plan.request.own_alarms]
    lines.append([("roll back now", ""), ("  set off by a person while it runs", "dim")])
    lines += sentences(plan.notes, width, "dim")
    if worst:
        lines.append([])
    for finding in worst:
        lines += _finding(finding.level, finding.sentence, width)
    return lines


def _finding(level: str, text: str, width: int) -> Lines:
    mark, role = ("✗ ", "bad") if level == "error" else ("! ", "wait")
    pieces = textwrap.wrap(text, max(20, width - 2)) or [""]
    return [[(mark if not number else "  ", role), (piece, role)] for number, piece in enumerate(pieces)]


# A rollout that runs, or ran


def live(view: RolloutView | None, now: float, width: int, height: int) -> Lines:
    """State, traffic, timeline, fleets side by side, alarms; what matters most comes first."""
    if view is None:
        return [[("Loading the rollout …", "dim")]]
    plan, state = view.rollout.plan, view.state
    tall = height >= TALL
    gap: Lines = [[]] if tall else []
    above: Lines = [*headline(view, now, width, tall=tall), *gap, *traffic_bar(state, width), *gap]
    at = position(view, now)
    back = state.phase == "rolling-back" or state.outcome == "rolled-back"
    below: Lines = []
    if tall:
        below += [
            [],
            *timeline.rows(plan.phases, width, at=at if state.active and not back else None, most=10),
        ]
    below += [*gap, *fleets(view, width), *gap, *alarms(state.alarms, now, width)]
    left = height - sum(len(fold(line, width)) for line in (*above, *below))
    drawn = max(LOWEST, min(HIGHEST, left)) if tall else LOWEST
    return [*above, *timeline.chart(plan.phases, width, drawn, at=at, back=back), *below]


def headline(view: RolloutView, now: float, width: int, *, tall: bool = True) -> Lines:
    """What it does now, how long that takes, and how it ended; SageMaker's message on one line where the screen is not ``tall``."""
    state = view.state
    if not state.active:
        shown = status(state.outcome)
        known = view.rollout.known
        took = duration(known.ended - known.started) if known.ended and known.started else ""
        lines: Lines = [
            [
                (f"{shown}", shown.role),
                (f" · {clock(known.ended or state.since, day=True)}", "dim"),
                (f" · after {took}" if took else "", "dim"),
            ]
        ]
        if state.failure:
            lines += sentences([state.failure], width, "bad")[:3]
        return lines
    passed = max(0.0, now - state.at)
    left = None if state.left is None else max(0.0, state.left - passed)
    whole = None if state.remaining is None else max(0.0, state.remaining - passed)
    role = "bad" if state.phase == "rolling-back" else "live"
    line: list[Run] = [(f"● {state.title}", role)]
    if left is not None:
        phase = current_phase(view.rollout.plan, state)
        about = "" if phase is not None and phase.declared else "about "
        line += [
            (f" · {about}{duration(left)} left", "strong"),
            (f" · done in about {duration(whole)}", "dim"),
        ]
    lines = [line]
    words = state.green.message or state.blue.message
    if words:
        lines.append([("  " + words if tall else crop("  " + words, width).rstrip(), "dim")])
    return lines


def traffic_bar(state: RolloutState, width: int) -> Lines:
    """Who gets the traffic: as declared, and as counted."""
    room = max(10, width - 28)
    lines: Lines = [
        [
            ("blue ", timeline.BLUE),
            (f"{1 - state.share:4.0%} ", "strong"),
            *timeline.split(state.share, room),
            (f" {state.share:4.0%}", "strong"),
            (" green", timeline.GREEN),
        ]
    ]
    measured = state.measured
    if measured is not None and state.green_traffic is not None:
        text = (
            f"counted: {measured:.1%} on green of the requests in the last {span(state.green_traffic.window)}"
        )
        lines.append([(" " * 10 + text, "dim")])
    return lines


def fleets(view: RolloutView, width: int) -> Lines:
    """Blue and green side by side: configuration, instances, status, what they serve."""
    plan, state = view.rollout.plan, view.state
    label, column = 12, max(20, (width - 12) // 2)

    def row(name: str, blue: str, green: str) -> Lines:
        pieces = [textwrap.wrap(text, column - 1) or [""] for text in (blue, green)]
        return [
            [(crop(title, label), "dim"), (crop(left, column), ""), (right, "")]
            for title, left, right in zip_longest([name], *pieces, fillvalue="")
        ]

    def served(traffic: FleetTraffic | None, key: str) -> str:
        if traffic is None:
            return "–"
        if key == "invocations":
            return f"{number(traffic.invocations)} in {span(traffic.window)}"
        if key == "errors":
            return amount(traffic.errors, "model-errors")
        return f"{amount(traffic.mean, 'mean')} · p99 {amount(traffic.p99, 'p99')}"

    lines: Lines = [
        [
            (" " * label, ""),
            (crop("blue", column), timeline.BLUE + ""),
            (crop("green", column), timeline.GREEN),
        ],
        *row("config", plan.blue, plan.green),
        *row(
            "instances",
            _instances(state.blue, plan.blue_instances),
            _instances(state.green, plan.green_instances),
        ),
    ]
    if state.active:
        lines += row("status", state.blue.status or "–", state.green.status or "–")
    if state.blue_traffic or state.green_traffic:
        for title, key in (("requests", "invocations"), ("errors", "errors"), ("latency", "latency")):
            lines += row(title, served(state.blue_traffic, key), served(state.green_traffic, key))
    return lines


def _instances(fleet: FleetView, planned: tuple[tuple[str, int], ...]) -> str:
    if not fleet.variants:
        return "–"
    kinds = " + ".join(dict.fromkeys(kind for kind, _ in planned))
    here = sum(item.current_count for item in fleet.variants)
    wanted = sum(item.desired_count for item in fleet.variants)
    return f"{here} of {wanted} × {kinds}" if here != wanted else f"{here} × {kinds}"


def alarms(found: tuple[AlarmState, ...], now: float, width: int) -> Lines:
    """The alarms with their values and limits."""
    if not found:
        return [head("Alarms", "none is left")]
    lines: Lines = []
    told = [_measured(alarm) for alarm in found]
    widest = max(map(len, told))
    for alarm, values in zip(found, told, strict=True):
        shown = status(alarm.state)
        words = {"INSUFFICIENT_DATA": "no data"}.get(alarm.state, alarm.state)
        line: list[Run] = [
            (f"{shown.glyph} ", shown.role),
            (crop(alarm.title, 14) + " ", "bad" if alarm.state == "ALARM" else ""),
            (crop(words, 8), shown.role),
            (f"{values:<{widest}}  ", "strong" if alarm.state == "ALARM" else ""),
            (alarm.variant, "dim"),
        ]
        lines.append(line)
    return lines


def _measured(alarm: AlarmState) -> str:
    """An alarm's value with its limit, and that of blue."""
    if not alarm.gauge:
        return ""
    text = f"{amount(alarm.value, alarm.gauge)} of {amount(alarm.threshold, alarm.gauge)}"
    return text if alarm.blue is None else f"{text} (blue {amount(alarm.blue, alarm.gauge)})"


def happened(events: tuple[RolloutEvent, ...], width: int) -> Lines:
    """The event log, the newest first."""
    lines: Lines = []
    for event in reversed(events):
        role, glyph = ROLES[event.level], GLYPHS[event.level]
        pieces = textwrap.wrap(event.sentence, max(20, width - 12), break_on_hyphens=False) or [""]
        lines.append([(clock(event.time) + " ", "dim"), (f"{glyph} ", role or "dim"), (pieces[0], role)])
        lines += [[(" " * 11, ""), (piece, role)] for piece in pieces[1:4]]
    return lines or [[("Nothing yet.", "dim")]]


def settings(plan: Plan, width: int) -> Lines:
    """How it was asked for."""
    request = plan.request
    lines: Lines = [
        head("Rollout"),
        *fact("Name", plan.id, width),
        *fact("Endpoint", request.endpoint, width),
    ]
    lines += fact("New", f"{request.source} ({plan.model_name or 'configuration'})", width)
    lines += fact("Variants", ", ".join(plan.variants), width)
    step = "" if request.strategy == "all-at-once" else f", {request.step} at a time"
    lines += fact("Strategy", request.strategy + step, width)
    lines += fact("Wait", f"{request.wait} s between steps, {request.bake} s at the end", width)
    lines += fact("Time limit", f"{request.timeout} s", width)
    lines += fact("Retained", "counts and weights" if request.retain else "nothing", width)
    lines += [[], head("Alarms")]
    for rail in plan.guardrails:
        lines += fact(rail.gauge.title, f"> {amount(rail.threshold, rail.gauge.key)}  {rail.name}", width)
    return lines


def position(view: RolloutView, now: float) -> float | None:
    """Where the rollout is on its timeline, in the timeline's seconds; None: at the end of what it did."""
    plan, state = view.rollout.plan, view.state
    if state.outcome == "succeeded":
        return None
    if not state.active or state.phase == "rolling-back":
        reached = max((event.share for event in view.events if hasattr(event, "share")), default=0.0)
        return next((phase.end for phase in reversed(plan.phases) if phase.share <= reached), 0.0)
    if state.remaining is None:
        return 0.0
    return max(0.0, plan.seconds - max(0.0, state.remaining - max(0.0, now - state.at)))
