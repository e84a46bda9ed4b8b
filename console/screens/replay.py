"""A replay of requests: rate, latency and errors while it goes on, and what it has measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.containers import Container
from textual.widget import Widget

from console import actions
from console.formatting import ago, bar, clock, crop, duration, number, span, status, thin_bar
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.charting import InTurn
from console.screens.facts import fact, head, sentences
from console.trail import Place
from console.widgets.charts import ChartGrid
from console.widgets.drawing import Lines, Run, Series
from console.widgets.page import Page
from workflows import topics
from workflows.topics import Snapshot, Topic
from workflows.traffic.histogram import Quantiles
from workflows.traffic.reports import Report
from workflows.traffic.summary import Summary, advice

ROWS = 10
"""Bars of the histogram."""
NAME, VALUE = 18, 8
"""Cells of a line's name and of each quantile."""


class ReplayScreen(InTurn, ConsoleScreen):
    """One replay, by its id. x ends it; leaving does not."""

    BINDINGS: ClassVar = list(actions.bindings("replay"))
    place = "replay"
    section = "endpoints"
    thing = "replay"

    def __init__(self, report: str) -> None:
        super().__init__()
        self.id_of = report
        self._since = math.inf

    @property
    def location(self) -> Place:
        return Place("replay", self.id_of)

    def body(self) -> Iterable[Widget]:
        with Container(id="replay"):
            yield Page(id="measured")
            yield ChartGrid(id="courses", empty="No answer yet.")

    def opened(self) -> None:
        self._since = self.console.services.now()
        self.query_one("#measured").focus()
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.REPLAYS]

    @property
    def absent(self) -> bool:
        """The list of replays does not have it, and is newer than this screen: one that was started just now is not in it yet."""
        snapshot = self.snapshots.get(topics.REPLAYS)
        fetched = snapshot.fetched_at if snapshot is not None else None
        return fetched is not None and fetched > self._since and self.report is None

    @property
    def report(self) -> Report | None:
        found = self.value(topics.REPLAYS) or self.console.known(topics.REPLAYS) or ()
        return next((report for report in found if report.id == self.id_of), None)

    def trail(self) -> str:
        report = self.report
        return f"{report.endpoint} › replay" if report else self.id_of

    def summary(self) -> str:
        return str(status(self.report.status)) if self.report else ""

    def summary_role(self) -> str:
        return status(self.report.status).role if self.report else "dim"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        self._write()

    def tick(self) -> None:
        if self.report is not None and self.report.active:
            self._write()

    def _write(self, *, at_once: bool = False) -> None:
        report, now = self.report, self.console.services.now()
        self.query_one("#measured", Page).show(lambda width: replay_facts(report, now, width))
        if report is not None and report.summary is not None:
            drawn = charts(report.summary)
            self.query_one(ChartGrid).show_charts(
                self.in_turn(drawn),
                x_label="time since it began",
                x_format=span,
                more=f"{key('replay.next_chart')} begins with the next",
                at_once=at_once,
            )

    def draw_charts(self, *, at_once: bool = False) -> None:
        self._write(at_once=at_once)

    # Keys

    def offers(self, action: actions.Action) -> bool:
        active = self.report is not None and self.report.active
        return {"stop": active, "again": not active}.get(action.verb, True)

    def action_stop(self) -> None:
        report = self.report
        if report is None or not report.active:
            self.console.flash("It has ended already.", "wait")
            return
        if self.console.allowed(actions.get("replay.stop")):
            services = self.console.services
            self.work(
                lambda: services.stop_replay(report.id),
                lambda _: self.console.flash(f"✓ {report.id} is asked to end.", "wait"),
            )

    async def action_again(self) -> None:
        report = self.report
        if report is not None and self.console.allowed(actions.get("replay.again")):
            from console.screens.replay_form import ReplayFormScreen

            detail = self.console.known(topics.endpoint(report.endpoint))
            variants = tuple(variant.name for variant in detail.variants) if detail else ()
            await self.console.open(ReplayFormScreen(report.endpoint, variants, report))

    async def action_endpoint(self) -> None:
        if self.report is not None:
            await self.console.open_endpoint(self.report.endpoint)

    def action_copy(self) -> None:
        self.console.copy(self.id_of, "the id of the replay")


