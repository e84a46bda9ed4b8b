"""The live list of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from console import actions, money
from console.arrangement import ListColumn
from console.formatting import count, span
from console.keymap import key
from console.screens import expenses
from console.screens import traffic as traffic_of
from console.screens.bulk import Deed, confirm_all, marked
from console.screens.dialogs import ConfirmScreen
from console.screens.listing import ListScreen, status_cell, when
from console.widgets.columns import Cell, Column
from console.widgets.page import Page
from console.widgets.rows import Rows
from workflows import topics
from workflows.observe.rows import DeletionPlan, EndpointDetail, EndpointRow

if TYPE_CHECKING:
    from console.screens.arranged import ArrangedScreen
    from console.screens.base import ConsoleScreen
    from workflows.topics import Topic


class EndpointsScreen(ListScreen[EndpointRow]):
    """Every endpoint; Enter opens one, i sends it a payload, d deletes it."""

    BINDINGS: ClassVar = list(actions.bindings("endpoints"))
    place = "endpoints"
    section = "endpoints"
    noun = "endpoint"
    topic = topics.ENDPOINTS

    def columns(self) -> Sequence[ListColumn[EndpointRow]]:
        cost = "On AWS" if self.console.services.target == "embedded" else "Cost"
        return (
            ListColumn("name", Column("Name", 22, grow=3, middle=True), lambda row: Cell(row.name), lambda row: row.name),
            ListColumn("status", Column("Status", 14, watch=True), status_cell, lambda row: (row.status, row.name)),
            ListColumn("created", Column("Created", 9), lambda row: Cell(when(row.created, self._now), "dim"), lambda row: (row.created, row.name), descending=True, clock=True),
            ListColumn("up", Column("Up", 8, right=True), lambda row: Cell(span(self._now - row.created)), lambda row: -row.created, descending=True, clock=True),
            ListColumn("instances", Column("Instances", 18, drop=2), lambda row: Cell(instances(row), "dim"), lambda row: (sum(number for _, number in row.instances), instances(row)), descending=True),
            ListColumn("cost", Column(cost, 9, right=True, drop=1), self._cost, _dollars, descending=True),
            ListColumn("month", Column("A month", 9, right=True, drop=3), self._month, _dollars, descending=True),
            ListColumn("modified", Column("Modified", 9, drop=4), lambda row: Cell(when(row.modified, self._now), "dim"), lambda row: row.modified, descending=True, extra=True, clock=True),
        )  # fmt: skip

    @property
    def _now(self) -> float:
        return self.console.services.now()

    def _cost(self, row: EndpointRow) -> Cell:
        cost = expenses.of_endpoint(row)
        return Cell(str(cost) if cost else "–", "dim")

    def _month(self, row: EndpointRow) -> Cell:
        cost = expenses.of_endpoint(row)
        return Cell(money.amount(cost.month) if cost.dollars else "–", "dim")

    def kind_of(self, row: EndpointRow) -> str:
        return "endpoint"

    def fields(self, row: EndpointRow) -> Mapping[str, str]:
        return {"name": row.name, "status": row.status}

    def detail_topic(self, name: str) -> Topic[EndpointDetail]:
        return topics.endpoint(name)

    def write_preview(self, name: str) -> None:
        row = self.rows().current
        if row is None or not self.wide:
            return
        now = self.console.services.now()
        detail = self.console.known(topics.endpoint(name))
        traffic = self.console.known(topics.endpoint_metrics(name))
        self.query_one("#preview", Page).show(
            lambda width: traffic_of.preview(detail, row, traffic, now, width)
        )

    def topics(self) -> Sequence[Topic[object]]:
        found = list(super().topics())
        if len(found) > 1:
            found.append(topics.endpoint_metrics(found[1].name))
        return found

    def empty_lines(self) -> Sequence[str]:
        return (
            "No endpoint: nothing is hosted, and nothing costs.",
            f"`mlconsole endpoints create` makes one, and so does a case study ({key('app.studies')}).",
        )

    @on(Rows.Opened, "#list")
    async def _open(self, event: Rows.Opened) -> None:
        await self.console.open_endpoint(str(event.key))

    async def action_invoke(self) -> None:
        row = self.rows().current
        if row is not None and self.console.allowed(actions.get("endpoints.invoke")):
            from console.screens.invoke import InvokeScreen

            await self.console.open(InvokeScreen(row.name))

    async def action_experiments(self) -> None:
        await self.console.action_experiments()

    def action_delete(self) -> None:
        row = self.rows().current
        if row is None or not self.console.allowed(actions.get("endpoints.delete")):
            return
        chosen = marked(self)
        if chosen is None:
            confirm_deletion(self, row.name)
        else:
            confirm_deletions(self, [one.name for one in chosen])


def _dollars(row: EndpointRow) -> float | None:
    return expenses.of_endpoint(row).dollars


def instances(row: EndpointRow) -> str:
    """The instances of an endpoint, as far as they are known: ``1 × ml.t2.medium``."""
    kinds = [f"{number} × {kind}" for kind, number in row.instances]
    return ", ".join([*kinds, "serverless"] if row.serverless else kinds)


def confirm_deletion(screen: ConsoleScreen, name: str) -> None:
    """Look up what deleting an endpoint deletes, show it, and delete exactly that when it is confirmed."""
    console = screen.console
    console.flash(f"Looking up what belongs to {name} …", "dim")

    def planned(plan: DeletionPlan) -> None:
        console.unflash()

        def chosen(choice: str | None) -> None:
            if choice == "Delete":
                console.flash(f"Deleting {plan.endpoint} …", "wait")
                console.in_background(lambda: console.services.delete_endpoint(plan), deleted)

        console.push_screen(
            ConfirmScreen(
                f"Delete endpoint {plan.endpoint}?",
                [*plan.sentences, "", "Whoever calls it gets an error from then on."],
                "Delete",
                typed=plan.endpoint if console.services.target == "aws" else "",
                does=methodcaller("delete_endpoint", plan),
            ),
            chosen,
        )

    def deleted(done: Sequence[str]) -> None:
        console.flash(f"✓ {name} is deleted ({count(len(done), 'thing')}).")

    console.in_background_to_open(lambda: console.services.plan_deletion(name), planned)


def confirm_deletions(
    screen: ArrangedScreen[Any], names: Sequence[str], key: Callable[[str], Hashable] = str
) -> None:
    """The same for several: one question that names them all. ``key`` gives the key of an endpoint in the list of the screen."""
    console, services = screen.console, screen.console.services
    console.flash(f"Looking up what belongs to {count(len(names), 'endpoint')} …", "dim")

    def planned(plans: Sequence[DeletionPlan]) -> None:
        console.unflash()
        deeds = [
            Deed(key(plan.endpoint), plan.endpoint, methodcaller("delete_endpoint", plan)) for plan in plans
        ]
        sentences = [
            "With each goes what belongs to it alone:",
            *(sentence for plan in plans[:2] for sentence in plan.sentences),
            *([f"… and likewise for {count(len(plans) - 2, 'more endpoint')}."] if len(plans) > 2 else []),
            "Whoever calls them gets an error from then on.",
        ]
        confirm_all(screen, "delete", "endpoint", deeds, sentences, "are deleted")

    console.in_background_to_open(lambda: [services.plan_deletion(name) for name in names], planned)
