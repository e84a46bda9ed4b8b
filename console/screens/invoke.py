"""Send a payload to an endpoint and read what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Label, TextArea

from console import actions
from console.formatting import clock, size
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.payloads import pretty
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows import topics
from workflows.observe.rows import Invocation
from workflows.problem import Problem


@dataclass(frozen=True, slots=True)
class Sent:
    """A payload as it was sent."""

    content_type: str
    variant: str
    body: str


_history: dict[str, list[Sent]] = {}
"""What was sent to each endpoint since the console started, oldest first."""


class InvokeScreen(ConsoleScreen):
    """A payload, its content type, the variant it is for; below, the answer with its latency."""

    BINDINGS: ClassVar = list(actions.bindings("invoke"))
    place = "invoke"
    section = "endpoints"

    def __init__(self, endpoint: str, variants: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.endpoint = endpoint
        self._variants = variants
        self._at = len(_history.get(endpoint, ()))
        self._sending = False

    def trail(self) -> str:
        return f"{self.endpoint} › invoke"

    def topics(self) -> list[topics.Topic[object]]:
        return [topics.endpoint(self.endpoint)]  # type: ignore[list-item]

    def body(self) -> Iterable[Widget]:
        detail = self.console.known(topics.endpoint(self.endpoint))
        variants = (
            self._variants or tuple(variant.name for variant in detail.variants) if detail else self._variants
        )
        with Vertical(id="invoke"):
            with Horizontal(classes="field"):
                yield Label("Content type")
                yield Field("text/csv", id="content-type")
                yield Label("Accept")
                yield Field("", placeholder="as it comes", id="accept")
            with Horizontal(classes="field"):
                yield Label("Variant")
                yield Choice([("", "by weight"), *((name, "") for name in variants)], id="variant")
            yield Label("Payload", classes="above")
            area = TextArea(
                "0.5,0.25", id="payload", show_line_numbers=False, compact=True, tab_behavior="focus"
            )
            area.cursor_blink = False
            yield area
            yield Label("Answer", classes="above")
            yield Page(id="answer", sideways=True)

    def opened(self) -> None:
        self.query_one("#answer", Page).show(
            lambda width: [[(f"{key('invoke.send')} sends the payload.", "dim")]]
        )
        earlier = _history.get(self.endpoint)
        if earlier:
            self._fill(earlier[-1])
        self.query_one("#payload").focus()

    def _fill(self, sent: Sent) -> None:
        self.query_one("#content-type", Field).value = sent.content_type
        self.query_one("#payload", TextArea).text = sent.body
        self.query_one("#variant", Choice).value = sent.variant

    def action_earlier(self) -> None:
        self._walk(-1)

    def action_later(self) -> None:
        self._walk(1)

    def _walk(self, step: int) -> None:
        history = _history.get(self.endpoint, [])
        if history:
            self._at = max(0, min(len(history) - 1, self._at + step))
            self._fill(history[self._at])

    def action_close(self) -> None:
        self.app.pop_screen()

    def action_send(self) -> None:
        if self._sending or not self.console.allowed(actions.get("invoke.send")):
            return
        sent = Sent(
            self.query_one("#content-type", Field).value.strip() or "text/csv",
            self.query_one("#variant", Choice).value,
            self.query_one("#payload", TextArea).text,
        )
        accept = self.query_one("#accept", Field).value.strip()
        history = _history.setdefault(self.endpoint, [])
        if not history or history[-1] != sent:
            history.append(sent)
        self._at = len(history) - 1
        self._sending = True
        endpoint, services = self.endpoint, self.console.services
        self.query_one("#answer", Page).show(lambda width: [[("Waiting for the answer …", "wait")]])
        self.work(
            lambda: services.invoke(
                endpoint,
                sent.body.encode(),
                content_type=sent.content_type,
                accept=accept,
                variant=sent.variant,
            ),
            self._answered,
            self._failed,
        )

    def _answered(self, answer: Invocation) -> None:
        self._sending = False
        if not self.is_attached:
            return
        when = clock(self.console.services.now())
        about = f"{answer.milliseconds:.1f} ms · {answer.variant} · {answer.content_type} · {size(len(answer.body))} · {when}"
        text = pretty(answer.body, answer.content_type)

        def write(width: int) -> Lines:
            return [[("✓ ", "ok"), (about, "dim")], *([(line, "")] for line in text.splitlines())]

        self.query_one("#answer", Page).show(write)

    def _failed(self, problem: Problem) -> None:
        self._sending = False
        if not self.is_attached:
            return
        from console.screens.facts import sentences

        def write(width: int) -> Lines:
            return [
                [(f"✗ {problem.code}", "bad")],
                *sentences(problem.sentence.splitlines(), width, "bad"),
                *sentences([problem.remedy] if problem.remedy else [], width, "dim"),
            ]

        self.query_one("#answer", Page).show(write)
