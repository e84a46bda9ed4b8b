"""One rollout, live: blue and green side by side, the traffic between them, the step, the time left, alarms, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import methodcaller
from typing import Any, ClassVar, Literal

from textual.containers import Horizontal
from textual.widget import Widget

from console import actions
from console.formatting import count, status
from console.screens import rollout_facts
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen, Task
from console.trail import Place
from console.widgets.page import Page
from workflows import topics
from workflows.rollout.asked import RolloutView
from workflows.rollout.remains import Cleaning
from workflows.topics import Snapshot, Topic


class RolloutScreen(ConsoleScreen):
    """What a rollout does and did."""

    BINDINGS: ClassVar = list(actions.bindings("rollout"))
    place = "rollout"
    section = "endpoints"
    thing = "rollout"
    parts = (("overview", "Overview"), ("events", "What happened"), ("settings", "Settings"))
    panes: ClassVar = {"overview": "overview", "events": "events", "settings": "settings"}
    beside = "events"
    smaller = "events"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of = name
        self._settling = False

    @property
    def location(self) -> Place:
        return Place("rollout", self.name_of)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="rollout"):
            yield Page(id="overview")
            yield Page(id="events", waiting="Loading the rollout …")
            yield Page(id="settings", waiting="Loading the rollout …")

    def opened(self) -> None:
        self._write()

    def topics(self) -> Sequence[Topic[Any]]:
        return [topics.rollout(self.name_of)]

    @property
    def view(self) -> RolloutView | None:
        topic = topics.rollout(self.name_of)
        found: RolloutView | None = self.value(topic) or self.console.known(topic)
        return found

    @property
    def endpoint(self) -> str:
        return self.view.rollout.plan.request.endpoint if self.view else ""

    def trail(self) -> str:
        return self.name_of

    def summary(self) -> str:
        view = self.view
        if view is None:
            return ""
        state = view.state
        return (
            str(status(state.outcome)) if state.outcome else f"● {state.title} · {state.share:.0%} on green"
        )

    def summary_role(self) -> str:
        view = self.view
        if view is None:
            return "dim"
        if view.state.outcome:
            return status(view.state.outcome).role
        return "bad" if view.state.phase == "rolling-back" else "live"

    def arrived(self, snapshot: Snapshot[Any]) -> None:
        if snapshot.value is not None:
            self._write()
            self._settle()

    def tick(self) -> None:
        if self.view is not None and self.view.state.active:
            self._write()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        if not self.has("#overview"):
            return
        view, now = self.view, self.console.services.now()
        page = self.query_one("#overview", Page)
        page.show(lambda width: rollout_facts.live(view, now, width, page.size.height))
        if view is not None:
            self.query_one("#events", Page).show(lambda width: rollout_facts.happened(view.events, width))
            self.query_one("#settings", Page).show(
                lambda width: rollout_facts.settings(view.rollout.plan, width)
            )

    def part_shown(self, name: str) -> None:
        self.query_one(f"#{name}").focus()
        self._write()

    def _settle(self) -> None:
        """Remove the alarms of a rollout that has ended: they guard nothing any more, and cost."""
        view, services = self.view, self.console.services
        if view is None or view.state.active or self._settling or services.read_only:
            return
        if not any(what == "alarm" for what, _ in view.rollout.known.left):
            return
        self._settling = True
        name = self.name_of

        def done(number: int) -> None:
            self.console.flash(f"Removed {count(number, 'alarm')} of the rollout.", "dim")
            services.refresh()

        self.work(lambda: services.settle_rollout(name), done)

    # Keys

    def offers(self, action: actions.Action) -> bool:
        state = self.view.state if self.view else None
        if state is None:
            return action.verb not in ("promote", "roll_back", "clean", "new")
        if action.verb == "roll_back":
            return (state.active and state.phase != "rolling-back") or state.outcome == "succeeded"
        if action.verb == "promote":
            return state.active or (state.outcome == "succeeded" and len(state.green.variants) > 1)
        return action.verb not in ("clean", "new") or not state.active

    def action_events(self) -> None:
        self.show_part("events" if self.part != "events" else "overview")

    def action_copy(self) -> None:
        self.console.copy(self.name_of, "the name of the rollout")

    async def action_endpoint(self) -> None:
        if self.endpoint:
            await self.console.open_endpoint(self.endpoint)

    def action_new(self) -> None:
        if self.endpoint and self.console.allowed(actions.get("rollout.new")):
            from console.screens.rollout_form import open_form

            open_form(self, self.endpoint)

    def action_promote(self) -> None:
        view = self.view
        if view is None or not self.console.allowed(actions.get("rollout.promote")):
            return
        state, console, name = view.state, self.console, self.name_of
        if state.active:
            from console.screens.dialogs import MessageScreen
            from workflows.rollout.operations import promotion

            console.push_screen(
                MessageScreen(
                    "An update that runs cannot be promoted",
                    [
                        promotion(state),
                        "b rolls it back; a rollout with all-at-once moves everything in one step.",
                    ],
                )
            )
            return
        variants = ", ".join(view.rollout.plan.variants)
        self._asked(
            "promote",
            f"Give all traffic of endpoint {self.endpoint} to {variants}?",
            "Promote",
            methodcaller("promote_rollout", name),
            lambda how: console.flash(f"✓ {how}"),
        )

    def action_roll_back(self) -> None:
        view = self.view
        if view is None or not self.console.allowed(actions.get("rollout.roll_back")):
            return
        state, console, name = view.state, self.console, self.name_of
        if state.phase == "rolling-back":
            console.flash("It is rolling back already.", "wait")
            return
        if not state.active and state.outcome != "succeeded":
            console.flash("The old fleet serves already.", "wait")
            return

        def done(answer: tuple[str, str]) -> None:
            goes, how = answer
            console.flash(f"✓ {how}", "wait")
            console.services.refresh()
            if goes != name and self.is_current:
                console.call_later(console.open_rollout, goes)

        self._asked(
            "roll back",
            f"Roll endpoint {self.endpoint} back?",
            "Roll back",
            methodcaller("roll_back_rollout", name),
            done,
        )

    def action_clean(self) -> None:
        if self.view is None or not self.console.allowed(actions.get("rollout.clean")):
            return
        console, name = self.console, self.name_of
        console.flash("Looking up what it has left …", "dim")

        def deleted(gone: Sequence[str]) -> None:
            console.flash(f"✓ {count(len(gone), 'thing')} deleted, and proved to be gone.")
            console.services.refresh()

        def planned(cleaning: Cleaning) -> None:
            if not cleaning.things:
                console.flash(
                    "There is nothing to delete." + "".join(f" Kept: {what}." for what in cleaning.kept),
                    "dim",
                )
                return
            self._confirm(
                f"Delete what rollout {name} has left?",
                cleaning.sentences,
                "Delete",
                methodcaller("clean_rollout", cleaning),
                deleted,
            )

        console.in_background_to_open(lambda: console.services.plan_rollout_cleaning(name), planned)

    def _asked(
        self, what: Literal["roll back", "promote"], title: str, verb: str, task: Task, done: Any
    ) -> None:
        """Look up what it does now and what it costs, and ask."""
        services, name = self.console.services, self.name_of
        self.console.in_background_to_open(
            lambda: services.question_of_rollout(name, what),
            lambda lines: self._confirm(title, lines, verb, task, done),
        )

    def _confirm(self, title: str, lines: Sequence[str], verb: str, task: Task, done: Any) -> None:
        """Ask, naming the endpoint, and do it in the background."""
        console = self.console

        def chosen(choice: str | None) -> None:
            if choice == verb:
                console.flash(f"{verb} …", "wait")
                console.in_background(lambda: task(console.services), done)

        console.push_screen(
            ConfirmScreen(
                title,
                lines,
                verb,
                typed=self.endpoint if console.services.target == "aws" else "",
                does=task,
            ),
            chosen,
        )
