"""The form of a replay: labelled rows as the traffic of an A/B test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import methodcaller
from typing import ClassVar

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
from workflows.abtest.replaying import ReplayRequest
from workflows.abtest.scoring import SCORES

HELP = {
    "source": "A CSV or JSON lines file of this machine, or s3://bucket/object. Each row is a request.",
    "label": "The column of the true answer: a name, or a number from 0 (-1 is the last). It is not sent.",
    "header": "Whether the first line of a CSV file names its columns; found out if left open.",
    "content_type": "What the rows are; empty: by the file's name.",
    "score": "The reward of an answer: accuracy (0 or 1), or how far off a predicted number is.",
    "key": "The column that tells the user, for a sticky test.",
    "rate": "Requests per second; 0: as fast as answers come.",
    "requests": "How many at most; rows are sent again and again in random order. A verdict ends it sooner.",
}
FOUND, YES, NO = "found out", "yes", "no"


class ExperimentFeedScreen(StartingForm):
    """Ctrl+S starts the replay, as a process of its own."""

    BINDINGS: ClassVar = list(actions.bindings("feeding"))
    place = "feeding"
    section = "endpoints"
    hints: ClassVar = HELP

    def __init__(self, test: str) -> None:
        super().__init__()
        self._test = test

    def trail(self) -> str:
        return f"Replay for {self._test}"

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form", classes="tune"):
            with Fields(id="fields"):
                for name in HELP:
                    yield from self.row(name, self._widget(name))
            yield Static(id="hint", markup=False)
            yield Line(id="verdict")

    def _widget(self, name: str) -> Choice | Input:
        if name == "header":
            return Choice(((FOUND, ""), (YES, ""), (NO, "")), FOUND, id="r-header")
        if name == "score":
            return Choice(
                tuple((score, f"{better} is better") for score, (_, _, better) in SCORES.items()),
                id="r-score",
                wide=True,
            )
        text = {"rate": "0", "requests": "10000"}.get(name, "")
        return Field(text, id=f"r-{name}", classes="-wide-field" if name == "source" else None)

    def opened(self) -> None:
        self.query_one("#r-source").focus()
        self.draw_check()

    def check(self) -> tuple[ReplayRequest | None, str, str]:
        """(the replay that the form means, the field that is wrong, what is wrong with it)."""
        texts = {}
        for name in HELP:
            texts[name] = self.text(name)
        for name, sentence in (
            ("source", "Name the file of the rows."),
            ("label", "Name the column of the true answer."),
        ):
            if not texts[name]:
                return None, name, sentence
        try:
            rate = float(texts["rate"] or 0)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 100_000:
            return None, "rate", "The rate is a number of requests per second, or 0."
        if not texts["requests"].isdigit() or int(texts["requests"]) < 1:
            return None, "requests", "The number of requests is 1 or more."
        return (
            ReplayRequest(
                source=texts["source"],
                label=texts["label"],
                key=texts["key"],
                header={FOUND: None, YES: True, NO: False}[texts["header"]],
                content_type=texts["content_type"],
                score=texts["score"],
                rate=rate,
                requests=int(texts["requests"]),
            ),
            "",
            "",
        )

    def draw_check(self) -> None:
        request, wrong, text = self.check()
        self.mark({wrong} if wrong else ())
        verdict = self.query_one("#verdict", Line)
        if request is None:
            verdict.show([(f" ✗ {text}", "bad")])
        else:
            verdict.show(
                [
                    (f" {key('feeding.start')} ", "badge"),
                    (" starts the replay; it goes on when you leave", "strong"),
                ]
            )

    # Actions

    def action_start(self) -> None:
        request, wrong, text = self.check()
        if request is None:
            self.query_one(f"#r-{wrong}").focus()
            self.console.flash(f"✗ {text}", "bad")
            return
        if self.starting or not self.console.allowed(actions.get("feeding.start")):
            return
        services, test = self.console.services, self._test

        def priced(price: tuple[Sequence[str], str]) -> None:
            told, confirmed = price
            if told:
                dialog = ConfirmScreen(
                    "Send requests to an AWS endpoint?",
                    told,
                    "Send",
                    typed=test,
                    does=methodcaller("start_feed", test, request, confirmed),
                )
                self.console.push_screen(
                    dialog, lambda choice: go(confirmed) if choice == "Send" else self._left()
                )
            else:
                go(confirmed)

        def go(confirmed: str) -> None:
            def begin() -> str:
                services.start_feed(test, request, confirmed)
                return f"The replay for {test}"

            self.start(f"the replay for {test}", begin)

        self.price(lambda: services.price_feed(test, request), priced)

    async def show_started(self, name: str) -> None:
        """The test is below already."""
