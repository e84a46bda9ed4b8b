"""``mlconsole runs``: the runs of studies on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli import runs_diff
from console.cli.naming import run_argument
from console.cli.options import Nouns, json_option, yes_option

if TYPE_CHECKING:
    from workflows.runs import Run


@click.group(cls=Nouns)
def runs() -> None:
    """List, watch, compare, stop, resume and answer runs of studies.

    RUN is an id, the beginning or the end of one, or "last".
    """


runs.add_command(runs_diff.diff)


@runs.command("ls")
@click.option("--study", help="Only runs of this study.")
@click.option("--status", help="Only runs with this status: running, waiting, completed, failed …")
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="At most so many, the newest.",
)
@json_option
def list_(study: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    import time

    from console.cli.output import print_json, print_table, status_text, tell_more
    from console.formatting import ago, duration
    from workflows.lineage import as_shown
    from workflows.runs import list_runs

    everything = [run for run in list_runs() if study in (None, run.study) and status in (None, run.status)]
    found = [as_shown(run) for run in everything[:limit]]
    tell_more(len(everything) > limit)
    if as_json:
        print_json([_public(run) for run in found])
        return
    now = time.time()
    print_table(
        ["RUN", "STATUS", "STEP", "TARGET", "STARTED", "TOOK", "RESULT"],
        [
            [
                run.id,
                status_text(run.status),
                run.step or "–",
                f"{run.target}/{run.interface}",
                ago(run.created, now),
                duration((run.ended or (now if run.active else run.heartbeat or run.created)) - run.created),
                _result(run),
            ]
            for run in found
        ],
        empty="There is no run yet. `mlconsole run moons` starts one.",
    )


@runs.command()
@run_argument()
@json_option
def show(name: str, as_json: bool) -> None:
    """Describe a run: its steps, its parameters, its result."""
    from console.cli.output import heading, print_json, print_pairs, print_table, status_text
    from console.formatting import clock, duration, number
    from workflows import lineage
    from workflows import runs as ledger
    from workflows.report.settings import command
    from workflows.transcript import Transcript

    run = ledger.find(name)
    checked = lineage.check(run)
    shown = (checked.shown(event) for event in ledger.follow(run, timeout=0))
    told = Transcript.of(event for event in shown if event is not None)
    run = lineage.as_shown(run, quick=False)
    if as_json:
        steps = [
            {
                "id": step.id,
                "title": step.title,
                "status": step.status,
                "seconds": step.seconds,
                "summary": step.summary,
            }
            for step in told.steps.values()
        ]
        print_json({**_public(run), "steps": steps, "lineage": lineage.as_dict(checked)})
        return
    print_pairs(
        [
            ("run", run.id),
            ("study", run.study),
            ("status", status_text(run.status)),
            ("message", run.message),
            ("data", "SYNTHETIC: made up, scores say nothing about real data" if run.synthetic else ""),
            ("target", f"{run.target}, interface {run.interface}"),
            ("started", clock(run.created, day=True)),
            ("took", duration(run.ended - run.created) if run.ended else ""),
            ("folder", run.folder),
            ("left behind", ", ".join(run.left_behind)),
        ]
    )
    if run.question:
        heading("It waits for an answer")
        click.echo(str(run.question.get("text", "")))
        choices = "|".join(str(choice) for choice in run.question.get("choices", []))
        click.echo(f"`mlconsole runs answer {run.id} {choices}`")
    heading("Steps")
    print_table(
        ["STEP", "STATUS", "TOOK", "SUMMARY"],
        [
            [step.title, status_text(step.status), duration(step.seconds), step.summary or "–"]
            for step in told.steps.values()
        ],
    )
    if run.metrics:
        heading("Result")
        print_pairs((metric, number(value)) for metric, value in run.metrics.items())
    heading("Parameters")
    print_pairs(run.parameters.items())
    heading("Again")
    click.echo(command(run))


@runs.command()
@run_argument()
@click.option("--calls", is_flag=True, help="Show each AWS call.")
@click.option("--logs", is_flag=True, help="Show the training and serving logs.")
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@json_option
@click.pass_context
def attach(ctx: click.Context, name: str, calls: bool, logs: bool, no_input: bool, as_json: bool) -> None:
    """Watch a run from its first event to its end; of one that has ended, all its events.

    Exit status: as `mlconsole run`.
    """
    from console.cli.attach import can_ask, chosen_renderer, watch
    from workflows.runs import find

    run = find(name)
    ask = can_ask() and not (as_json or no_input)
    ctx.exit(watch(run, chosen_renderer(as_json=as_json, calls=calls, logs=logs), ask=ask, quiet=as_json))


@runs.command()
@run_argument()
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting for the clean-up.")
@json_option
def stop(name: str, no_wait: bool, as_json: bool) -> None:
    """Stop a run and delete what it made; also cleans up after an interrupted one."""
    from console.cli.output import print_json
    from workflows import runs as ledger
    from workflows.events import RunFinished

    run = ledger.find(name)
    ledger.stop(run)
    end = None
    if not no_wait:
        for event in ledger.follow(run):
            if isinstance(event, RunFinished):
                end = event
    left = end.left_behind if end else []
    if as_json:
        print_json({"run": run.id, "status": end.status if end else "stopping", "left_behind": left})
    elif end is None:
        click.echo(f"Run {run.id} was asked to stop.")
    else:
        click.echo(
            f"Run {run.id} is {end.status}; "
            + (f"left behind: {', '.join(left)}." if left else "nothing is left.")
        )


@runs.command()
@run_argument()
@click.option("--detach", "-d", is_flag=True, help="Return at once.")
@yes_option
@json_option
@click.pass_context
def resume(ctx: click.Context, name: str, detach: bool, yes: bool, as_json: bool) -> None:
    """Go on with a run that was interrupted or failed; finished steps are not done again."""
    from console.cli.attach import can_ask, chosen_renderer, watch
    from console.cli.output import print_json
    from workflows import runs as ledger

    found = ledger.find(name)
    if found.target == "aws":
        from console.cli.run import agree
        from workflows.studies.catalog import find as find_study

        what = f"Resume run {found.id} on AWS; steps whose inputs are unchanged are reused."
        ask = can_ask() and not (as_json or yes)
        agree(find_study(found.study), found.parameters, what, keep=found.keep, ask=ask)
    run = ledger.resume(found)
    if detach:
        if as_json:
            print_json({"run": run.id, "folder": run.folder, "status": run.status})
        else:
            click.echo(run.id)
        return
    ctx.exit(watch(run, chosen_renderer(as_json=as_json), ask=can_ask() and not as_json, quiet=as_json))


@runs.command()
@run_argument()
@click.argument("choice")
@json_option
def answer(name: str, choice: str, as_json: bool) -> None:
    """Answer the question that a run waits for."""
    from console.cli.output import Outcomes
    from workflows import runs as ledger
    from workflows.failures import WorkflowError

    run = ledger.find(name)
    if run.question is None:
        raise WorkflowError(f"Run {run.id} asks nothing: it is {run.status}.")
    question = str(run.question["question"])
    with Outcomes(as_json) as outcomes:
        ledger.answer(run, question, choice)
        sentence = f"Answered {question}: {choice}."
        outcomes.tell(run.id, "answered", sentence, question=question, answer=choice)


@runs.command()
@run_argument()
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file.")
@click.option(
    "--interface",
    type=click.Choice(["low", "high"]),
    help="Through boto3 or the SDK, whichever the run used.",
)
@json_option
def code(name: str, output: Path | None, interface: str | None, as_json: bool) -> None:
    """Print a run as a plain Python script in its interface; the script runs without mlconsole."""
    from console.cli.output import print_json
    from workflows import runs as ledger

    text = ledger.code(ledger.find(name), interface or "")
    if as_json:
        print_json({"code": text, "file": output})
    elif output is None:
        click.echo(text, nl=not text.endswith("\n"))
    if output is not None:
        output.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {output}.", err=True)


@runs.command()
@run_argument(nargs=-1, required=True)
@yes_option
@json_option
def rm(name: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete the records of runs that have ended. What they left at the target is not touched."""
    from console.cli.asking import confirm
    from console.cli.output import Outcomes
    from workflows import runs as ledger

    found = [ledger.find(item) for item in name]
    confirm([f"Delete the records of run {run.id} ({run.status})." for run in found], yes=yes)
    with Outcomes(as_json) as outcomes:
        for run in found:
            ledger.delete(run)
            outcomes.tell(run.id, "deleted", f"Deleted {run.id}.")


def _result(run: Run) -> str:
    from console.formatting import number
    from workflows.studies import catalog, measures

    if run.message.startswith("Results are withheld"):
        return "withheld"
    metrics = measures.ordered(catalog.known(run.study), run.metrics)
    found = ", ".join(f"{name} {number(value)}" for name, value in list(metrics.items())[:2])
    return f"{'SYNTHETIC: ' if run.synthetic else ''}{found}" if found else "–"


def _public(run: Run) -> dict[str, Any]:
    from dataclasses import asdict

    kept = asdict(run)
    for name in ("pid_started", "heartbeat"):
        kept.pop(name)
    return kept | {"target": run.target}
