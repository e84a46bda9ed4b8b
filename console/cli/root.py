"""The root of the command tree. Names and one-line helps are here, so that ``--help`` imports no subcommand."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

import click

from console import __version__
from console.cli import manner
from console.cli.looking import refuse_change
from console.cli.options import Settings, platform_options

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("console.cli.run:run", "Run a study, and watch it."),
    "runs": ("console.cli.runs:runs", "List, watch, compare, stop, resume and answer runs of studies."),
    "report": ("console.cli.report:report", "Write a run as one HTML file that opens offline."),
    "studies": ("console.cli.studies:studies", "The studies that can be run."),
    "lesson": ("console.cli.lesson:lesson", "Take a lesson of the course: it runs and explains itself."),
    "lessons": ("console.cli.lessons:lessons", "The five lessons: list them with your progress, show one."),
    "population": (
        "console.cli.population:population",
        "Segments that the population study found, and counties in them.",
    ),
    "data": ("console.cli.data:data", "Data sets of the studies: list, show, fetch, import, check."),
    "jobs": ("console.cli.jobs:jobs", "Training jobs: start, list, describe, logs, metrics, stop."),
    "endpoints": (
        "console.cli.endpoints:endpoints",
        "Endpoints: create, list, describe, invoke, logs, metrics, weights, captures, alarms, scaling, lifetime, delete.",
    ),
    "webapp": (
        "console.cli.webapp:webapp",
        "A web page in front of a model (Lambda, API Gateway): create, test, open, delete.",
    ),
    "ab": ("console.cli.ab:ab", "A/B tests: create, feed, watch, promote the winner."),
    "traffic": ("console.cli.traffic:traffic", "Replay requests at an endpoint, and measure the answers."),
    "rollout": (
        "console.cli.rollout:rollout",
        "New models on live endpoints: plan, start, watch, promote, roll back, clean.",
    ),
    "tuning": (
        "console.cli.tuning:tuning",
        "Hyperparameter tuning: start, watch, compare, warm start, deploy the best.",
    ),
    "transform": ("console.cli.transform:transform", "Batch transform: start, watch, read the result."),
    "costs": ("console.cli.costs:costs", "What bills now: by the hour, the month and since its creation."),
    "targets": ("console.cli.targets:targets", "What runs and serves at several accounts and regions."),
    "sweep": ("console.cli.sweep:sweep", "What is left over: plan, then delete."),
    "drift": ("console.cli.drift:drift", "Whether an endpoint is asked other things than before."),
    "prices": ("console.cli.prices:prices", "Prices that estimates rest on: list, show, refresh."),
    "describe": ("console.cli.inspecting:describe", "Any resource as AWS describes it: JSON or YAML."),
    "related": ("console.cli.inspecting:related", "What belongs together with a resource."),
    "code": ("console.cli.inspecting:code", "AWS CLI, boto3 and SDK code for a resource."),
    "s3": ("console.cli.s3:s3", "Buckets, folders, objects: list them, read their beginning."),
    "watch": ("console.cli.watch:watch", "Tell of changes as they happen, one a line."),
    "audit": (
        "console.cli.audit:audit",
        "What was changed from here: who, when, where, what, with which result.",
    ),
    "engine": ("console.cli.engine:engine", "The embedded SageMaker: start, stop, status, logs, env, reset."),
    "serve": ("console.cli.serve:serve", "The console in a browser on this machine."),
    "record": ("console.cli.record:record", "Record the console, to be shown again."),
    "replay": (
        "console.cli.replay:replay",
        "Show a recording; without a file, the demonstration that ships.",
    ),
    "doctor": ("console.cli.doctor:doctor", "Tell what works on this machine and what to do about the rest."),
    "where": ("console.cli.where:where", "Print where everything is kept."),
    "keys": ("console.cli.keys:keys", "The keys of the console, and whether a keymap file can be used."),
    "config": ("console.cli.config:config", "Show the configuration in force."),
    "completion": ("console.cli.completion:completion", "Print the shell completion script."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            refuse_change(ctx, command, rest)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"mlconsole {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, name="mlconsole", invoke_without_command=True)
@platform_options
@manner.manner_options
@click.option(
    "--low-bandwidth",
    is_flag=True,
    help="For slow lines: the terminal's own colours, ages and charts drawn less often.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def cli(
    ctx: click.Context, read_only: bool, dry_run: bool, quiet: bool, verbose: bool, low_bandwidth: bool
) -> Any:
    """A terminal console for Amazon SageMaker, with a SageMaker inside.

    Without a command it opens the console. Everything works on this machine without an AWS account (--target embedded, the
    default) and on AWS (--target aws).
    """
    manner.apply(ctx, read_only=read_only, dry_run=dry_run, quiet=quiet, verbose=verbose)
    if ctx.invoked_subcommand is not None:
        return None
    dumb = (
        os.environ.get("TERM") == "dumb"
    )  # as in a shell within an editor: it shows escape sequences as text
    if dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(ctx.get_help())
        needed = "a terminal that can be drawn on: TERM is dumb" if dumb else "a terminal"
        click.echo(f"\nThe console needs {needed}. Here, try: mlconsole run moons", err=True)
        ctx.exit(2)
    open_console(ctx, Settings.of(ctx), read_only=read_only, low_bandwidth=low_bandwidth)
    return None


def open_console(
    ctx: click.Context,
    settings: Settings,
    *,
    read_only: bool = False,
    low_bandwidth: bool = False,
    first_run: str = "",
) -> None:
    """Hand the terminal to the Textual application until the person leaves it; ``first_run`` is the run it opens."""
    if low_bandwidth:  # Textual reads it when it is imported
        os.environ.setdefault("TEXTUAL_FPS", "10")
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    gc.disable()  # until `console.process.run`: collections find nothing in what is imported, and take 50 of 400 ms
    from console import curtain

    configuration = settings.configuration
    try:
        curtain.drop(configuration.target)
        from console.process import main

        ctx.exit(main(configuration, read_only=read_only, low_bandwidth=low_bandwidth, first_run=first_run))
    finally:
        curtain.lift()
