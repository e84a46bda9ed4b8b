"""The live list of endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on

from console import actions, money
from console.formatting import count, span, status
from console.screens import expenses
from console.screens import traffic as traffic_of
from console.screens.dialogs import ConfirmScreen
from console.screens.listing import ListScreen, Order, when
from console.widgets.page import Page
from console.widgets.rows import Cell, Column, Rows
from workflows import topics
from workflows.observe.rows import DeletionPlan, EndpointDetail, EndpointRow

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen
    from workflows.topics import Topic


class EndpointsScreen(ListScreen[EndpointRow]):
    """Every endpoint; Enter opens one, i sends it a payload, d deletes it."""

    BINDINGS: ClassVar = list(actions.bindings("endpoints"))
    place = "endpoints"
    section = "endpoints"
    noun = "endpoint"
    topic = topics.ENDPOINTS
    orders = (Order[EndpointRow](2, lambda row: (row.created, row.name), descending=True),)

    def make_rows(self) -> Rows[EndpointRow]:
        return Rows(
            [
                Column("Name", 22, grow=3, middle=True),
                Column("Status", 14, watch=True),
                Column("Created", 9),
                Column("Up", 8, right=True),
                Column("Instances", 18, drop=2),
                Column(
                    "On AWS" if self.console.services.target == "embedded" else "Cost", 9, right=True, drop=1
                ),
                Column("A month", 9, right=True, drop=3),
            ],
            key=lambda row: row.name,
            cells=self._cells,
            id="list",
        )

    def _cells(self, row: EndpointRow) -> tuple[Cell, ...]:
        now = self.console.services.now()
        shown = status(row.status)
        return (
            Cell(row.name),
            Cell(str(shown), shown.role),
            Cell(when(row.created, now), "dim"),
            Cell(span(now - row.created)),
            Cell(instances(row), "dim"),
            Cell(str(cost) if (cost := expenses.of_endpoint(row)) else "–", "dim"),
            Cell(money.amount(cost.month) if cost.dollars else "–", "dim"),
        )

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
            "`mlconsole endpoints create` makes one, and so does a case study (4).",
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
        if row is not None and self.console.allowed(actions.get("endpoints.delete")):
            confirm_deletion(self, row.name)


def instances(row: EndpointRow) -> str:
    """The instances of an endpoint, as far as they are known: ``1 × ml.t2.medium``."""
    kinds = [f"{number} × {kind}" for kind, number in row.instances]
    return ", ".join([*kinds, "serverless"] if row.serverless else kinds)


def confirm_deletion(screen: ConsoleScreen, name: str) -> None:
    """Look up what deleting an endpoint deletes, show it, and delete exactly that when it is confirmed."""
    console = screen.console
    console.flash(f"Looking up what belongs to {name} …", "dim")

    def planned(plan: DeletionPlan) -> None:
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
            ),
            chosen,
        )

    def deleted(done: Sequence[str]) -> None:
        console.flash(f"✓ {name} is deleted ({count(len(done), 'thing')}).")

    console.in_background(lambda: console.services.plan_deletion(name), planned)
