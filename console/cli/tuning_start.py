"""The commands of ``mlconsole tuning`` that start a tuning job."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option
from console.cli.ranges import HELP as RANGE_HELP

if TYPE_CHECKING:
    from workflows.interfaces.base import Interface
    from workflows.platform import Platform
    from workflows.tuning.request import Strategy, TuningRequest

STRATEGIES = ["Bayesian", "Random", "Hyperband", "Grid"]
KINDS = {"identical": "IdenticalDataAndAlgorithm", "transfer": "TransferLearning"}


@click.command()
@click.argument("training_job", metavar="TRAINING-JOB")
@click.option("--name", default="", metavar="NAME", help="The tuning job's name, 32 characters at most.")
@click.option(
    "--objective",
    default="",
    metavar="METRIC",
    help="What is optimised; by default what the training job measured.",
)
@click.option(
    "--maximize/--minimize",
    "maximize",
    default=None,
    help="Which way, where the metric's name does not tell.",
)
@click.option("--range", "-r", "ranges", multiple=True, metavar="RANGE", help=RANGE_HELP)
@click.option(
    "--set", "fixed", multiple=True, metavar="NAME=VALUE", help="A hyperparameter that is not searched."
)
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES, case_sensitive=False),
    default="Bayesian",
    show_default=True,
    help="How the next trial is chosen.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Trials at most.")
@click.option(
    "--parallel",
    "-p",
    type=click.IntRange(min=1),
    help="Trials at the same time; by default 2.",
)
@click.option(
    "--resource",
    metavar="MIN:MAX",
    help="Epochs that Hyperband gives a trial; by default as a static hyperparameter such as epochs says.",
)
@click.option("--within", metavar="AGE", help="End after this time: 90m, 12h.")
@click.option("--goal", type=float, help="End when the objective has reached this.")
@click.option("--patience", type=click.IntRange(min=3), help="End after so many trials without a better one.")
@click.option("--early-stopping", is_flag=True, help="End trials that are not promising.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the search.")
@click.option("--dry-run", is_flag=True, help="Print the call that would be made, and make none.")
@click.option("--watch", "-w", is_flag=True, help="Wait until it has ended.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def start(
    ctx: click.Context,
    training_job: str,
    name: str,
    objective: str,
    maximize: bool | None,
    ranges: tuple[str, ...],
    fixed: tuple[str, ...],
    strategy: str,
    jobs: int | None,
    parallel: int | None,
    resource: str | None,
    within: str | None,
    goal: float | None,
    patience: int | None,
    early_stopping: bool,
    seed: int | None,
    dry_run: bool,
    watch: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Start a tuning job from a training job that went well: its image, data, role and instances.

    Without --range the ranges that are recommended for its algorithm are searched.

    \b
    mlconsole tuning start my-xgboost-job --jobs 20
    mlconsole tuning start my-script-job -r rate=1e-4:1:log -r depth=2:8 --objective validation:loss
    """
    from dataclasses import replace

    from console.cli.output import print_json
    from console.cli.ranges import parse_ranges
    from console.cli.values import assignments, parse_age
    from workflows.observe.jobs import describe
    from workflows.observe.tuning_rows import Objective
    from workflows.tuning.documents import creation
    from workflows.tuning.draft import PARALLEL, draft_of, searched
    from workflows.tuning.known import direction_of

    chosen = parse_ranges(ranges)
    values = assignments(fixed)
    with Settings.of(ctx).acting() as (platform, interface):
        job = describe(platform, training_job)
        found = draft_of(platform, training_job, name=name)
        request = searched(found, chosen) if chosen else found.request
        template = request.templates[0]
        if not template.ranges:
            raise click.UsageError(f"{found.notes[0]} Say it with --range.")
        for item in template.ranges:
            if item.name in values:
                raise click.BadParameter(
                    f"{item.name} is searched: it cannot be set too.", param_hint="--set"
                )
        optimised = template.objective
        if objective:
            optimised = next(
                (item for item in found.objectives if item.name == objective),
                Objective(name=objective, direction=direction_of(objective)),
            )
        if maximize is not None:
            optimised = replace(optimised, direction="Maximize" if maximize else "Minimize")
        template = replace(template, objective=optimised, static={**template.static, **values})
        request = replace(
            request,
            templates=(template,),
            strategy=cast("Strategy", strategy),
            most_jobs=jobs or (None if strategy.lower() == "grid" else request.most_jobs),
            parallel=parallel or min(PARALLEL, jobs or PARALLEL),
            max_seconds=int(parse_age(within)) if within else 0,
            target=goal,
            most_not_improving=patience or 0,
            early_stopping=early_stopping,
            random_seed=seed,
            resource=parse_resource(resource) if resource else None,
        )
        if dry_run:
            print_json(creation(request))
            return None
        _confirm_creation(platform, request, job.training_seconds, yes=yes)
        return _create(interface, platform, request, watch=watch, as_json=as_json)


