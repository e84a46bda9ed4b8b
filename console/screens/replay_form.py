"""The form of a replay: what is sent to an endpoint, how fast, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from operator import methodcaller
from pathlib import Path
from typing import Any, ClassVar

from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from console import actions
from console.keymap import key
from console.screens.dialogs import ConfirmScreen
from console.screens.starting import StartingForm
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows.problem import Problem
from workflows.studies.parameters import Parameter, ParameterError
from workflows.traffic.bill import Bill
from workflows.traffic.plan import MOST_CONCURRENCY, MOST_RATE, Plan, Step
from workflows.traffic.reports import Report
from workflows.traffic.sources import CAPTURED, Reading, Source

HELP = {
    "send": "A file or S3 object (CSV, JSON lines, text: a request per line; a folder: one per file), a payload typed here, "
    "or what the endpoint has captured.",
    "what": "The path, the s3:// object, or the payload; empty for captured requests.",
    "label": "The column of the true answers: it is not sent. A name, or a number from 0, -1 for the last.",
    "content_type": "Empty: by the file's ending, else text/csv.",
    "rate": "Requests per second. Empty: as fast as answers come.",
    "concurrency": "Requests that may be under way at the same time.",
    "seconds": "How long. Empty: until the requests are sent, or until it is stopped.",
    "requests": "How many requests at most. Empty: no limit.",
    "ramp": "Grow from 0 to the rate within so many seconds first. Empty: begin with the rate.",
    "variant": "Ask one variant, or let SageMaker choose by weight.",
}
SENDS = (("file", "or an S3 object, a folder"), ("typed", "below"), ("captured", "of this endpoint"))
NUMBERS = {
    "rate": Parameter("rate", "float", 10.0, "", minimum=0.001, maximum=MOST_RATE, unit="per second"),
    "concurrency": Parameter("concurrency", "int", 8, "", minimum=1, maximum=MOST_CONCURRENCY),
    "seconds": Parameter("seconds", "float", 60.0, "", minimum=0.1, maximum=1e6, unit="s"),
    "requests": Parameter("requests", "int", 1000, "", minimum=1, maximum=1_000_000_000),
    "ramp": Parameter("ramp", "float", 10.0, "", minimum=0.1, maximum=1e6, unit="s"),
}
EMPTY = {
    "what": "a path, s3://…, or the payload",
    "label": "none",
    "content_type": "by the file's ending",
    "rate": "as fast as answers come",
    "seconds": "until it is stopped",
    "requests": "no limit",
    "ramp": "at once",
}
STANDARD = {"rate": "10", "concurrency": "8", "seconds": "60"}


class ReplayFormScreen(StartingForm):
    """Ctrl+S starts the replay, in a process of its own."""

    BINDINGS: ClassVar = list(actions.bindings("load"))
    place = "load"
    section = "endpoints"
    hints: ClassVar = HELP

    def __init__(self, endpoint: str, variants: tuple[str, ...], like: Report | None = None) -> None:
        super().__init__()
        self.endpoint = endpoint
        self._variants = variants
        self._like = like

    def trail(self) -> str:
        return f"{self.endpoint} › replay"

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form", classes="tune"):
            with Fields(id="fields"):
                for name in HELP:
                    yield from self.row(name, self._widget(name))
            yield Static(id="hint", markup=False)
            yield Line(id="verdict")

    def _widget(self, name: str) -> Choice | Input:
        if name == "send":
            return Choice(SENDS, id="l-send", wide=True)
        if name == "variant":
            return Choice([("", "by weight"), *((one, "") for one in self._variants)], id="l-variant")
        classes = "-wide-field" if name == "what" else None
        return Field(STANDARD.get(name, ""), placeholder=EMPTY.get(name, ""), id=f"l-{name}", classes=classes)

    def opened(self) -> None:
        if self._like is not None:
            for name, text in texts_of(self._like).items():
                widget = self.query_one(f"#l-{name}")
                if isinstance(widget, Choice | Input):
                    widget.value = text
        self.query_one("#l-send").focus()
        self.draw_check()

    # Values

    def check(self) -> tuple[tuple[Plan, Source, str] | None, dict[str, str]]:
        """Plan, source and variant that the form means, and a sentence for each field that is wrong (then there are none)."""
        values: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name in HELP:
            text = self.text(name)
            if name in NUMBERS:
                try:
                    values[name] = NUMBERS[name].parse(text) if text or name == "concurrency" else None
                except ParameterError as error:
                    wrong[name] = str(error)
            else:
                values[name] = text
        send, what = values["send"], values["what"]
        if send != "captured" and not what:
            wrong["what"] = (
                "Name what is sent: a path or an s3:// object." if send == "file" else "Type a payload."
            )
        elif send == "file" and not what.startswith("s3://") and not Path(what).expanduser().exists():
            wrong["what"] = f"There is no file {what}."
        if values.get("ramp") is not None and values.get("rate") is None:
            wrong.setdefault("ramp", "A ramp needs the rate that it reaches.")
        if wrong:
            return None, wrong
        reading = Reading(label=values["label"], content_type=values["content_type"])
        place = "" if send == "typed" else CAPTURED if send == "captured" else what
        if send == "file" and not place.startswith("s3://"):
            place = str(Path(place).expanduser().absolute())
        source = Source(place=place, text=what if send == "typed" else "", reading=reading)
        try:
            plan = Plan.steady(
                values["rate"],
                seconds=values["seconds"],
                requests=values["requests"],
                ramp=values["ramp"],
                concurrency=values["concurrency"],
            )
        except Problem as problem:
            return None, {"rate": str(problem)}
        return (plan, source, values["variant"]), {}

    def draw_check(self) -> None:
        found, wrong = self.check()
        self.mark(wrong)
        verdict = self.query_one("#verdict", Line)
        if found is None:
            verdict.show([(" ✗ " + next(iter(wrong.values())), "bad")])
            return
        plan = found[0]
        expected = f"{plan.expected:,} requests" if plan.expected is not None else "until it is stopped"
        if plan.expected is None and plan.seconds is not None:
            expected = f"for {plan.seconds:g} s"
        verdict.show([(f" {key('load.start')} ", "badge"), (f" starts the replay: {expected}", "strong"), ("   it goes on when you leave", "dim")])  # fmt: skip

    # Actions

    async def show_started(self, name: str) -> None:
        await self.console.open_replay(name)

    def action_start(self) -> None:
        found, wrong = self.check()
        if found is None:
            name, text = next(iter(wrong.items()))
            self.query_one(f"#l-{name}").focus()
            self.console.flash(f"✗ {text}", "bad")
            return
        if self.starting or not self.console.allowed(actions.get("load.start")):
            return
        plan, source, variant = found
        services, endpoint = self.console.services, self.endpoint

        def start(confirmed: str) -> None:
            self.start(
                f"a replay at {endpoint}",
                lambda: (
                    services.start_replay(endpoint, plan, source, variant=variant, confirmed=confirmed).id
                ),
            )

        def priced(bill: Bill | None) -> None:
            if bill is None:
                start("")
                return
            self.starting = False
            self.app.push_screen(
                ConfirmScreen(
                    "Replay requests at AWS?",
                    bill.sentences,
                    "Start it",
                    typed=endpoint,
                    does=methodcaller(
                        "start_replay", endpoint, plan, source, variant=variant, confirmed=bill.confirmation
                    ),
                ),
                lambda choice: start(bill.confirmation) if choice == "Start it" else None,
            )

        self.price(lambda: services.price_replay(endpoint, plan, source), priced)


def texts_of(report: Report) -> dict[str, str]:
    """What the form says for an earlier replay, as far as it has fields for it."""
    source, plan = report.source, report.plan
    last: Step = plan.steps[-1]
    ramp = plan.steps[0].seconds if len(plan.steps) == 2 and plan.steps[0].rate == 0 else None
    values = {
        "rate": last.rate,
        "concurrency": plan.concurrency,
        "seconds": last.seconds,
        "requests": last.requests,
        "ramp": ramp,
    }
    return {
        "send": "typed" if source.text else "captured" if source.place == CAPTURED else "file",
        "what": source.text or ("" if source.place == CAPTURED else source.place),
        "label": source.reading.label,
        "content_type": source.reading.content_type,
        "variant": report.variant,
        **{name: "" if value is None else f"{value:g}" for name, value in values.items()},
    }
