"""The form of an A/B test on an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import methodcaller
from typing import Any, ClassVar

from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.formatting import duration
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.starting import StartingForm
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows.abtest.definition import GUARDRAILS, Experiment, checked
from workflows.abtest.drafting import parse_weights, sentences
from workflows.problem import Problem
from workflows.statistics.forecast import fixed_sample, sequential_sample

HELP = {
    "name": "How the test is called, here and on the command line.",
    "control": "The variant that the others are compared with.",
    "weights": "NAME=WEIGHT of each variant that takes part, two or more. Shares of the traffic are weights by their sum.",
    "metric": "What the reward is: success, accuracy, conversion.",
    "kind": "rate: rewards of 0 and 1. mean: any numbers. log: positive numbers whose ratio matters, such as seconds.",
    "direction": "Whether a higher or a lower reward is better.",
    "margin": "Differences up to it do not matter: 0.01 is a percentage point of a rate. 0: no verdict of no difference.",
    "alpha": "The probability that a verdict is wrong, however often one looks.",
    "planned": "Rewarded requests about which the interval is tightest.",
    "guardrails": "What must not get worse: model-errors, 4xx, 5xx, latency. They share alpha among them.",
    "maturity": "Seconds after which a request counts, so that late rewards of one variant do not distort it.",
    "missing": "A matured request without a reward: ignore it, or count it as 0 (a conversion that did not happen).",
    "sticky": "yes: users are assigned by their hashed id, and count once each. Requests must tell the user.",
}
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "kind": (("rate", "0 or 1"), ("mean", "numbers"), ("log", "ratios")),
    "direction": (("higher", "better"), ("lower", "better")),
    "missing": (("ignore", ""), ("zero", "counts as 0")),
    "sticky": (("no", "by request"), ("yes", "by user")),
}
NUMBERS = {"margin": float, "alpha": float, "planned": int, "maturity": float}


class ExperimentFormScreen(StartingForm):
    """Ctrl+S shows what starting does, and starts it."""

    BINDINGS: ClassVar = list(actions.bindings("trial"))
    place = "trial"
    section = "endpoints"
    hints: ClassVar = HELP

    def __init__(self, draft: Experiment) -> None:
        super().__init__()
        self.draft = draft

    def trail(self) -> str:
        return f"A/B test on {self.draft.endpoint}"

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form", classes="tune"):
            with Fields(id="fields"):
                for name in HELP:
                    yield from self.row(name, self._widget(name))
            yield Static(id="hint", markup=False)
            yield Static(id="bound", markup=False)
            yield Line(id="verdict")

    def _widget(self, name: str) -> Choice | Input:
        if name in CHOICES:
            value = getattr(self.draft, name)
            return Choice(CHOICES[name], {True: "yes", False: "no"}.get(value, value), id=f"x-{name}")
        if name == "control":
            return Choice(
                tuple((variant, "") for variant in self.draft.variants), self.draft.control, id="x-control"
            )
        wide = "-wide-field" if name in ("name", "weights", "guardrails") else None
        return Field(self._text(name), id=f"x-{name}", classes=wide)

    def _text(self, name: str) -> str:
        value: Any = getattr(self.draft, name)
        if name == "weights":
            return " ".join(f"{variant}={weight:g}" for variant, weight in value.items())
        if name == "guardrails":
            return " ".join(value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    def opened(self) -> None:
        self.query_one("#x-weights").focus()
        self.draw_check()

    def check(self) -> tuple[Experiment | None, str, str]:
        """(the test that the form means, the field that is wrong, what is wrong with it)."""
        texts = {}
        for name in HELP:
            texts[name] = self.text(name)
        values: dict[str, Any] = {
            name: texts[name] for name in ("name", "control", "metric", "kind", "direction", "missing")
        }
        values["sticky"] = texts["sticky"] == "yes"
        for name, kind in NUMBERS.items():
            try:
                values[name] = kind(texts[name].replace(" ", "") or 0)
            except ValueError:
                return None, name, f"The {name} has to be a number."
        values["guardrails"] = tuple(dict.fromkeys(texts["guardrails"].replace(",", " ").split()))
        unknown = [name for name in values["guardrails"] if name not in GUARDRAILS]
        if unknown:
            return (
                None,
                "guardrails",
                f"There is no guardrail {unknown[0]}. Guardrails: {', '.join(GUARDRAILS)}.",
            )
        try:
            weights = parse_weights(texts["weights"].replace(",", " ").split())
        except Problem as problem:
            return None, "weights", str(problem)
        strange = [name for name in weights if name not in self.draft.before]
        if strange:
            return (
                None,
                "weights",
                f"The endpoint has no variant {strange[0]}. Its variants: {', '.join(self.draft.before)}.",
            )
        if not values["metric"]:
            return None, "metric", "The metric needs a name."
        try:
            return checked(replace(self.draft, **values, weights=weights, variants=tuple(weights))), "", ""
        except Problem as problem:
            wrong = next((name for name in HELP if name in problem.sentence.lower()), "weights")
            return None, wrong, str(problem)

    def draw_check(self) -> None:
        made, wrong, text = self.check()
        self.mark({wrong} if wrong else ())
        verdict = self.query_one("#verdict", Line)
        if made is None:
            verdict.show([(f" ✗ {text}", "bad")])
            return
        verdict.show([(f" {key('trial.start')} ", "badge"), (" starts the A/B test", "strong")])
        self.query_one("#bound", Static).update(_bound(made))

    # Actions

    def action_start(self) -> None:
        made, wrong, text = self.check()
        if made is None:
            self.query_one(f"#x-{wrong}").focus()
            self.console.flash(f"✗ {text}", "bad")
            return
        if self.starting or not self.console.allowed(actions.get("trial.start")):
            return
        services, console = self.console.services, self.console

        def chosen(choice: str | None) -> None:
            if choice == "Start":
                self.start(made.name, lambda: services.start_experiment(made))

        console.push_screen(
            ConfirmScreen(
                f"Start A/B test {made.name}?",
                sentences(made),
                "Start",
                typed=made.endpoint if services.target == "aws" else "",
                does=methodcaller("start_experiment", made),
            ),
            chosen,
        )

    async def show_started(self, name: str) -> None:
        await self.console.open_experiment(name)


def _bound(made: Experiment) -> str:
    """What can be told before it starts."""
    matures = f" Requests count after {duration(made.maturity)}." if made.maturity else ""
    if made.kind != "rate":
        return f"A verdict comes no sooner than after 100 rewards of each variant.{matures}"
    share = min(made.share(name, made.weights) for name in made.challengers)
    sample = sequential_sample(fixed_sample(0.9, 0.02, share, made.alphas[0]))
    return f"To tell 90% from 92% takes about {sample:,} rewarded requests of a pair at this split.{matures}".replace(
        ",", " ", 1
    )


def open_experiment_form(screen: ConsoleScreen, endpoint: str) -> None:
    """Open the form of an A/B test of an endpoint's variants."""
    console = screen.console
    console.flash(f"Reading the variants of {endpoint} …", "dim")

    def drafted(draft: Experiment) -> None:
        console.call_later(console.open, ExperimentFormScreen(draft))

    console.in_background_to_open(lambda: console.services.draft_experiment(endpoint), drafted)
