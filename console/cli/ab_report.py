"""Where an A/B test stands, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workflows.abtest.report import Report


def print_report(report: Report) -> None:
    """The report as tables."""
    from console import verdicts
    from console.cli.output import heading, print_pairs, print_table, styled
    from console.formatting import clock, number
    from workflows.abtest.report import ODDITIES

    one, chip, split = report.experiment, verdicts.chip(report), verdicts.split_chip(report)
    ended = {
        "stopped": "",
        "promoted": f" {report.outcome.get('winner', '')} ({report.outcome.get('how', '')})",
    }
    print_pairs(
        [
            ("A/B test", one.name),
            ("endpoint", f"{one.endpoint} ({one.target})"),
            ("state", f"{report.state}{ended.get(report.state, '')}"),
            ("verdict", styled(str(chip), chip.role)),
            (
                "split",
                styled(str(split), split.role)
                + f", evidence against it {verdicts.evidence(report.split_evidence)}",
            ),
            ("started", clock(report.started, day=True)),
            (
                "requests",
                f"{report.requests} ({report.rewarded} count{f', {report.maturing} mature' if report.maturing else ''})",
            ),
        ]
    )
    heading(f"Variants, by {one.metric}")
    print_table(
        [
            "VARIANT",
            "TRAFFIC",
            "REQUESTS",
            "SEEN",
            "REWARDED",
            one.metric.upper(),
            "LATENCY ms",
            "MODEL ERR",
            "4xx",
            "5xx",
        ],
        [
            [
                arm.variant + (" (control)" if arm.variant == one.control else ""),
                f"{arm.share:.0%}",
                str(arm.requests),
                f"{arm.seen:.1%}",
                str(arm.rewarded),
                verdicts.value(one, arm.value),
                number(arm.latency),
                *(str(arm.failures[name]) for name in ("model-errors", "4xx", "5xx")),
            ]
            for arm in report.arms
        ],
    )
    heading(f"Against {one.control}: {(1 - report.comparisons[0].alpha) * 100:.4g}% confidence at all times")
    print_table(
        ["VARIANT", "DIFFERENCE", "SEQUENCE", "EVIDENCE", "p", "VERDICT"],
        [
            [
                item.variant,
                verdicts.difference(one, item.value) if item.n else "–",
                verdicts.interval(one, item),
                verdicts.evidence(item.evidence),
                f"{item.p:.3g}",
                str(verdicts.of_one(item.verdict)),
            ]
            for item in report.comparisons
        ],
    )
    for item in report.comparisons:
        likely = f"; P(better) {verdicts.percent(item.posterior)}*" if item.posterior is not None else ""
        click.echo(f"{item.variant}: {verdicts.sight(report, item)}{likely}")
    click.echo("* describes the data so far; peeking at it errs half of the time, at the verdict not.")
    if report.guardrails:
        heading("Guardrails")
        print_table(
            ["VARIANT", "GUARDRAIL", "RATIO", "EVIDENCE", "STATE"],
            [
                [
                    item.variant,
                    item.name,
                    verdicts.ratio(item),
                    verdicts.evidence(item.evidence),
                    str(verdicts.of_guardrail(item)),
                ]
                for item in report.guardrails
            ],
        )
    if report.oddities:
        heading("Odd")
        print_pairs([(str(number_of), ODDITIES[what]) for what, number_of in report.oddities.items()])
