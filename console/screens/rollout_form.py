"""The form of a rollout: what is deployed, in which steps, watched by what. The timeline is drawn anew while one types."""

from __future__ import annotations

from collections.abc import Iterable
from operator import methodcaller
from typing import Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.keymap import key
from console.screens import rollout_facts
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.starting import StartingForm
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows.problem import Problem
from workflows.rollout import request as requests
from workflows.rollout.checks import Finding
from workflows.rollout.facts import Facts, Source
from workflows.rollout.plan import Plan, plan
from workflows.rollout.request import GAUGES, STRATEGIES, RolloutRequest
from workflows.studies.parameters import Parameter, ParameterError

PATIENCE = 0.4
"""Seconds without a key after which a name is looked up."""
HELP = {
    "source": "A model, a training job, an artefact (s3://….tar.gz), a configuration.",
    "variant": "Which variant gets the new model.",
    "strategy": "How the traffic moves: ← and → go through the strategies.",
    "step": "The canary, the linear step or the rolling batch: 10%, or 1 instance.",
    "wait": "Seconds between two steps; the alarms look at the new model then.",
    "bake": "Seconds with all traffic on the new fleet, before the old one goes.",
    "timeout": "Seconds for the whole update; afterwards it is rolled back.",
    "5xx": "The share of requests that end with a server error: 1%, 2x of the last hour, or off.",
    "4xx": "The share of requests that are refused: 5%, 2x, or off.",
    "model-errors": "The share of requests that the model does not answer well: 1%, 2x, or off.",
    "p99": "What 99 of 100 requests may take: 250 ms, 2x, off. Needs many requests.",
    "mean": "What a request may take on average: 80 ms, 1.5x, or off.",
    "period": "Seconds over which an alarm looks.",
    "own_alarms": "Alarms that exist and take the model back, too: names with commas.",
    "instance_type": "Empty: as now.",
    "instance_count": "Empty: as now.",
    "retain": "Counts and weights: those that run, or those of the configuration.",
    "capture": "Whether requests are still captured, where they are now.",
}
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "strategy": tuple(STRATEGIES.items()),
    "retain": (("running", "counts, weights as now"), ("configured", "as in the new configuration")),
    "capture": (("keep", "as it is"), ("end", "no capture any more")),
}
NUMBERS = {
    "wait": Parameter("wait", "int", 600, "", minimum=0, maximum=3600, unit="s"),
    "bake": Parameter("bake", "int", 600, "", minimum=0, maximum=3600, unit="s"),
    "timeout": Parameter("timeout", "int", 3600, "", minimum=600, maximum=28_800, unit="s"),
    "period": Parameter("period", "int", 60, "", minimum=10, maximum=3600, unit="s"),
    "instance_count": Parameter("instance_count", "int", 1, "", minimum=1, maximum=1000),
}
ORDER = (
    "source", "variant", "strategy", "step", "wait", "bake", "timeout", "5xx", "4xx", "model-errors", "p99", "mean", "period",
    "own_alarms", "instance_type", "instance_count", "retain", "capture",
)  # fmt: skip
TITLES = {
    "source": "new model", "step": "step", "wait": "wait (s)", "bake": "bake (s)", "timeout": "time limit (s)", "5xx": "5xx errors",
    "4xx": "4xx errors", "model-errors": "model errors", "p99": "latency p99", "mean": "mean latency", "period": "alarm period (s)",
    "own_alarms": "other alarms", "instance_type": "instance type", "instance_count": "instances",
    "retain": "retain", "capture": "data capture",
}  # fmt: skip


