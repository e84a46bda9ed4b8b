"""What is known of an A/B test as lines of text: pure functions from a report to styled lines."""

from __future__ import annotations

from console import verdicts
from console.formatting import ago, clock, count, crop, duration, number, status
from console.screens.facts import fact, head, sentences, table
from console.widgets.band import band
from console.widgets.drawing import Lines, Run
from workflows.abtest.report import ODDITIES, Comparison, Feed, Report

NOTE = "Describes the data so far; it is no test. Peeking at it errs half of the time, at the verdict it does not."


def overview(
    report: Report | None, feed: Feed | None, now: float, width: int, *, shown: int = 0, chart: int = 0
) -> Lines:
    """Verdict, comparisons, variants, guardrails. ``chart``: lines of a chart of comparison ``shown`` between them."""
    if report is None:
        return [[("Reading …", "dim")]]
    lines = verdict(report, now, width)
    if feed is not None:
        lines += sentences(
            [feeding(feed)], width, "bad" if feed.status in ("failed", "interrupted") else "dim"
        )
    for one in report.comparisons:
        lines += [[], *comparison(report, one, width)]
    if chart and report.comparisons:
        lines += [[], *funnel(report, report.comparisons[shown % len(report.comparisons)], width, chart)]
    lines += [[], *variants(report, width)]
    if report.guardrails:
        lines += [[], *guardrails(report, width)]
    if report.oddities:
        lines += [[], head("Odd")]
        for what, times in report.oddities.items():
            lines += fact(number(times), ODDITIES[what], width, label_width=9)
    return lines


def verdict(report: Report, now: float, width: int) -> Lines:
    """The verdict and the state of the split in two lines, and how much it rests on."""
    chip, split = verdicts.chip(report), verdicts.split_chip(report)
    state = status(report.status)
    ended = ""
    if report.state == "promoted":
        ended = f": {report.outcome.get('winner', '')} by {report.outcome.get('how', '')}"
    lines: Lines = [[(f" {chip} ", f"{chip.role}"), ("  ", ""), (f"{split}", split.role)]]
    if sum(len(text) for text, _ in lines[0]) > width:
        lines = [[(f" {chip}", chip.role)], [(f" {split}", split.role)]]
    counted = f"{count(report.requests, 'request')}, {number(report.rewarded)} count"
    if report.maturing:
        counted += f", {number(report.maturing)} still mature"
    pace = f" · {number(round(report.per_second, 2))}/s" if report.per_second >= 0.005 else ""
    lines.append([(f" {state.glyph} {report.state}{ended}", state.role), (f" · {counted}{pace}", "dim")])
    lines.append(
        [
            (
                f" endpoint {report.experiment.endpoint} · since {clock(report.started, day=True)} ({ago(report.started, now)})",
                "dim",
            )
        ]
    )
    return lines


def feeding(feed: Feed) -> str:
    """What feeds the test."""
    words = {
        "starting": "A replay is starting:",
        "running": "A replay feeds it:",
        "done": f"The last replay has sent {number(feed.sent)} requests:",
        "failed": "The last replay failed:",
        "interrupted": "The last replay was killed; what it brought counts. Start it again:",
    }
    return f" {words.get(feed.status, feed.status)} {feed.message or feed.rows}"


def comparison(report: Report, one: Comparison, width: int) -> Lines:
    """A challenger against the control: difference, sequence, evidence, verdict, forecast, posterior."""
    test, chip = report.experiment, verdicts.of_one(one.verdict)
    title: list[Run] = [
        (f"{one.variant} against {test.control}", "head"),
        (f"  {test.metric}, {test.direction} is better", "dim"),
    ]
    lines: Lines = [title]
    lines += fact("Difference", verdicts.difference(test, one.value) if one.n else "–", width, "strong")
    lines += fact(f"{(1 - one.alpha) * 100:.4g}% sequence", verdicts.interval(test, one), width, "strong")
    always = f"{verdicts.evidence(one.evidence)} of ×{1 / one.alpha:.0f} needed · always-valid p {one.p:.3g}"
    lines += fact("Evidence", always, width)
    lines += fact("Verdict", str(chip), width, chip.role)
    lines += fact("Forecast", verdicts.sight(report, one), width)
    if one.posterior is not None:
        lines += fact("P(better)", f"{verdicts.percent(one.posterior)}  a note, not a test", width, "dim")
    return lines


