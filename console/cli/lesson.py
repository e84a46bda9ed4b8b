"""``mlconsole lesson``: take a lesson of the course."""

from __future__ import annotations

from typing import Any

import click

from console.cli.run import launch, run_options


def _complete_lesson(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from workflows.lessons.catalog import lessons, number

    names = [name for info in lessons() for name in (str(number(info)), info.name)]
    return [name for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("lesson", metavar="NUMBER|NAME", shell_complete=_complete_lesson)
@click.option(
    "--try",
    "attempt",
    type=click.IntRange(min=1),
    metavar="N",
    help="The lesson with its Nth suggested change (`mlconsole lessons show` lists them).",
)
@run_options
@click.pass_context
def lesson(ctx: click.Context, /, lesson: str, attempt: int | None, **options: Any) -> None:
    """Take a lesson of the course.

    It is a run like those of studies: a process of its own, with steps, calls and a clean-up, and it says at each step what there
    is to learn. `mlconsole runs code last` prints it as a script in its interface.

    Exit status: 0 completed, 1 failed, 2 wrong usage, 3 refused by a gate, 130 or 143 stopped.
    """
    from workflows.lessons.catalog import find

    info = find(lesson)
    if attempt is not None:
        tries = info.lesson.tries if info.lesson else ()
        if attempt > len(tries):
            raise click.UsageError(
                f"Lesson {info.name} has {len(tries)} suggested changes: --try 1 to {len(tries)}."
            )
        chosen = tries[attempt - 1]
        click.echo(f"Try: {chosen.title}. {chosen.look}", err=True)
        changes = tuple(f"{name}={value}" for name, value in chosen.changes.items())
        options["assignments"] = (*changes, *options["assignments"])
    launch(ctx, info, **options)
