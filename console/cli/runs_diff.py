"""``mlconsole runs diff``: what differs between two runs, and what it did to the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.naming import complete_run
from console.cli.options import json_option

if TYPE_CHECKING:
    from workflows.comparison import Comparison, Score

ROLES = {"better": "ok", "worse": "bad", "missing": "wait"}
DETAILS = 8
"""Metrics that the study declares nothing about are left out above so many, unless --all."""


@click.command()
@click.argument("a", metavar="A", shell_complete=complete_run)
@click.argument("b", metavar="B", shell_complete=complete_run)
@click.option(
    "--all", "everything", is_flag=True, help="Also what followed from the differences, and every metric."
)
@json_option
def diff(a: str, b: str, everything: bool, as_json: bool) -> None:
    """Compare two runs of one study: what differs, and what it did to the scores.

    A difference is called better or worse only where it is larger than chance makes it: than the spread of runs with equal inputs,
    over seeds, or the sampling error of a share.
    """
    from console.cli.output import heading, print_json, print_table, prose, status_text, styled
    from console.formatting import duration
    from workflows import runs
    from workflows.comparison import compare
    from workflows.comparison.sentence import change, shown, value

    found = compare(runs.find(a), runs.find(b))
    if as_json:
        print_json(found)
        return
    click.echo(prose(found.sentence))
    for side in (found.a, found.b):
        for why in side.withheld:
            if why not in found.sentence:
                click.echo(prose(styled(f"{side.run}: withheld. {why}", "bad")))
    heading("What differs")
    differences = [
        item for item in found.differences if item.cause or item.kind in ("machine", "source") or everything
    ]
    print_table(
        ["KIND", "NAME", "A", "B"],
        [[item.kind, item.name, value(item.a), value(item.b)] for item in differences],
    )
    if not differences:
        click.echo(
            "Nothing of what both recorded."
            if found.notes
            else "Nothing: the same study, interface, target, parameters, data, code and libraries."
        )
    for note in found.notes:
        click.echo(prose(note))
    heading("Scores")
    print_table(
        ["METRIC", "A", "B", "DIFFERENCE", "VERDICT"],
        [
            [
                score.title,
                shown(score.a, score.unit),
                shown(score.b, score.unit),
                change(score) if score.difference is not None else "–",
                styled(_verdict(score), ROLES.get(score.verdict, "")),
            ]
            for score in _scores(found, everything)
        ],
    )
    if found.gates:
        heading("Gates that changed")
        print_table(
            ["GATE", "A", "B"],
            [
                [gate.name, *(status_text(word) if word else "–" for word in (gate.a, gate.b))]
                for gate in found.gates
            ],
        )
    heading("Time and cost")
    print_table(
        ["", "A", "B"],
        [
            ["run", found.a.run, found.b.run],
            ["status", status_text(found.a.status), status_text(found.b.status)],
            ["took", duration(found.a.seconds), duration(found.b.seconds)],
            ["on AWS", *(_dollars(side.dollars) for side in (found.a, found.b))],
            *(
                [step.title, duration(step.a), duration(step.b)]
                for step in found.steps
                if everything or max(step.a or 0.0, step.b or 0.0) >= 1
            ),
        ],
    )


def _scores(found: Comparison, everything: bool) -> list[Score]:
    important = [score for score in found.scores if score.important]
    others = [score for score in found.scores if not score.important]
    return [*important, *others] if everything or len(found.scores) <= DETAILS or not important else important


def _verdict(score: Score) -> str:
    match score.verdict:
        case "within":
            return f"within the {score.basis}"
        case "unknown":
            return "how much of it is chance is not known"
        case "missing":
            return "not in both"
        case "same":
            return "same"
    return f"{score.verdict} by more than the {score.basis}"


def _dollars(amount: float | None) -> str:
    if amount is None:
        return "no price is known"
    return f"${amount:.4f}" if amount < 0.1 else f"${amount:,.2f}"