def variants(report: Report, width: int) -> Lines:
    """A line per variant."""
    one = report.experiment
    names = ["Variant", "Share", "Seen", "Requests", one.metric.capitalize(), "ms", "Errors"]
    rows = []
    for arm in report.arms:
        errors = sum(arm.failures.values())
        row = [
            ("= " if arm.variant == one.control else "  ") + arm.variant,
            f"{arm.share:.0%}",
            f"{arm.seen:.1%}",
            number(arm.requests),
            verdicts.value(one, arm.value),
            number(arm.latency),
            f"{errors} ({errors / arm.requests:.2%})" if errors else "0",
        ]
        rows.append(row)
    lines = table(names, [[*row] for row in rows], width)
    return [head("Variants", "= is the control; the geometric mean of the milliseconds"), *lines]


def guardrails(report: Report, width: int) -> Lines:
    """A line per guardrail."""
    several = len(report.experiment.challengers) > 1
    names = [*(["Variant"] if several else []), "Guardrail", "State", "Ratio to control", "Evidence"]
    rows = []
    for one in report.guardrails:
        row = [
            one.name,
            str(verdicts.of_guardrail(one)),
            verdicts.ratio(one),
            verdicts.evidence(one.evidence),
        ]
        rows.append([*([one.variant] if several else []), *row])
    alpha = report.guardrails[0].alpha
    lines = table(
        names, rows, width, roles=["bad" if one.verdict == "worse" else "" for one in report.guardrails]
    )
    return [head("Guardrails", f"broken from ×{1 / alpha:.0f} on"), *lines]


def funnel(report: Report, one: Comparison, width: int, height: int) -> Lines:
    """The difference with its sequence over the number of rewarded requests."""
    test = report.experiment
    points = [(float(point.n), point.low, point.value, point.high) for point in one.history]
    if one.n and (not points or points[-1][0] < one.n):
        points.append((float(one.n), one.low, one.value, one.high))
    return band(
        points,
        width,
        height,
        title=f"{one.variant} − {test.control}" if test.kind != "log" else f"{one.variant} / {test.control}",
        x_label="rewarded requests",
        y_format=lambda value: verdicts.difference(test, value).replace(".00 pp", " pp"),
        margin=test.margin,
    )


def settings(report: Report, width: int) -> Lines:
    """What was agreed on before the first request."""
    one = report.experiment
    kinds = {"rate": "a rate: rewards are 0 or 1", "mean": "a mean", "log": "the ratio of geometric means"}
    missing = "does not count" if one.missing == "ignore" else "counts as 0"
    decision, guardrail = one.alphas
    lines: Lines = [head("The test")]
    for label, text in (
        ("Name", one.name),
        ("Endpoint", f"{one.endpoint} ({one.target} {one.account} {one.region})"),
        ("Control", one.control),
        ("Challengers", ", ".join(one.challengers)),
        ("Weights", ", ".join(f"{name} {weight:g}" for name, weight in one.weights.items())),
        ("Before", ", ".join(f"{name} {weight:g}" for name, weight in one.before.items()) or "–"),
        ("Metric", f"{one.metric}, {kinds[one.kind]}; {one.direction} is better"),
        (
            "Margin",
            verdicts.difference(one, one.margin, sign="±")
            if one.margin
            else "none: there is no verdict of no difference",
        ),
        ("alpha", f"{one.alpha:g}: {decision:.4g} per challenger, {guardrail:.4g} per guardrail"),
        ("Planned", f"{number(one.planned)} rewarded requests: where the sequence is tightest"),
        (
            "Maturity",
            f"a request counts after {duration(one.maturity)}"
            if one.maturity
            else "a request counts at once",
        ),
        ("No reward", missing),
        (
            "Assignment",
            "users by their hashed id, each counts once" if one.sticky else "SageMaker's, by weight",
        ),
    ):
        lines += fact(label, text, width)
    lines += [[], head("How to read it")]
    lines += sentences(
        [
            "The sequence holds the true difference at all times at once, with the confidence that stands beside it: one may look "
            "as often as one likes, and stop when the verdict comes. It excludes 0 exactly when the evidence is enough.",
            "A verdict stays. It needs 20 successes and 20 failures of each variant (means: 100 observations).",
            NOTE,
        ],
        width,
    )
    return lines


def cell(report: Report) -> str:
    """The comparison with the most evidence in a few cells: difference and evidence."""
    ahead = max(report.comparisons, key=lambda one: one.evidence)
    if not ahead.n:
        return "–"
    return crop(
        f"{verdicts.difference(report.experiment, ahead.value)} {verdicts.evidence(ahead.evidence)}", 24
    ).rstrip()
