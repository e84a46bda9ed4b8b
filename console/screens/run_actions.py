"""What can be done with a run beyond itself: compare it, report it, hand it over to endpoints, A/B tests and tuning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import methodcaller
from pathlib import Path

from console import browser, money
from console.formatting import ago, number, status
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ChoiceScreen
from console.screens.help import TextScreen
from console.screens.picking import PickScreen
from console.screens.run_scores import leading
from console.screens.run_state import RunState
from workflows import costs, topics
from workflows.creation import NewVariant
from workflows.runs import Run

MACHINE = "hosting-instance-type"


def kept(left: Iterable[str], what: str) -> str:
    """The name of the first kept thing of a kind (``endpoint``, ``model``) among what a run left; empty: none."""
    return next(
        (
            item.removeprefix(f"{what} ")
            for item in left
            if item.startswith(f"{what} ") and item.count(" ") == 1
        ),
        "",
    )


def kept_endpoint(state: RunState) -> str:
    """The endpoint that a run has left in place; empty: none."""
    return kept(state.kept, "endpoint")


def training_job(state: RunState) -> str:
    """The training job whose model the run used last; empty until the run has ended, or where it has none."""
    jobs = [artifact.name for artifact in state.artifacts if artifact.what == "training job"]
    return jobs[-1] if jobs and state.finished is not None else ""


def result_of(run: Run) -> str:
    """A run's most important metric, or how it is."""
    if run.metrics and run.status in ("completed", "refused"):
        name, value = leading(run)
        return f"{'SYNTHETIC ' if run.synthetic else ''}{name} {number(value)}"
    return run.status


def choose_other(screen: ConsoleScreen, run: str, study: str) -> None:
    """Ask which other run of the study this one is to be compared with, and show both."""
    console = screen.console
    if any(one.id == run and one.active for one in _runs(screen)):
        console.flash("The run goes on still: its scores can be compared once it has ended.", "wait")
        return
    others = [one for one in _runs(screen) if one.study == study and one.id != run and not one.active]
    if not others:
        console.flash(
            f"There is no other run of {study} that has ended: {key('run.again')} starts one like this.",
            "wait",
        )
        return

    def chosen(other: str | None) -> None:
        if other is not None:
            console.call_later(console.open_comparison, other, run)

    now = console.services.now()
    items = [
        (one.id, f"{status(one.status).glyph} {result_of(one)}", ago(one.ended or one.created, now))
        for one in others
    ]
    console.push_screen(PickScreen(f"Compare {run} with", items), chosen)


def open_report(screen: ConsoleScreen, run: str) -> None:
    """Write the report of a run; open it where there is a browser, else say where it is and how to get it."""
    console = screen.console
    console.flash("Writing the report …", "dim")

    def write() -> tuple[Path, bool]:
        path = console.services.write_report(run)
        return path, browser.available() and browser.open_page(path)

    def written(found: tuple[Path, bool]) -> None:
        path, opened = found
        if opened:
            console.flash(f"✓ The report is open in your browser: {path}")
            return
        lines = [
            str(path),
            "",
            "There is no browser on this machine. On your own machine, in a shell:",
            "",
            f"  {browser.fetching(path)}",
            "",
            "It is one file that opens without a network.",
        ]
        console.flash(f"✓ Written: {path}")

        def tell() -> None:
            console.unflash()
            console.push_screen(TextScreen(f"Report of {run}", "\n".join(lines)))

        console.interrupt(tell)

    console.in_background(write, written)


def start_experiment(screen: ConsoleScreen, run: str, state: RunState) -> None:
    """An endpoint with this run's model and that of another run beside it, on which an A/B test can be started."""
    console = screen.console
    if state.finished is None:
        console.flash("The run goes on still: its model can be tested once it has ended.", "wait")
        return
    if not kept(state.kept, "model"):
        console.flash(
            f"This run has kept no model: {key('run.again')} starts one like it; set keep to yes.",
            "wait",
        )
        return
    candidates = {one.id: one for one in _runs(screen) if one.study == state.study and one.keep}
    names = [run, *(name for name in candidates if name != run)]
    now = console.services.now()

    def known(remains: Mapping[str, Sequence[str]]) -> None:
        models = {name: model for name, left in remains.items() if (model := kept(left, "model"))}
        others = [candidates[name] for name in names[1:] if name in models]
        if not others:
            console.flash(
                f"No other run of {state.study} has kept its model: {key('run.again')} starts one; set keep to yes.",
                "wait",
            )
            return

        def chosen(other: str | None) -> None:
            if other is None:
                return
            machines = (
                str(state.parameters.get(MACHINE, "")),
                str(candidates[other].parameters.get(MACHINE, "")),
            )
            variants = [
                NewVariant(
                    name=f"run-{name.rpartition('-')[2]}",
                    source=models[name],
                    instance_type=machine or "ml.m5.large",
                )
                for name, machine in zip((run, other), machines, strict=True)
            ]
            _confirm_hosting(screen, run, variants)

        items = [(one.id, result_of(one), ago(one.ended or one.created, now)) for one in others]
        console.push_screen(PickScreen(f"A/B test of {run} against", items), chosen)

    console.in_background_to_open(lambda: console.services.remains(names), known)


def _confirm_hosting(screen: ConsoleScreen, run: str, variants: Sequence[NewVariant]) -> None:
    console = screen.console
    name = f"{run[:55]}-ab"
    price = sum((costs.hourly([(one.instance_type, one.instances)]) for one in variants), costs.Hourly())
    cost = (
        f"It costs {price}, {money.amount(price.month)} a month, until it is deleted ({costs.basis()})."
        if console.services.target == "aws"
        else f"Free here; on AWS {price} until it is deleted ({costs.basis()})."
    )

    def chosen(choice: str | None) -> None:
        if choice != "Create it":
            return
        console.flash(f"Creating endpoint {name} …", "dim")
        console.in_background(lambda: console.services.host_together(name, variants), made)

    def made(endpoint: str) -> None:
        console.flash(
            f"✓ {endpoint} is being created: once it is in service, {key('endpoint.experiment')} starts the A/B test."
        )
        console.services.refresh()
        if screen.is_current:
            console.call_later(console.open_endpoint, endpoint)

    console.push_screen(
        ChoiceScreen(
            "An endpoint for the A/B test?",
            [
                f"Create endpoint {name} with two variants, each with half of the requests:",
                *(f"{one.name}: model {one.source}" for one in variants),
                cost,
            ],
            ["Cancel", "Create it"],
            typed=name if console.services.target == "aws" else "",
            needs_typing=["Create it"],
            does=methodcaller("host_together", name, variants),
        ),
        chosen,
    )


def _runs(screen: ConsoleScreen) -> Sequence[Run]:
    return screen.console.known(topics.RUNS) or ()
