"""The commands of ``mlconsole tuning`` that end or deploy something, compare it with the default, or wait for it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from console.cli.completing import names_of
from console.cli.options import Settings, interface_option, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.interfaces.base import Interface
    from workflows.platform import Platform
    from workflows.tuning.comparison import Comparison


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("tuning-jobs"))
@yes_option
@json_option
@platform_options
@click.pass_context
def stop(ctx: click.Context, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Stop tuning jobs with their running trials. What has ended keeps its value; a warm start can go on from it."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.observe import tuning

    platform = Settings.of(ctx).platform()
    confirm([f"Stop tuning job {name} and its running trials." for name in names], yes=yes)
    with Outcomes(as_json) as outcomes:
        for name in names:
            tuning.stop(platform, name)
            outcomes.tell(name, "stopping", f"Stopping {name}.")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=names_of("tuning-jobs"))
@yes_option
@json_option
@platform_options
@click.pass_context
def delete(ctx: click.Context, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete tuning jobs that have ended. Their training jobs, artefacts and logs stay."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows.observe import tuning

    platform = Settings.of(ctx).platform()
    confirm([f"Delete tuning job {name}; its training jobs stay." for name in names], yes=yes)
    with Outcomes(as_json) as outcomes:
        for name in names:
            tuning.delete(platform, name)
            outcomes.tell(name, "deleted", f"Deleted {name}.")


@click.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@click.option("--endpoint", default="", metavar="NAME", help="The endpoint's name; by default the trial's.")
@click.option("--instance-type", default="", metavar="TYPE", help="By default that of the trial.")
@click.option("--ttl", metavar="AGE", help="It expires after this time (90m, 8h); `mlconsole sweep` deletes it then.")  # fmt: skip
@click.option("--wait/--no-wait", default=True, show_default=True, help="Until the endpoint is in service.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def deploy(
    ctx: click.Context,
    name: str,
    endpoint: str,
    instance_type: str,
    ttl: str | None,
    wait: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Deploy the best trial: its model, an endpoint configuration and an endpoint, tagged with where they come from."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from console.cli.values import parse_age
    from console.cli.waiting import endpoint_settled, tell_endpoint
    from console.money import amount
    from workflows import costs
    from workflows.lifetime import expiry_tag
    from workflows.observe import jobs, tuning
    from workflows.tuning import operations

    with Settings.of(ctx).acting() as (platform, interface):
        detail = tuning.describe(platform, name)
        best = operations.best_of(detail)
        request = operations.deployment(
            detail, jobs.describe(platform, best.name), endpoint=endpoint, instance_type=instance_type
        )
        if ttl is not None:
            limit = expiry_tag(parse_age(ttl, "--ttl"), time.time())
            request = replace(request, tags=request.tags | limit)
        price = costs.hourly([(request.instance_type, 1)])
        cost = (
            f" It costs {price}, {amount(price.month)} a month, until it is deleted ({costs.basis()})."
            if platform.target == "aws"
            else ""
        )
        confirm(
            [
                f"Deploy {best.name} ({best.metric} {best.value:g}) as endpoint {request.name} on {request.instance_type}.{cost}"
            ],
            yes=yes,
        )
        interface.deploy(request)
        status, failure = endpoint_settled(platform, interface, request.name) if wait else ("Creating", "")
        if as_json:
            print_json(
                {
                    "endpoint": request.name,
                    "training_job": best.name,
                    "value": best.value,
                    "status": status,
                    "failure": failure,
                }
            )
            return 1 if status == "Failed" else None
        return tell_endpoint(request.name, status, failure)


@click.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@json_option
@platform_options
@click.pass_context
def watch(ctx: click.Context, name: str, as_json: bool) -> int | None:
    """Follow a tuning job until it has ended; one line (with --json: one object) per change. Ctrl-C ends the watching only."""
    with Settings.of(ctx).acting() as (platform, interface):
        return watched(interface, platform, name, as_json)


@click.command()
@click.argument("name", shell_complete=names_of("tuning-jobs"))
@click.option(
    "--run", "runs", type=click.IntRange(1, 50), help="Start so many default runs first (five are usual)."
)
@click.option(
    "--definition",
    default="",
    metavar="NAME",
    help="Whose defaults, where the tuning job has several definitions.",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="For default runs that still run.")
@interface_option
@yes_option
@json_option
@platform_options
@click.pass_context
def compare(
    ctx: click.Context, name: str, runs: int | None, definition: str, wait: bool, yes: bool, as_json: bool
) -> None:
    """Compare the tuned score with the default configuration and its spread over seeds.

    --run starts training jobs NAME-default-NN with the same data and the algorithm's own defaults where the tuning job
    searches. The rule: the best of as many default runs as there are trials must hardly be able to reach the tuned score
    (a 95% prediction limit), else it may be luck.
    """
    from console.cli.output import harmless_lines, print_json
    from workflows.observe import tuning
    from workflows.tuning import defaults
    from workflows.tuning.comparison import comparison

    with Settings.of(ctx).acting() as (platform, interface):
        detail = tuning.describe(platform, name)
        if runs:
            planned = defaults.plan(
                detail, tuning.default_names(platform, name), runs=runs, definition=definition
            )
            _confirm_defaults(platform, planned, detail, yes=yes)
            for started in defaults.start(interface.tuning, detail, planned):
                click.echo(f"Started {started}.", err=True)
        view = tuning.view(platform, name, time.time())
        if wait and any(run.active for run in view.defaults):
            from console.cli.waiting import waiter

            def ended() -> tuple[bool, object]:
                nonlocal view
                view = tuning.view(platform, name, time.time())
                return not any(run.active for run in view.defaults), view.defaults

            waiter(platform).until(ended, "The default runs", 86_400)
        found = comparison(view)
        if as_json:
            print_json(found)
            return
        _print_comparison(found, name)
        for run in view.defaults:
            if run.failure_reason:
                click.echo(harmless_lines(f"{run.name}: {run.failure_reason}"), err=True)


COMMANDS = (watch, compare, deploy, stop, delete)


def _confirm_defaults(platform: Platform, planned: Any, detail: Any, *, yes: bool) -> None:
    from console.cli.asking import confirm

    template, count = planned.template, len(planned.names)
    sentences = [f"Start {count} training jobs, {planned.names[0]} to {planned.names[-1]}.", *planned.notes]
    if platform.target == "aws":
        best = detail.best
        seconds = best.ended - best.started if best and best.ended and best.started else None
        sentences.append(price_of(template.instance_type, template.instance_count, seconds, count))
    confirm(sentences, yes=yes)


def _print_comparison(found: Comparison, name: str) -> None:
    from console.cli.output import print_pairs, prose
    from console.formatting import number

    metric = found.objective.name if found.objective else "value"
    spread = f" ± {number(found.spread)}" if found.spread is not None else ""
    print_pairs(
        [
            (
                "tuned",
                f"{number(found.tuned)}  {found.trial} (best of {found.trials})"
                if found.tuned is not None
                else "",
            ),
            (
                "default",
                f"{number(found.mean)}{spread}  ({len(found.values)} runs)" if found.mean is not None else "",
            ),
            ("runs", ", ".join(number(value) for value in found.values)),
            ("one more run reaches", number(found.limit_one) if found.limit_one is not None else ""),
            (
                f"the best of {found.trials} reaches",
                number(found.limit_best) if found.limit_best is not None else "",
            ),
            ("metric", metric),
            ("running", found.running or ""),
            ("without a value", found.failed or ""),
        ]
    )
    click.echo(prose(found.sentence))
    if found.verdict == "too-few" and not found.running:
        click.echo(f"`mlconsole tuning compare {name} --run 5` makes them.", err=True)


def watched(interface: Interface, platform: Platform, name: str, as_json: bool) -> int | None:
    """Print the changes of a tuning job until it has ended; returns the exit status where it is not 0."""
    from console.cli.output import harmless_lines, print_json
    from console.cli.waiting import waiter
    from workflows.tuning import operations

    def told(progress: operations.Progress) -> None:
        if as_json:
            print_json({"sentence": progress.sentence, **_state(progress.detail)})
        else:
            click.echo(f"{time.strftime('%H:%M:%S')}  {progress.sentence}")

    detail = operations.wait(interface.tuning, name, waiter(platform), told)
    if detail.failure_reason and not as_json:
        click.echo(harmless_lines(detail.failure_reason), err=True)
    return 1 if detail.row.status == "Failed" else None


def _state(detail: Any) -> dict[str, Any]:
    best = detail.best
    return {
        "tuning_job": detail.name,
        "status": detail.row.status,
        "counts": detail.row.counts,
        "best": None
        if best is None
        else {"training_job": best.name, "value": best.value, "hyperparameters": best.tuned},
        "failure": detail.failure_reason,
    }


def price_of(kind: str, count: int, seconds: float | None, trials: int | None) -> str:
    """What trials may cost, as a sentence; ``seconds`` is how long one took before (None: not known)."""
    from workflows import costs

    if seconds is None or trials is None:
        return f"While it runs, a trial costs {costs.hourly([(kind, count)], costs.TRAINING)} ({costs.REGION}, {costs.DATE})."
    return f"It may cost {costs.estimate(kind, seconds * trials, count)}."
