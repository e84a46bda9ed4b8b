"""The form and the live view of a rollout: what is typed, drawn, asked first, and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from console.app import Console, make_app
from console.screens.dialogs import ConfirmScreen, MessageScreen
from console.screens.endpoint import EndpointScreen
from console.screens.rollout import RolloutScreen
from console.screens.rollout_form import RolloutFormScreen
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.select import Choice
from tests.console import rollout_data
from tests.console.conftest import until
from tests.console.looks import LOOKS, Look
from tests.console.scripted import Scripted, populated
from workflows import topics

SMALL, LARGE = (80, 24), (160, 48)


def started(**options: Any) -> tuple[Console, Scripted]:
    services = populated(**options)
    return make_app(services, theme_name="mlconsole-dark"), services


def verdict(app: Console) -> str:
    return app.screen.query_one("#verdict", Line).text


async def form(pilot: Pilot[Any], source: str = "moons-high-41c2") -> RolloutFormScreen:
    """The form, opened from the endpoint by its key, with a model that was found."""
    await pilot.press("3", "down", "enter", "o")
    await until(pilot, lambda: isinstance(pilot.app.screen, RolloutFormScreen))
    screen = pilot.app.screen
    assert isinstance(screen, RolloutFormScreen)
    if source:
        screen.query_one("#r-source", Input).value = source
        await until(pilot, lambda: screen.source is not None or screen._wrong_source)
    return screen


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_timeline_follows_what_is_typed(size: tuple[int, int]) -> None:
    app, services = started()
    async with app.run_test(size=size) as pilot:
        screen = await form(pilot)
        page = screen.query_one("#plan", Page)
        assert "$0.230/h more" in page.text and "Ctrl+S" in verdict(app)
        screen.query_one("#r-strategy", Choice).value = "linear"
        screen.query_one("#r-step", Input).value = "25%"
        await until(pilot, lambda: screen.plan is not None and len(screen.plan.phases) == 6)
        assert screen.plan is not None and [round(p.share, 2) for p in screen.plan.phases if p.kind == "wait"] == [
            0.25, 0.5, 0.75,
        ]  # fmt: skip
        screen.query_one("#r-step", Input).value = "60%"
        await until(pilot, lambda: "10% to 50%" in verdict(app))
        await pilot.press("ctrl+s")
        assert not isinstance(app.screen, ConfirmScreen)
        screen.query_one("#r-step", Input).value = "many"
        await until(pilot, lambda: "not understood" in verdict(app))
        assert not any(call[0] == "begin_rollout" for call in services.done)


async def test_a_rollout_is_asked_for_with_the_endpoints_name_and_then_shown() -> None:
    app, services = started()
    async with app.run_test(size=SMALL) as pilot:
        screen = await form(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert screen.facts.endpoint in str(app.screen.query_one(".title").render())
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, RolloutScreen))
        (call,) = [call for call in services.done if call[0] == "begin_rollout"]
        assert call[1].request.source == "moons-high-41c2" and not call[1].errors


async def test_what_is_not_there_is_said_and_nothing_starts() -> None:
    app, services = started()
    async with app.run_test(size=SMALL) as pilot:
        screen = await form(pilot, "no-such-model")
        await until(pilot, lambda: "none of" in verdict(app))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is screen and not any(call[0] == "begin_rollout" for call in services.done)


async def test_an_endpoint_with_a_rollout_opens_it() -> None:
    app, services = started()
    services.rollout = rollout_data.NAME
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.baking())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "down", "enter", "o")
        await until(pilot, lambda: isinstance(app.screen, RolloutScreen))
        await until(pilot, lambda: "canary bakes" in app.screen.query_one("#overview", Page).text)
        assert f"rollout {rollout_data.NAME}" in services.watched()
        await pilot.press("1")
        await until(pilot, lambda: f"rollout {rollout_data.NAME}" not in services.watched())


async def test_the_last_rollout_stays_in_reach_after_its_end() -> None:
    app, services = started()
    services.last_rollout = rollout_data.NAME
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.rolled_back())
    async with app.run_test(size=SMALL) as pilot:
        await form(pilot, "")
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, RolloutScreen))


async def live(app: Console, pilot: Pilot[Any]) -> RolloutScreen:
    await app.open_rollout(rollout_data.NAME)
    await until(pilot, lambda: isinstance(app.screen, RolloutScreen) and app.screen.view is not None)
    assert isinstance(app.screen, RolloutScreen)
    return app.screen


async def test_the_live_view_has_both_fleets_the_traffic_and_the_alarms() -> None:
    app, services = started()
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.baking())
    async with app.run_test(size=SMALL) as pilot:
        screen = await live(app, pilot)
        page = screen.query_one("#overview", Page)
        await until(pilot, lambda: "model errors" in page.text)
        for text in (
            "canary bakes",
            "3.5 s left",
            "moons-ab-config",
            rollout_data.NAME,
            "49.0% on green",
            "p99 10.4 ms",
        ):
            assert text in page.text, text
        assert page.virtual_size.height <= page.size.height, page.text
        await pilot.press("tab")
        assert "Update of" in screen.query_one("#events", Page).text


async def test_rolling_back_asks_first_and_promoting_says_what_is_impossible() -> None:
    app, services = started()
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.baking())
    async with app.run_test(size=SMALL) as pilot:
        await live(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        await pilot.press("escape", "b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        question = app.screen
        assert rollout_data.ENDPOINT in str(question.query_one(".title").render())
        assert "of the new fleet end with it" in str(question.query_one(".sentences").render())
        await pilot.press("f4")
        await until(pilot, lambda: app.screen is not question, "the calls are shown")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is question)
        await pilot.press("escape")
        assert not any(call[0] == "roll_back_rollout" for call in services.done)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: ("roll_back_rollout", rollout_data.NAME) in services.done)
        assert not any(call[0] in ("promote_rollout", "settle_rollout") for call in services.done)


async def test_on_aws_the_name_has_to_be_typed() -> None:
    app, services = started(target="aws")
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.baking())
    async with app.run_test(size=SMALL) as pilot:
        await live(app, pilot)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await pilot.pause()
        assert not any(call[0] == "roll_back_rollout" for call in services.done)


async def test_the_end_removes_the_alarms_once_and_offers_what_makes_sense() -> None:
    app, services = started()
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.rolled_back())
    async with app.run_test(size=SMALL) as pilot:
        screen = await live(app, pilot)
        await until(pilot, lambda: ("settle_rollout", rollout_data.NAME) in services.done)
        services.publish(topics.rollout(rollout_data.NAME), rollout_data.rolled_back())
        await pilot.pause()
        assert sum(call[0] == "settle_rollout" for call in services.done) == 1
        assert "rolled-back" in screen.query_one("#overview", Page).text
        await pilot.press("b", "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: any(call[0] == "clean_rollout" for call in services.done))
        assert not any(call[0] == "roll_back_rollout" for call in services.done)


async def test_a_variant_among_others_is_promoted_by_its_weight() -> None:
    app, services = started()
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.succeeded(variants=2))
    async with app.run_test(size=SMALL) as pilot:
        await live(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: ("promote_rollout", rollout_data.NAME) in services.done)


async def test_read_only_watches_and_changes_nothing() -> None:
    app, services = started(read_only=True)
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.rolled_back())
    async with app.run_test(size=SMALL) as pilot:
        await live(app, pilot)
        await pilot.press("b", "m", "d", "n")
        await pilot.pause()
        assert not any(isinstance(call[0], str) and "rollout" in call[0] for call in services.done)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EndpointScreen))


async def show_form(pilot: Pilot[Any]) -> None:
    await form(pilot)
    await settled(pilot)


async def show_baking(pilot: Pilot[Any]) -> None:
    await show_view(pilot, rollout_data.baking())


async def show_rolled_back(pilot: Pilot[Any]) -> None:
    await show_view(pilot, rollout_data.rolled_back())


async def show_view(pilot: Pilot[Any], view: Any) -> None:
    app = pilot.app
    assert isinstance(app, Console) and isinstance(app.services, Scripted)
    app.services.publish(topics.rollout(rollout_data.NAME), view)
    await live(app, pilot)
    await settled(pilot)


async def settled(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, Console)
    await pilot.pause(0.3)
    app.flash_text = None
    assert app.base_screen is not None
    app.base_screen.draw_frame()
    await pilot.pause(0.1)


VIEWS = {"form": show_form, "baking": show_baking, "rolled-back": show_rolled_back}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", VIEWS)
def test_looks(snap_compare: Callable[..., bool], view: str, look: Look) -> None:
    app = make_app(populated(read_only=view == "rolled-back"), theme_name=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=VIEWS[view])
