"""What is known of an endpoint as lines of text: pure functions from observed values to styled lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.formatting import ago, bar, clock, count, crop, number, printable, span, status
from console.keymap import key
from console.screens.facts import bill_facts, fact, head, sentences, table
from console.widgets.drawing import SERIES_ROLES, Lines, Run
from workflows.costs.bills import of_endpoint
from workflows.observe import captures
from workflows.observe.rows import DELETED_CONFIG

if TYPE_CHECKING:
    from workflows.observe.rows import (
        EndpointDetail,
        EndpointRow,
        EndpointTraffic,
        VariantRow,
        VariantTraffic,
    )
    from workflows.observe.watch_rows import AlarmHistory, AlarmRow, EndpointScaling
    from workflows.traffic.reports import Report

NAME = 14


@dataclass(frozen=True, slots=True)
class Watched:
    """What else is known of an endpoint on its own screen; None: not yet."""

    alarms: Sequence[AlarmRow] | None = None
    replay: Report | None = None


def endpoint_facts(
    detail: EndpointDetail | None,
    row: EndpointRow | None,
    traffic: EndpointTraffic | None,
    now: float,
    width: int,
    watched: Watched | None = None,
) -> Lines:
    """State, variants with their weights, what they serve, the configuration."""
    row = detail.row if detail else row
    if row is None:
        return [[("Loading the endpoint …", "dim")]]
    shown = status(row.status)
    lines: Lines = [
        [(row.name, "strong")],
        [
            (str(shown), shown.role),
            (f" · created {clock(row.created, day=True)} · {ago(row.created, now)}", "dim"),
        ],
    ]
    if detail is None:
        return [*lines, [], [("Loading its variants …", "dim")]]
    if detail.failure_reason:
        lines += [[], head("Why it failed")]
        for paragraph in detail.failure_reason.strip().splitlines()[-12:]:
            lines += sentences([paragraph], width, "bad")
    lines += [[], head("Variants", count(len(detail.variants), "variant"))]
    for place, variant in enumerate(detail.variants):
        lines += _variant(variant, width, coloured(place))
    for variant in detail.shadows:
        lines += _variant(variant, width, "dim", shadow=True)
    lines += _pending(detail, now, width)
    lines += [[], *traffic_facts(traffic, width, detail)]
    if watched is not None:
        lines += [[], head("Around it"), *_around(detail, watched, now, width)]
    else:
        lines += bill_facts(of_endpoint(detail), now, width)
    lines += [[], head("Configuration"), *fact("Name", detail.config, width)]
    if detail.config_deleted:
        lines += sentences([DELETED_CONFIG], width, "wait")
    lines += fact("ARN", detail.arn, width)
    return lines


def coloured(place: int) -> str:
    """The role of the variant at a place, in bars, tables and charts alike."""
    return SERIES_ROLES[place % len(SERIES_ROLES)]


def _variant(variant: VariantRow, width: int, role: str, *, shadow: bool = False) -> Lines:
    room = max(6, min(20, width - 48))
    counted = f"{variant.current_count}"
    if variant.current_count != variant.desired_count:
        counted += f"→{variant.desired_count}"
    machine = f"{counted} × {variant.instance_type or '?'}"
    if variant.memory:
        machine = f"serverless, {variant.memory} MB"
    line: list[Run] = [
        (crop(variant.name, 16) + " ", "strong"),
        (bar(variant.share, room), role),
        (f" {variant.share:4.0%} ", ""),
    ]
    about = (
        "shadow: gets copies, its answers go nowhere" if shadow else f"model {variant.model or 'not known'}"
    )
    if sum(len(text) for text, _ in line) + 1 + len(machine) <= width:
        line.append((f" {machine}", "dim"))
    else:
        about = f"{machine} · {about}"
    lines: Lines = [line]
    lines.append([("  " + about, "dim")])
    if said := under_way(variant):
        lines.append([("  " + said, "wait")])
    return lines


def under_way(variant: VariantRow) -> str:
    """What a variant is doing; SageMaker's message often begins with the status."""
    if variant.message.startswith(variant.status):
        return variant.message
    return f"{variant.status} {variant.message}".strip()


def _pending(detail: EndpointDetail, now: float, width: int) -> Lines:
    """The update that is under way: blue in service, green beside it."""
    fleet = detail.pending
    if fleet is None:
        return []
    lines: Lines = [[], head("Update under way", f"for {span(now - fleet.started)}")]
    for name, config, variants in (
        ("blue", detail.config, detail.variants),
        ("green", fleet.config, fleet.variants),
    ):
        lines.append(
            [
                (crop(name, 6), "series-1" if name == "blue" else "ok"),
                (config, ""),
            ]
        )
        for one in variants:
            about = f"{one.name}: {one.current_count} of {one.desired_count} × {one.instance_type or '–'}"
            lines.append([("      " + f"{about} {under_way(one)}".rstrip(), "dim")])
    return lines


