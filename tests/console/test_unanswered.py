"""What stands on the parts of a screen before there is any answer, and when the first one is an error."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from console.app import Console, make_app
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import Scripted
from workflows.problem import Problem

KINDS = {
    "job": "nobody",
    "transform": "nobody",
    "tuning-job": "nobody",
    "endpoint": "nobody",
    "experiment": "nobody",
    "rollout": "nobody",
    "replay": "nobody",
    "run": "nobody",
    "inspect": "job nobody",
    "compare": "one other",
}
SENTENCE = "The connection was closed."


def silent(app: Console) -> list[str]:
    """The panes in sight on which nothing stands."""
    found = []
    for pane in app.screen.query("Page, Plot, Rows"):
        assert isinstance(pane, Page | Plot | Rows)
        if pane.id == "preview" or pane.region.height < 4:
            continue
        lines = pane.render_lines(Region(0, 0, *pane.size))
        if not "".join(segment.text for line in lines for segment in line).strip():
            found.append(f"{pane.id} of {app.base_screen and app.base_screen.part}")
    return found


@pytest.mark.parametrize(("width", "answer"), [(80, "none"), (160, "errors")])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_part_says_what_it_waits_for(kind: str, width: int, answer: str) -> None:
    services = Scripted()
    problem = Problem(SENTENCE, "Press r to try again.", "connection")
    if answer == "errors":
        services.fail = problem
    else:
        services.hangs()
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(width, 30)) as pilot:
        await app.open_resource(kind, KINDS[kind])
        await pilot.pause()
        if answer == "errors":
            for topic in list(services.listeners):
                services.publish_error(topic, problem)
        screen = app.base_screen
        assert screen is not None
        for part, _ in screen.parts:
            screen.show_part(part)
            await until(pilot, lambda: not silent(app), f"{silent(app)} of {kind} say something", seconds=5)
        services.hang.clear()


async def test_a_document_that_cannot_be_read_says_so_in_each_of_its_forms() -> None:
    services = Scripted()
    services.fail = Problem(SENTENCE, "Press r to try again.", "connection")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_resource("inspect", "job nobody")
        screen = app.base_screen
        assert screen is not None
        for part, form in (("json", "json"), ("yaml", "yaml"), ("code", "snippet")):
            screen.show_part(part)
            page = screen.query_one(f"#{form}", Page)
            await until(pilot, lambda page=page: SENTENCE in page.text, part)


async def test_a_comparison_that_failed_says_why_and_r_compares_once_more(
    app: Console, services: Scripted
) -> None:
    services.fail = Problem(SENTENCE, "Press r to try again.", "connection")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_comparison("moons-20270115-074355-c0de", "moons-20270114-180210-77b1")
        page = app.screen.query_one("#differs", Page)
        await until(pilot, lambda: SENTENCE in page.text)
        services.fail = None
        await pilot.press("r")
        await until(pilot, lambda: "Accuracy" in page.text)
        assert not app.screen.query_one("#notice").has_class("-shown")
