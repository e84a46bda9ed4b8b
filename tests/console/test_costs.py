"""Costs & clean-up and drift, key by key."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from console.app import Console, make_app
from console.screens.costs import CostsScreen
from console.screens.dialogs import ConfirmScreen, MessageScreen
from console.screens.drift import DriftScreen
from console.screens.endpoint import EndpointScreen
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import NOW, Scripted, populated
from workflows import topics
from workflows.costs.overview import CostView
from workflows.problem import Problem
from workflows.sweep.leftovers import ENDPOINT, OBJECTS, Rules

SMALL, LARGE = (80, 24), (160, 48)
RUN = "moons-20270101-120000-beef"


def line(app: Console, name: str) -> str:
    return app.screen.query_one(f"#{name}", Line).text.strip()


def left(app: Console) -> Rows[object]:
    return app.screen.query_one("#left-list", Rows)


async def test_what_bills_is_told_with_marks_and_the_date_of_prices(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 7)
        assert isinstance(app.screen, CostsScreen) and services.watched() == {"costs"}
        assert line(app, "totals").startswith("~$2.00 an hour   ~$1,461.46 a month   ~$432.54 so far")
        assert "us-east-1 prices of 2026-09" in line(app, "basis") and "free here" in line(app, "basis")
        words = [app.screen._cells(row)[1].text for row in rows.items]
        assert words == ["● Updating", "◌ idle", "● InProgress", "✓ InService", "✗ expired", "✓ InService", "✗ Failed"]  # fmt: skip
        assert [app.screen._cells(row)[7].text for row in rows.items[:5]] == ["kept", "–", "", "in 25 min", "over"]  # fmt: skip
        assert app.screen._cells(rows.items[5])[3].text == "by use"
        await pilot.press("enter")
        assert isinstance(app.screen, EndpointScreen)
        await pilot.press("6")
        services.publish(topics.COSTS, CostView(at=NOW, region="us-east-1", as_of="2026-09"))
        await until(pilot, lambda: "Nothing bills" in line(app, "totals"))


async def test_a_lifetime_is_set_from_the_bill(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: app.screen.query_one("#list", Rows).items)
        for typed in ("8x", "8h", "keep", "off"):
            await pilot.press("t")
            app.screen.query_one("#prompt Input", Input).value = typed
            await pilot.press("enter")
            await until(pilot, lambda: app.flash_text is not None)
        await until(pilot, lambda: len(services.done) == 3)
        assert services.done == [
            ("set_lifetime", "sentiment-live", 8 * 3600.0, False), ("set_lifetime", "sentiment-live", None, True),
            ("set_lifetime", "sentiment-live", None, False),
        ]  # fmt: skip


async def test_leftovers_are_chosen_confirmed_and_deleted(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab")
        await until(pilot, lambda: len(left(app).items) > 8)
        assert line(app, "totals").startswith("0 of 5 that may go are chosen")
        await pilot.press("d")
        assert not isinstance(app.screen, ConfirmScreen)
        await pilot.press("space")  # the expired endpoint; the cursor goes on
        assert left(app).cursor_key == (ENDPOINT, "plagiarism-20270110-101010")
        await pilot.press("down", "space")  # what is protected is not chosen, and says why
        assert app.flash_text is not None and "not made by mlconsole" in app.flash_text[0]
        assert line(app, "totals").startswith("1 of 5 that may go are chosen   $83.95 a month on AWS")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")  # Cancel is marked first
        assert not any(call[0] == "sweep" for call in services.done)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        (swept,) = [call for call in services.done if call[0] == "sweep"]
        assert swept == ("sweep", ((ENDPOINT, RUN),), Rules())
        await pilot.press("enter")
        await until(pilot, lambda: sum(call[0] == "plan_sweep" for call in services.done) == 2)
        assert isinstance(app.screen, CostsScreen) and app.screen.chosen == set()


async def test_all_are_chosen_and_other_owners_are_offered_when_asked_for(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("6", "tab")
        await until(pilot, lambda: len(left(app).items) > 8)
        await pilot.press("a")
        assert line(app, "totals").startswith("5 of 5")
        await pilot.press("a")
        assert line(app, "totals").startswith("0 of 5")
        await pilot.press("o")
        await until(pilot, lambda: line(app, "totals").startswith("0 of 6"))
        assert services.done[-1] == ("plan_sweep", Rules(all_owners=True))
        await pilot.press("end")
        assert left(app).cursor_key[0] == OBJECTS  # type: ignore[index]
        await until(pilot, lambda: "14 objects" in app.screen.query_one("#preview", Page).text)


async def test_on_aws_a_word_is_typed_before_anything_goes() -> None:
    services = populated(target="aws")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab")
        await until(pilot, lambda: len(left(app).items) > 8)
        await pilot.press("a", "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")  # nothing is typed: that is a no
        await until(pilot, lambda: isinstance(app.screen, CostsScreen))
        assert not any(call[0] == "sweep" for call in services.done)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"sweep", "enter")
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        assert any(call[0] == "sweep" for call in services.done)


async def test_read_only_and_a_failing_look() -> None:
    services = populated(read_only=True)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        services.fail = Problem("The models cannot be listed.", "Ask for sagemaker:ListModels.", "AccessDenied")  # fmt: skip
        await pilot.press("6", "t", "d")
        assert not any(call[0] == "set_lifetime" for call in services.done)
        await pilot.press("tab")
        await until(pilot, lambda: "cannot be listed" in str(app.screen.query_one("#notice").render()))
        services.fail = None
        await pilot.press("n")
        await until(pilot, lambda: len(left(app).items) > 8)
        await pilot.press("a", "d")
        assert not isinstance(app.screen, ConfirmScreen)


async def test_drift_of_an_endpoint(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "down", "enter", "D")
        assert isinstance(app.screen, DriftScreen)
        name = app.screen.endpoint
        await until(pilot, lambda: "banana" in app.screen.query_one(Page).text)
        assert "Drift in 200 records against 4000" in app.screen.query_one(Page).text
        for key, typed in (("b", "job:sentiment/train"), ("w", "1d"), ("c", "review"), ("w", "soon")):
            await pilot.press(key)
            app.screen.query_one("#prompt Input", Input).value = typed
            await pilot.press("enter")
        await until(pilot, lambda: len(services.done) == 4)
        assert services.done[-1] == ("drift", name, "job:sentiment/train", 86_400.0, "review")
        services.fail = Problem("Endpoint e captures no data.", "Give it a DataCaptureConfig.", "capture")
        await pilot.press("n")
        await until(pilot, lambda: "captures no data" in str(app.screen.query_one("#notice").render()))
        assert "Nothing can be compared" in app.screen.query_one(Page).text
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)


@pytest.mark.parametrize("command", ["costs"])
async def test_the_palette_goes_there(app: Console, command: str) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("colon", *command, "enter")
        await until(pilot, lambda: isinstance(app.screen, CostsScreen))