def _around(detail: EndpointDetail, watched: Watched, now: float, width: int) -> Lines:
    """Alarms, captures, replays, costs: one line each."""
    lines: Lines = []
    alarms = watched.alarms
    if alarms is not None:
        firing = [row.name for row in alarms if row.state == "ALARM"]
        text = (
            f"{count(len(firing), 'alarm')} of {len(alarms)} in ALARM: {', '.join(firing)}"
            if firing
            else f"{count(len(alarms), 'alarm')}, none in ALARM"
            if alarms
            else "no alarm watches it"
        )
        lines += fact("Alarms", text, width, "bad" if firing else "")
    lines += fact("Capture", capture_text(detail), width)
    if watched.replay is not None:
        lines += fact("Replay", replay_text(watched.replay, now), width, "live")
    return lines + bill_facts(of_endpoint(detail), now, width)


def capture_text(detail: EndpointDetail) -> str:
    """Whether requests are captured, which, and where."""
    place = captures.place_of(detail.name, detail.raw_config)
    if place is None:
        return "off"
    if not place.enabled:
        return f"switched off; earlier files are below {place.uri}"
    sides = " and ".join(side.lower() for side in place.sides) or "nothing"
    return f"{place.percent}% of the requests, {sides}, to {place.uri}"


def replay_text(report: Report, now: float) -> str:
    """How a replay goes on."""
    summary = report.summary
    if summary is None:
        return f"{report.status} for {span(now - report.created)}"
    return (
        f"{report.status}: {number(summary.answers)} requests, {summary.rate:.1f}/s, "
        f"{count(summary.failed, 'error')}"
    )


# Traffic


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the comparison: the highest ``drop`` leaves first where the lines are short."""

    title: str
    width: int
    text: Callable[[VariantTraffic], str]
    role: Callable[[VariantTraffic], str] = lambda one: ""
    drop: int = 0


_COLUMNS = (
    _Column("calls", 8, lambda one: number(one.invocations)),
    _Column("/min", 7, lambda one: f"{one.per_minute:.1f}", drop=2),
    _Column("p50 ms", 8, lambda one: _ms(one.latency_p50)),
    _Column("p90 ms", 8, lambda one: _ms(one.latency_p90), drop=3),
    _Column("p99 ms", 8, lambda one: _ms(one.latency_p99)),
    _Column("4xx", 5, lambda one: number(one.errors_4xx), lambda one: _bad(one.errors_4xx)),
    _Column("5xx", 5, lambda one: number(one.errors_5xx), lambda one: _bad(one.errors_5xx)),
    _Column("model", 6, lambda one: number(one.model_errors), lambda one: _bad(one.model_errors), drop=1),
)


def traffic_facts(traffic: EndpointTraffic | None, width: int, detail: EndpointDetail | None = None) -> Lines:
    """Invocations, latencies and errors of each variant in the observed window, a line each, in columns."""
    if traffic is None:
        return [head("Traffic"), [("Loading …", "dim")]]
    lines: Lines = [head("Traffic", f"last {span(traffic.window)}")]
    columns = list(_COLUMNS)
    while sum(column.width for column in columns) + NAME > width and any(column.drop for column in columns):
        columns.remove(max(columns, key=lambda column: column.drop))
    name = max(8, min(24, width - sum(column.width for column in columns)))
    lines.append([(" " * name + "".join(column.title.rjust(column.width) for column in columns), "dim")])
    places = {one.variant: place for place, one in enumerate(traffic.variants) if not one.config}
    for one in in_order(traffic.variants):
        label, role = named(one, detail)
        role = role or coloured(places[one.variant])
        line: list[Run] = [(crop(label, name - 1) + " ", role)]
        line += [(column.text(one).rjust(column.width), column.role(one)) for column in columns]
        lines.append(line)
    if not any(one.invocations for one in traffic.variants):
        lines.append([(f"nobody called it in this time; {key('endpoint.invoke')} sends a payload", "dim")])
    return lines


def in_order(variants: Sequence[VariantTraffic]) -> list[VariantTraffic]:
    """Each variant with its fleets below it, shadows last."""
    whole = [one for one in variants if not one.config]
    found: list[VariantTraffic] = []
    for one in sorted(whole, key=lambda one: one.shadow):
        found += [one, *(part for part in variants if part.config and part.variant == one.variant)]
    known = {id(one) for one in found}
    return [*found, *(one for one in variants if id(one) not in known)]


def named(one: VariantTraffic, detail: EndpointDetail | None) -> tuple[str, str]:
    """What a line of the comparison is called, and its role; empty: its variant's."""
    if one.config:
        blue = detail is not None and one.config == detail.config
        return ("└ blue" if blue else "└ green", "series-1" if blue else "ok")
    return (f"{one.variant} ◌", "dim") if one.shadow else (one.variant, "")


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _bad(errors: float) -> str:
    return "bad" if errors else "dim"