class RolloutFormScreen(StartingForm):
    """Ctrl+S starts the rollout, after it has told what it is going to do."""

    BINDINGS: ClassVar = list(actions.bindings("deploy"))
    place = "deploy"
    going = "has begun"
    section = "endpoints"
    hints: ClassVar = HELP

    def __init__(self, facts: Facts, last: str = "") -> None:
        super().__init__()
        self.facts = facts
        self._last = last
        self.source: Source | None = None
        self.plan: Plan | None = None
        self._asked: tuple[str, str, tuple[str, ...]] = ("", "", ())
        self._wrong_source = ""
        self._timer: Timer | None = None

    def trail(self) -> str:
        return f"Rollout on {self.facts.endpoint}"

    def summary(self) -> str:
        return f"now {self.facts.config}" if self.wide else ""

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="form", classes="rollout"):
            with Vertical(id="asked"):
                with Fields(id="fields"):
                    for name in ORDER:
                        if name == "variant" and len(self.facts.fleets) == 1:
                            continue
                        yield from self.row(name, self._widget(name), TITLES.get(name, ""))
                yield Static(id="hint", markup=False)
                yield Line(id="verdict")
            yield Page(id="plan")

    def _widget(self, name: str) -> Choice | Input:
        identifier = f"r-{name}"
        if name in CHOICES:
            first = "canary" if name == "strategy" else CHOICES[name][0][0]
            return Choice(CHOICES[name], first, id=identifier, wide=True)
        if name == "variant":
            return Choice(
                [(fleet.variant, fleet.model) for fleet in self.facts.fleets], id=identifier, wide=True
            )
        default = RolloutRequest(endpoint="", source="")
        if name in GAUGES:
            limit = default.limits.get(name)
            text = limit.text(GAUGES[name]) if limit is not None else "off"
        elif name == "step":
            text = "10%"
        elif name in ("wait", "bake", "timeout", "period"):
            text = str(getattr(default, name))
        else:
            text = ""
        return Field(text, id=identifier, classes="-wide-field" if name in ("source", "own_alarms") else None)

    def opened(self) -> None:
        self.query_one("#r-source").focus()
        self.draw_check()

    # Values

    def check(self) -> tuple[RolloutRequest, dict[str, str]]:
        """The request that the form means as far as it can be read, and a sentence for each field that cannot."""
        values: dict[str, Any] = {}
        limits: dict[str, requests.Limit] = {}
        wrong: dict[str, str] = {}
        for name in self.fields:
            text = self.text(name)
            try:
                if name in GAUGES:
                    limit = requests.limit(text, GAUGES[name])
                    if limit is not None:
                        limits[name] = limit
                elif name in NUMBERS:
                    if text or name != "instance_count":
                        values[name] = NUMBERS[name].parse(text)
                elif name == "step":
                    values[name] = requests.step(text)
                elif name in ("retain", "capture"):
                    values[name] = text == CHOICES[name][0][0]
                elif name == "own_alarms":
                    values[name] = tuple(item.strip() for item in text.split(",") if item.strip())
                else:
                    values[name] = text
            except Problem as problem:
                wrong[name] = str(problem)
            except ParameterError as error:
                wrong[name] = str(error).replace("_", " ")
        return RolloutRequest(endpoint=self.facts.endpoint, limits=limits, **values), wrong

    def draw_check(self) -> None:
        request, wrong = self.check()
        asked = (request.source, request.variant, request.own_alarms)
        if asked != self._asked:
            self._asked, self.source, self._wrong_source = asked, None, ""
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(PATIENCE, self._look_up) if request.source else None
        source = self.source or Source(kind="model", name=request.source, model=request.source)
        made = plan(request, self.facts, source, now=self.console.services.now())
        self.plan = made if self.source is not None and not wrong else None
        self.mark({finding.field for finding in made.errors} | set(wrong))
        self._draw_verdict(request, made, wrong)
        target, page = self.console.services.target, self.query_one("#plan", Page)
        page.show(lambda width: rollout_facts.preview(made, width, page.size.height, target))

    def _draw_verdict(self, request: RolloutRequest, made: Plan, wrong: dict[str, str]) -> None:
        verdict = self.query_one("#verdict", Line)
        if wrong:
            verdict.show([(" ✗ " + next(iter(wrong.values())), "bad")])
        elif not request.source:
            verdict.show([(" Which model shall be deployed?", "wait")])
        elif self._wrong_source:
            verdict.show([(" ✗ " + self._wrong_source, "bad")])
        elif self.source is None:
            verdict.show([(f" Looking for {request.source} …", "dim")])
        elif made.errors:
            verdict.show([(" ✗ " + made.errors[0].sentence, "bad")])
        elif self.console.services.read_only:
            verdict.show([(" Read-only: nothing is deployed here.", "wait")])
        else:
            kind = {
                "model": "model",
                "training-job": "training job",
                "artifact": "artefact",
                "config": "configuration",
            }
            verdict.show(
                [
                    (f" {key('deploy.start')} ", "badge"),
                    (f" deploys {kind[self.source.kind or 'model']} {request.source}", "strong"),
                ]
            )

    def _look_up(self) -> None:
        given, variant, own = self._asked
        services, endpoint = self.console.services, self.facts.endpoint

        def found(answer: tuple[Facts, Source]) -> None:
            if (given, variant, own) == self._asked and self.is_attached:
                self.facts, self.source = answer
                self.draw_check()

        def missing(problem: Problem) -> None:
            if (given, variant, own) == self._asked and self.is_attached:
                self._wrong_source = problem.sentence
                self.draw_check()

        self.work(lambda: services.draft_rollout(endpoint, given, variant, own), found, missing)

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._changed)

    # Actions

    def offers(self, action: actions.Action) -> bool:
        return action.verb != "last" or bool(self._last)

    async def action_last(self) -> None:
        if self._last:
            await self.console.open_rollout(self._last)

    def action_start(self) -> None:
        request, wrong = self.check()
        made = self.plan
        if wrong:
            name, text = next(iter(wrong.items()))
            self.query_one(f"#r-{name}").focus()
            self.console.flash(f"✗ {text}", "bad")
        elif not request.source:
            self.query_one("#r-source").focus()
            self.console.flash("✗ Say which model shall be deployed.", "bad")
        elif made is None:
            self.console.flash(self._wrong_source or f"{request.source} is still being looked up.", "wait")
        elif made.errors:
            self._forbidden(made.errors[0])
        elif not self.starting and self.console.allowed(actions.get("deploy.start")):
            self._confirm(made)

    def _forbidden(self, finding: Finding) -> None:
        name = "5xx" if finding.field == "limits" else finding.field
        if self.query(f"#r-{name}"):
            self.query_one(f"#r-{name}").focus()
        self.console.flash(f"✗ {finding.sentence}", "bad")

    def _confirm(self, made: Plan) -> None:
        console, endpoint = self.console, self.facts.endpoint
        lines = [
            f"From {made.blue} to {made.green}, {made.request.strategy}; {len(made.guardrails)} alarms and you can take it back."
        ]
        lines += [f"! {finding.sentence}" for finding in made.warnings[:3]]
        lines.append(made.price(console.services.target))

        def chosen(choice: str | None) -> None:
            if choice == "Roll out":
                self.start(made.id, lambda: console.services.begin_rollout(made))

        console.push_screen(
            ConfirmScreen(
                f"Roll out {made.request.source} to endpoint {endpoint}?",
                lines,
                "Roll out",
                typed=endpoint if console.services.target == "aws" else "",
                does=methodcaller("begin_rollout", made),
            ),
            chosen,
        )

    async def show_started(self, name: str) -> None:
        await self.console.open_rollout(name)


def open_rollout_of(screen: ConsoleScreen, endpoint: str) -> None:
    """Open the rollout of an endpoint that has not ended, or the form of a new one."""
    console = screen.console
    console.flash(f"Reading what {endpoint} has …", "dim")

    def found(answer: tuple[str, Facts | None]) -> None:
        name, facts = answer
        if facts is None:
            console.call_later(console.open_rollout, name)
        else:
            console.call_later(console.open, RolloutFormScreen(facts, name))

    console.in_background_to_open(lambda: console.services.rollout_of(endpoint), found)


def open_form(screen: ConsoleScreen, endpoint: str) -> None:
    """Open the form of a new rollout."""
    console = screen.console

    def read(facts: Facts) -> None:
        console.call_later(console.open, RolloutFormScreen(facts))

    console.in_background_to_open(lambda: console.services.rollout_facts(endpoint), read)
