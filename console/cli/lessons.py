"""``mlconsole lessons``: the course, and how far one is."""

from __future__ import annotations

from dataclasses import asdict

import click

from console.cli.options import Nouns, json_option


@click.group(cls=Nouns)
def lessons() -> None:
    """The five lessons: list them with your progress, show one."""


@lessons.command("ls")
@json_option
def list_(as_json: bool) -> None:
    """List the lessons, and how far you are."""
    from console.cli.output import print_json, print_table
    from workflows.lessons.catalog import bill, number
    from workflows.lessons.catalog import lessons as catalog
    from workflows.lessons.progress import progress
    from workflows.runs import list_runs

    found = catalog()
    known = progress(found, list_runs())
    if as_json:
        print_json(
            [
                {
                    "number": number(info),
                    "name": info.name,
                    "title": info.title,
                    "minutes": {"embedded": info.minutes[0], "aws": info.minutes[1]},
                    "usd_on_aws": bill(info)[1],
                    "progress": {**asdict(known[info.name]), "share": known[info.name].share(info)},
                }
                for info in found
            ]
        )
        return
    print_table(
        ["LESSON", "NAME", "WHAT IT IS", "HERE", "ON AWS", "COST ON AWS", "DONE", "TRIED"],
        [
            [
                str(number(info)),
                info.name,
                info.title,
                *(f"{minutes:g} min" for minutes in info.minutes),
                _dollars(bill(info)[1]),
                ", ".join(known[info.name].done) or known[info.name].state,
                f"{len(known[info.name].tried)} of {len(info.lesson.tries) if info.lesson else 0}",
            ]
            for info in found
        ],
    )


@lessons.command()
@click.argument("lesson", metavar="NUMBER|NAME")
@json_option
def show(lesson: str, as_json: bool) -> None:
    """Describe a lesson: what it teaches at each step, what to try, what it costs, its parameters."""
    from console.cli.output import heading, print_json, print_table
    from workflows.lessons.catalog import bill, find, number

    info = find(lesson)
    if as_json:
        print_json(info)
        return
    told = info.lesson
    assert told is not None
    click.echo(f"Lesson {number(info)}, {info.name}: {info.title}")
    click.echo(info.summary)
    heading("What it teaches")
    for line in info.teaches:
        click.echo(f"  {line}")
    for step, title in info.steps:
        heading(title)
        click.echo(click.wrap_text(told.explains.get(step, ""), 100, "  ", "  "))
    heading("Try (--try N)")
    for at, one in enumerate(told.tries, start=1):
        changes = " ".join(f"--set {name}={value}" for name, value in one.changes.items())
        click.echo(f"  {at}  {one.title}: {changes}")
        click.echo(f"     {one.look}")
    rows, total = bill(info)
    heading("What it costs on AWS (estimate; here it costs nothing)")
    print_table(
        ["WHAT", "INSTANCE", "MINUTES", "USD"],
        [
            *(
                [what, instance, f"{minutes:g}", _dollars(dollars)]
                for what, instance, minutes, dollars in rows
            ),
            ["in all", "", "", _dollars(total)],
        ],
    )
    heading("Parameters (--set name=value)")
    print_table(
        ["NAME", "DEFAULT", "ALLOWED", "WHAT IT IS"],
        [[item.name, str(item.default), item.range, item.help] for item in info.parameters],
    )


def _dollars(amount: float | None) -> str:
    return "not known" if amount is None else f"${amount:.3f}"
