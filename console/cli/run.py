"""``mlconsole run``: start a study as a process of its own and watch it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from console.cli.options import Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.studies.catalog import StudyInfo

DEPLOY = {"deploy-anyway": "deploy"}
"""What --yes answers: host the model although a gate failed."""


def _complete_study(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from workflows.studies.catalog import catalog

    return [info.name for info in catalog() if info.name.startswith(incomplete)]


RUN_OPTIONS = (
    click.option(
        "--interface", type=click.Choice(["low", "high"]), help="boto3 calls (low) or SageMaker SDK v3 (high)."
    ),
    click.option(
        "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."
    ),
    click.option("--as-in-notebook", is_flag=True, help="The lesson notebook's settings."),
    click.option("--keep", is_flag=True, help="Leave the endpoint and its model in place."),
    click.option("--ttl", metavar="AGE", help="With --keep: the endpoint expires after this time (90m, 8h); `mlconsole sweep` deletes it then."),
    click.option("--detach", "-d", is_flag=True, help="Start it and return at once."),
    click.option("--yes", "-y", is_flag=True, help="Host the model although a gate fails, without asking."),
    click.option(
        "--answer", "answers", multiple=True, metavar="QUESTION=CHOICE", help="Answer a question beforehand."
    ),
    click.option("--no-input", is_flag=True, help="Ask nothing: questions get their default answers."),
    click.option("--calls", is_flag=True, help="Show each AWS call."),
    click.option("--logs", is_flag=True, help="Show the training and serving logs."),
    click.option("--then-console", is_flag=True, help="On a terminal, open the console afterwards."),
    json_option,
    platform_options,
)  # fmt: skip
"""What starting a study and starting a lesson have in common."""


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that starts a run, in the order of its help."""
    for option in reversed(RUN_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("study", shell_complete=_complete_study)
@run_options
@click.pass_context
def run(ctx: click.Context, /, study: str, **options: Any) -> None:
    """Run a study, and watch it.

    The run is a process of its own: closing the terminal does not end it. Ctrl-C asks whether to detach or to stop; without a
    terminal SIGINT and SIGTERM stop it with its clean-up. --json prints one event a line, the last one the result.

    Exit status: 0 completed, 1 failed, 2 wrong usage, 3 refused by a gate, 130 or 143 stopped.
    """
    from workflows.studies.catalog import find

    launch(ctx, find(study), **options)


def launch(
    ctx: click.Context,
    info: StudyInfo,
    *,
    interface: str | None,
    assignments: tuple[str, ...],
    as_in_notebook: bool,
    keep: bool,
    ttl: str | None,
    detach: bool,
    yes: bool,
    answers: tuple[str, ...],
    no_input: bool,
    calls: bool,
    logs: bool,
    then_console: bool,
    as_json: bool,
) -> None:
    """Starts a run of a study or a lesson as `RUN_OPTIONS` say, and watches it."""
    from console.cli.attach import can_ask, chosen_renderer, watch
    from workflows import runs
    from workflows.studies.parameters import parse_assignments

    settings = Settings.of(ctx)
    given = parse_assignments(info.parameters, assignments)
    beforehand = _answers(answers) | (DEPLOY if yes else {})
    ask = can_ask() and not (as_json or no_input or yes)
    if settings.configuration.target == "aws":
        preset = info.presets.get("as-in-notebook", {}) if as_in_notebook else {}
        agree(info, {**preset, **given}, f"Run {info.name} on AWS.", keep=keep, ask=ask)
    started = runs.start(
        info.name,
        given,
        interface=interface or "",
        keep=keep,
        ttl=_seconds(ttl, keep),
        configuration=settings.configuration,
        auto_answers=beforehand,
        interactive=ask and not detach,
        preset="as-in-notebook" if as_in_notebook else "",
    )
    if detach:
        _tell_detached(started.id, str(started.folder), as_json)
        return
    status = watch(started, chosen_renderer(as_json=as_json, calls=calls, logs=logs), ask=ask, quiet=as_json)
    if then_console and not as_json and status in (0, 3) and sys.stdin.isatty() and sys.stdout.isatty():
        from console.cli.root import open_console

        ended = runs.read(started.folder)
        if not ended.active:
            click.echo("Opening the console; q leaves it.")
            open_console(ctx, settings, first_run=started.id)
    ctx.exit(status)


def agree(info: StudyInfo, values: Mapping[str, object], what: str, *, keep: bool, ask: bool) -> None:
    """Tell what the run costs on AWS, and ask where somebody can be asked: a script has its answer in that it was started."""
    from console.cli.asking import confirm
    from workflows.studies.cost import of_run

    price = of_run(info, values).sentence(free=False, keep=keep)
    if ask:
        confirm([what, price], yes=False)
    else:
        confirm([price], yes=True)
        click.echo(price, err=True)


def _seconds(ttl: str | None, keep: bool) -> float:
    """The lifetime of a kept endpoint; 0: none."""
    if ttl is None:
        return 0.0
    if not keep:
        raise click.UsageError("--ttl is for an endpoint that stays: say --keep too.")
    from console.cli.values import parse_age
    from workflows.lifetime import expiry_tag

    seconds = parse_age(ttl, "--ttl")
    expiry_tag(seconds, 0.0)  # refused now, not when the endpoint stands
    return seconds


def _answers(texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        question, separator, choice = text.partition("=")
        if not separator or not question or not choice:
            raise click.UsageError(
                f"--answer {text}: write QUESTION=CHOICE, for example deploy-anyway=deploy."
            )
        found[question] = choice
    return found


def _tell_detached(name: str, folder: str, as_json: bool) -> None:
    if as_json:
        from console.cli.output import print_json

        print_json({"run": name, "folder": folder, "status": "starting"})
        return
    click.echo(name)
    click.echo(f"`mlconsole runs attach {name}` shows it, `mlconsole runs stop {name}` stops it.", err=True)