@click.command("warm-start")
@click.argument("parent")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="identical",
    show_default=True,
    help="Same data and algorithm, or anything else that is alike.",
)
@click.option("--name", default="", metavar="NAME", help="The new tuning job's name, 32 characters at most.")
@click.option("--range", "-r", "ranges", multiple=True, metavar="RANGE", help=RANGE_HELP)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Trials at most; by default as the parent.")
@click.option(
    "--parallel", "-p", type=click.IntRange(min=1), help="Trials at the same time; by default as the parent."
)
@click.option("--watch", "-w", is_flag=True, help="Wait until it has ended.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def warm_start(
    ctx: click.Context,
    parent: str,
    kind: str,
    name: str,
    ranges: tuple[str, ...],
    jobs: int | None,
    parallel: int | None,
    watch: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Start a tuning job that learns from one that has ended."""
    from dataclasses import replace

    from console.cli.ranges import parse_ranges
    from workflows.tuning import asked

    given = {item.name: item for item in parse_ranges(ranges)}
    with Settings.of(ctx).acting() as (platform, interface):
        request = asked.warm_start(platform, parent, KINDS[kind], name)  # type: ignore[arg-type]
        known = {item.name for template in request.templates for item in template.ranges}
        for unknown in given.keys() - known:
            raise click.BadParameter(
                f"{parent} has not searched {unknown}: a warm start searches the same hyperparameters.",
                param_hint="--range",
            )
        request = replace(
            request,
            templates=tuple(
                replace(template, ranges=tuple(given.get(item.name, item) for item in template.ranges))
                for template in request.templates
            ),
            most_jobs=jobs or request.most_jobs,
            parallel=parallel or min(request.parallel, jobs or request.parallel),
        )
        _confirm_creation(platform, request, None, yes=yes)
        return _create(interface, platform, request, watch=watch, as_json=as_json)


COMMANDS = (start, warm_start)


def _create(
    interface: Interface, platform: Platform, request: TuningRequest, *, watch: bool, as_json: bool
) -> int | None:
    from console.cli.output import print_json
    from console.cli.tuning_changes import watched

    name = interface.tuning.create(request)
    if watch:
        return watched(interface, platform, name, as_json)
    if as_json:
        print_json({"tuning_job": name})
    else:
        click.echo(f"Started {name}. `mlconsole tuning watch {name}` follows it.")
    return None


def _confirm_creation(
    platform: Platform, request: TuningRequest, seconds: float | None, *, yes: bool
) -> None:
    from console.cli.asking import confirm
    from console.cli.tuning_changes import price_of

    template = request.templates[0]
    searched = ", ".join(item.name for item in template.ranges) or "what Autotune chooses"
    most = f"up to {request.most_jobs}" if request.most_jobs else "as many as the grid has"
    sentences = [
        f"Start tuning job {request.name}: {request.strategy}, {most} trials, {request.parallel} at a time, on "
        f"{template.instance_count} × {template.instance_type} each.",
        f"{template.objective.direction} {template.objective.name} over {searched}.",
    ]
    if platform.target == "aws":
        sentences.append(
            price_of(template.instance_type, template.instance_count, seconds, request.most_jobs)
        )
    confirm(sentences, yes=yes)


def parse_resource(text: str) -> tuple[int, int]:
    """``MIN:MAX`` as two whole numbers.

    Raises:
        click.BadParameter: The text is not that.
    """
    low, _, high = text.partition(":")
    if not (low.isdigit() and high.isdigit() and 1 <= int(low) < int(high)):
        raise click.BadParameter(
            f"{text!r} are not two whole numbers, the lower one first. Write 1:27.", param_hint="--resource"
        )
    return int(low), int(high)