# Alarms, scaling, captures


def alarm_facts(row: AlarmRow | None, history: AlarmHistory | None, now: float, width: int) -> Lines:
    """An alarm: its rule, why it is in its state, what became of it."""
    if row is None:
        return []
    shown = status(row.state)
    lines: Lines = [
        [(row.name, "strong")],
        [(str(shown), shown.role), (f" · for {span(now - row.updated)}" if row.updated else "", "dim")],
        *fact("Rule", f"{row.metric} {row.condition}", width),
        *fact("Watches", _watches(row), width),
    ]
    if row.description:
        lines += fact("Is for", row.description, width)
    if not row.actions_enabled:
        lines += fact("Actions", "disabled: its state has no effect", width, "wait")
    lines += fact("Reason", row.reason or "none told", width, "bad" if row.state == "ALARM" else "")
    lines += [[], head("History", "newest first")]
    if history is None:
        return [*lines, [("Loading …", "dim")]]
    if not history.changes:
        return [*lines, [("nothing has become of it yet", "dim")]]
    for item in history.changes:
        lines.append(
            [
                (f"{clock(item.time, day=True)} ", "dim"),
                (crop(item.kind.replace("Update", ""), 14) + " ", "dim"),
                (printable(item.summary), ""),
            ]
        )
    if history.more:
        lines += _older(f"aws cloudwatch describe-alarm-history --alarm-name {row.name}", width)
    return lines


def _older(command: str, width: int) -> Lines:
    return [[], *sentences([f"There are older ones: {command}"], width, "dim")]


def _watches(row: AlarmRow) -> str:
    if not row.variant:
        return "the endpoint"
    fleet = f", only the fleet of {row.config}" if row.config else ""
    return f"variant {row.variant}{fleet}"


def scaling_facts(scaling: EndpointScaling | None, endpoint: str, now: float, width: int) -> Lines:
    """Targets, policies and what was done lately."""
    if scaling is None:
        return [[("Loading …", "dim")]]
    if not scaling.targets:
        return [
            head("Scaling"),
            *sentences(
                [
                    "No variant of this endpoint is scaled by itself.",
                    "application-autoscaling's RegisterScalableTarget with the resource "
                    f"endpoint/{endpoint}/variant/… makes one scalable; PutScalingPolicy says by which metric. "
                    "s changes the numbers of instances by hand.",
                ],
                width,
                "dim",
            ),
        ]
    rows = [
        (item.variant, item.least, item.most, ", ".join(item.suspended) or "–") for item in scaling.targets
    ]
    lines = table(("Variant", "Least", "Most", "Suspended"), rows, width, title="Scalable targets")
    lines += [[], head("Policies", count(len(scaling.policies), "policy").replace("policys", "policies"))]
    for policy in scaling.policies:
        held = f"holds {policy.metric} at {number(policy.target)}" if policy.target is not None else ""
        cool = f"cooldown in {_seconds(policy.scale_in_cooldown)}, out {_seconds(policy.scale_out_cooldown)}"
        lines += [[(crop(policy.variant, 15) + " ", "strong"), (policy.name, "")]]
        lines += fact("", f"{policy.kind} {held}; {cool}", width)
        if policy.scale_in_disabled:
            lines += fact("", "never scales in", width, "wait")
    lines += [[], head("Activities", "newest first")]
    if not scaling.activities:
        lines.append([("none yet", "dim")])
    for activity in scaling.activities:
        role = {"Successful": "ok", "Failed": "bad"}.get(activity.status, "live")
        lines.append(
            [
                (f"{clock(activity.started, day=True)} ", "dim"),
                (crop(activity.status, 12) + " ", role),
                (crop(activity.variant, 14) + " ", "strong"),
                (activity.description, ""),
            ]
        )
        said = activity.message or activity.cause
        if said:
            lines += sentences([said], width, "dim", indent=2)
    if scaling.more:
        command = "aws application-autoscaling describe-scaling-activities --service-namespace sagemaker"
        lines += _older(command, width)
    return lines


def _seconds(value: int | None) -> str:
    return "default" if value is None else f"{value} s"


def capture_facts(capture: captures.Capture | None, width: int) -> Lines:
    """A captured exchange: its ids, then the request and the answer to be read."""
    from console.screens.payloads import pretty

    if capture is None:
        return []
    lines: Lines = [
        [
            (clock(capture.time, day=True) + f":{int(capture.time) % 60:02d} ", "dim"),
            (capture.variant, "strong"),
        ],
        *fact("Event", capture.event_id, width),
    ]
    if capture.inference_id:
        lines += fact("Inference id", capture.inference_id, width)
    for title, side in (("Request", capture.request), ("Answer", capture.answer)):
        note = f"{side.content_type or 'type not told'}" if side else "not captured"
        lines += [[], head(title, note)]
        if side is not None:
            lines += [[(line, "")] for line in pretty(side.body, side.content_type).splitlines()]
    return lines