def charts(summary: Summary) -> list[tuple[str, tuple[Series, ...]]]:
    """Answers and errors per second, the median and the 99th percentile, over the time since it began."""
    moments = summary.moments[:-1] if not summary.ended else summary.moments
    last = moments[-1] if moments else None
    if summary.ended and last is not None and last.at + last.seconds > summary.seconds and len(moments) > 1:
        moments = moments[:-1]  # a part of a second is no rate
    answers = Series("answers/s", tuple((m.at, m.answers / m.seconds) for m in moments), counted=True)
    found: list[tuple[str, tuple[Series, ...]]] = [("answers per second", (answers,))]
    latency = tuple(
        Series(name, tuple((m.at, value) for m in moments if (value := getattr(m, name)) is not None))
        for name in ("p50", "p99")
    )
    found.append(("latency ms", latency))
    if summary.failed:
        errors = Series("errors/s", tuple((m.at, m.failed / m.seconds) for m in moments), counted=True)
        found.append(("errors per second", (errors,)))
    return found


def replay_facts(report: Report | None, now: float, width: int) -> Lines:
    """What is asked of it, how far it is, latencies, errors, variants side by side."""
    if report is None:
        return [[("Loading the replay …", "dim")]]
    shown = status(report.status)
    lines: Lines = [
        [(report.id, "strong")],
        [
            (str(shown), shown.role),
            (f" · began {clock(report.created, day=True)} · {ago(report.created, now)}", "dim"),
        ],
    ]
    if report.message:
        lines += sentences([report.message], width, "bad" if report.status != "stopped" else "dim")
    lines += fact("Plan", str(report.plan), width)
    sends = str(report.source) + (f", to variant {report.variant}" if report.variant else "")
    lines += fact("Sends", sends, width)
    summary = report.summary
    if summary is None:
        return [*lines, [], [("It is being started …", "dim")]]
    lines += _progress(report, summary, width)
    asked = f" of {summary.asked_rate:.1f}/s asked" if summary.asked_rate is not None else ""
    lines += fact("Rate", f"{summary.rate:.1f}/s{asked}", width, "strong")
    errors = ", ".join(f"{amount} {code}" for code, amount in summary.errors.items())
    lines += fact("Errors", errors or "none", width, "bad" if errors else "")
    if summary.unsent:
        lines += fact("Not sent", f"{number(summary.unsent)}: no connection was free", width, "wait")
    lines += [[], head("Latency", "ms"), _quantile_head()]
    lines.append(_quantiles("since due", summary.latency, "strong"))
    for one in summary.variants:
        share = one.answers / summary.answers if summary.answers else 0.0
        name = crop(one.variant, NAME - 6).rstrip()
        lines.append(_quantiles(f"{name} {share:.0%}", one.latency, "series-1"))
        if one.failed and summary.failed:
            codes = ", ".join(f"{amount} {code}" for code, amount in one.errors.items())
            lines.append([(f"  {codes}", "bad")])
    lines.append(_quantiles("since sent", summary.service))
    for text in advice(summary):
        lines += [[], *sentences([text], width, "wait")]
    found = report.histograms.get("latency")
    if found is not None and found.count:
        lines += [[], head("Distribution", "of the latency since due, ms")]
        rows = found.rows(ROWS)
        most = max(amount for *_, amount in rows)
        for low, high, amount in rows:
            label = f"{number(low)} – {number(high)}"
            lines.append(
                [
                    (crop(label, 20) + " ", "dim"),
                    (bar(amount / most, max(6, width - 32)), "series-1"),
                    (f" {number(amount)}", ""),
                ]
            )
    return lines


def _progress(report: Report, summary: Summary, width: int) -> Lines:
    """A bar of the time or the requests that are over, where either is limited."""
    plan = report.plan
    fraction = None
    if plan.seconds:
        fraction, about = summary.seconds / plan.seconds, f"{duration(summary.seconds)} of {duration(plan.seconds)}"  # fmt: skip
    elif plan.expected:
        fraction, about = summary.sent / plan.expected, f"{number(summary.sent)} of {number(plan.expected)}"
    if fraction is None or not report.active:
        return fact("Took", f"{duration(summary.seconds)}, {number(summary.answers)} requests", width)
    done, left = thin_bar(fraction, max(8, min(30, width - 46)))
    return [[("Progress        ", "dim"), (done, "live"), (left, "faint"), (f" {about}", "")]]


def _quantile_head() -> list[Run]:
    names = ("mean", "p50", "p90", "p99", "p99.9", "max")
    return [(" " * NAME + "".join(name.rjust(VALUE) for name in names), "dim")]


def _quantiles(name: str, found: Quantiles, role: str = "") -> list[Run]:
    values = (found.mean, found.p50, found.p90, found.p99, found.p999, found.max)
    return [
        (crop(name, NAME), role or "dim"),
        ("".join(number(value).rjust(VALUE) for value in values), ""),
    ]
