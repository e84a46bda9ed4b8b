"""What can be done with a tuning job: each asks first, names what it concerns, and keeps to that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING

from console import money
from console.formatting import count, number
from console.keymap import key
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from console.screens.tuning_facts import dollars, possible
from workflows import costs, topics
from workflows.tuning.draft import TuningDraft

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen
    from workflows.observe.rows import JobDetail
    from workflows.observe.tuning_rows import TuningRow, TuningView
    from workflows.tuning.request import TuningRequest

SEEDS = (3, 5, 10)
"""How many runs of the default configuration are offered: a spread needs three, ten tell most."""


def _typed(screen: ConsoleScreen, name: str) -> str:
    """What has to be typed before something is changed: on AWS the name."""
    return name if screen.console.services.target == "aws" else ""


def confirm_stop(screen: ConsoleScreen, row: TuningRow) -> None:
    """Ask whether a tuning job is to be stopped, and stop the one that the dialog named."""
    console, name = screen.console, row.name
    if not possible("stop", row):
        console.flash(f"{name} is {row.status}: there is nothing to stop.", "wait")
        return

    def chosen(choice: str | None) -> None:
        if choice == "Stop it":
            console.flash(f"Stopping {name} and its running trials …", "wait")
            console.in_background(
                lambda: console.services.stop_tuning(name),
                lambda _: console.flash(f"✓ {name} is asked to stop."),
            )

    running = count(row.counts.running, "running trial")
    console.push_screen(
        ConfirmScreen(
            f"Stop tuning job {name}?",
            [
                f"{running[:1].upper()}{running[1:]} will be stopped; what has ended keeps its value.",
                "It cannot go on afterwards; a warm start searches on from it.",
            ],
            "Stop it",
            typed=_typed(screen, name),
            does=methodcaller("stop_tuning", name),
        ),
        chosen,
    )


def confirm_delete(screen: ConsoleScreen, row: TuningRow) -> None:
    """Ask whether the record of a tuning job is to be deleted, and delete the one that the dialog named."""
    console, name = screen.console, row.name
    if not possible("delete", row):
        console.flash(
            f"{name} is {row.status}: only what has ended can be deleted. {key('tuning.stop')} stops it.",
            "wait",
        )
        return

    def deleted(_: None) -> None:
        console.flash(f"✓ {name} is deleted; its training jobs stay.")
        console.services.refresh()
        if screen.trail() and screen.is_current:
            screen.app.pop_screen()

    def chosen(choice: str | None) -> None:
        if choice == "Delete":
            console.flash(f"Deleting {name} …", "wait")
            console.in_background(lambda: console.services.delete_tuning(name), deleted)

    console.push_screen(
        ConfirmScreen(
            f"Delete the record of tuning job {name}?",
            [
                "Its training jobs, models and logs stay.",
                "Which of them belonged together is known no more, and nothing can be warm-started from it.",
            ],
            "Delete",
            typed=_typed(screen, name),
            does=methodcaller("delete_tuning", name),
        ),
        chosen,
    )


def open_warm_start(screen: ConsoleScreen, row: TuningRow) -> None:
    """Open the form of a tuning job that searches on from what this one has learned."""
    console, name = screen.console, row.name
    if not possible("warm_start", row):
        console.flash(f"{name} is {row.status}: a warm start needs a tuning job that has ended.", "wait")
        return
    console.flash(f"Reading what {name} searched …", "dim")

    def drafted(request: TuningRequest) -> None:
        from console.screens.tuning_form import TuningFormScreen

        template = request.templates[0]
        draft = TuningDraft(
            request=request,
            objectives=(template.objective,),
            ranges=template.ranges,
            notes=(
                "The objective and the number of hyperparameters have to stay as they are in the parent.",
            ),
        )
        console.call_later(console.open, TuningFormScreen(draft, title=f"Warm start from {name}"))

    console.in_background_to_open(
        lambda: console.services.draft_warm_start(name, "IdenticalDataAndAlgorithm"), drafted
    )


def open_tune(screen: ConsoleScreen, training_job: str) -> None:
    """Open the form of a tuning job that is made from a training job."""
    console = screen.console
    console.flash(f"Reading what {training_job} was started with …", "dim")

    def drafted(draft: TuningDraft) -> None:
        from console.screens.tuning_form import TuningFormScreen

        detail: JobDetail | None = console.known(topics.job(training_job))
        seconds = float(detail.training_seconds) if detail is not None and detail.training_seconds else None
        form = TuningFormScreen(draft, title=f"Tune {training_job}", seconds=seconds)
        console.call_later(console.open, form)

    console.in_background_to_open(lambda: console.services.draft_tuning(training_job), drafted)


def confirm_deploy(screen: ConsoleScreen, view: TuningView) -> None:
    """Ask whether the best model is to be hosted, with what that costs, and host that one."""
    console, best = screen.console, view.detail.best
    if best is None or best.value is None:
        console.flash("No trial has a value yet: there is no best model to host.", "wait")
        return
    name = view.detail.name
    definition = view.detail.definition(best.definition)
    kind = definition.instances[0][0] if definition is not None and definition.instances else ""
    price = costs.hourly([(kind, 1)])
    rate = f" {price}, {money.amount(price.month)} a month," if price.dollars else ""
    if console.services.target == "aws":
        cost = f"It costs{rate} until it is deleted"
    else:
        cost = f"It is free here; on AWS it would cost{rate.rstrip(',')}" if rate else "It is free here"
    objective = view.detail.objective
    metric = objective.name if objective is not None else best.metric

    def chosen(choice: str | None) -> None:
        if choice == "Deploy":
            console.flash(f"Hosting the model of {best.name} …", "wait")
            console.in_background(
                lambda: console.services.deploy_best(name, "", "", best.name),
                lambda endpoint: console.flash(
                    f"✓ Endpoint {endpoint} is being created; {key('app.endpoints')} shows it."
                ),
            )

    console.push_screen(
        ConfirmScreen(
            "Host the best model?",
            [
                f"Training job {best.name}",
                f"{metric} {number(best.value)}",
                f"Endpoint on 1 × {kind or 'the instance type of its trials'}, with model and configuration.",
                f"{cost} (estimate, {costs.REGION} prices of {costs.DATE}).",
            ],
            "Deploy",
            typed=_typed(screen, name),
            does=methodcaller("deploy_best", name, "", "", best.name),
        ),
        chosen,
    )


def confirm_defaults(screen: ConsoleScreen, view: TuningView) -> None:
    """Ask with how many seeds the default configuration is to be trained, with what that costs, and start the runs."""
    console, name = screen.console, view.detail.name
    running = sum(1 for run in view.defaults if run.active)
    if running:
        console.flash(f"{count(running, 'default run')} still running: wait for them first.", "wait")
        return
    known = [trial.cost for trial in view.trials if trial.cost]
    mean = sum(known) / len(known) if known else None
    choices = ["Cancel", *(f"{number_of} runs" for number_of in SEEDS)]

    def chosen(choice: str | None) -> None:
        if choice in choices[1:]:
            runs = SEEDS[choices.index(choice) - 1]
            console.flash(f"Starting {count(runs, 'default run')} …", "wait")
            console.in_background(partial(console.services.start_defaults, name, runs), _started)

    def _started(names: Sequence[str]) -> None:
        console.flash(f"✓ {count(len(names), 'default run')} started; the part Default shows them.")
        console.services.refresh()

    free = console.services.target == "embedded"
    each = (
        f"about {dollars(mean)} each{', free here' if free else ''}" if mean else "the cost is not known here"
    )
    had = (
        f"There are {count(len(view.defaults), 'run')} already; new ones join them." if view.defaults else ""
    )
    console.push_screen(
        ChoiceScreen(
            f"Train the default configuration of {name}?",
            [
                "The same data and fixed hyperparameters, the algorithm's own defaults where this tuning job searches,",
                "each run with another seed: their spread tells what chance alone does.",
                f"Estimate: {each}.",
                had,
            ],
            choices,
            default="" if not free else choices[2],
            danger=not free,
            typed=_typed(screen, name),
            needs_typing=choices[1:],
            does={
                choice: methodcaller("start_defaults", name, runs)
                for choice, runs in zip(choices[1:], SEEDS, strict=True)
            },
        ),
        chosen,
    )
