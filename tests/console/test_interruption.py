"""Dialogs that open by themselves do not come between what is being typed, and what was typed for something else does not answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console import interruption, keyorder
from console.app import Console
from console.screens.dialogs import ChoiceScreen, ConfirmScreen, MessageScreen
from console.screens.endpoints import EndpointsScreen
from console.screens.form import FormScreen
from console.screens.run import RunScreen
from console.widgets.line import Line
from console.widgets.log import LogView
from tests.console.conftest import until
from tests.console.scripted import Scripted, run_events
from workflows.problem import Problem

SMALL = (80, 24)
LONG = Problem(
    "The endpoint could not be made: " + "the container gave no answer; " * 4, "Look at its log.", "slow"
)


class Clock:
    """Stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(interruption, "monotonic", found)
    monkeypatch.setattr(interruption, "QUIET", 0.05)
    monkeypatch.setattr(interruption, "DEAF", 0.05)
    return found


def choices(app: Console) -> str:
    return app.screen.query_one("#choices", Line).text


async def listens(pilot: Pilot[Any], clock: Clock) -> None:
    """Time passes, and the dialog takes keys."""
    app: Any = pilot.app
    clock.now += 1
    await until(pilot, lambda: app._deaf is None)


async def two_errors(app: Console, pilot: Pilot[Any], clock: Clock) -> None:
    """Two are told at once; the first one is read, the second one waits."""
    await pilot.press("3")
    clock.now += 1
    app.tell(LONG)
    app.tell(LONG)
    await until(pilot, lambda: isinstance(app.screen, MessageScreen))


async def test_an_error_waits_for_what_is_being_typed_and_is_told_meanwhile(
    app: Console, clock: Clock
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "slash", *"mo")
        clock.now += 1
        app.tell(LONG)
        await pilot.pause(0.2)
        screen = app.screen
        assert isinstance(screen, EndpointsScreen), "somebody types a filter"
        assert "The endpoint could not be made" in screen.query_one("#keys", Line).text
        await pilot.press(*"ons", "enter")
        await pilot.pause(0.2)
        assert app.screen is screen and screen.filter == "moons", "the last key was just now"
        clock.now += 1
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        dialog = app.screen
        await pilot.press("enter", "escape", "y")
        assert app.screen is dialog, "these were typed before anybody could read it"
        await listens(pilot, clock)
        await pilot.press("enter")
        assert app.screen is screen


async def test_errors_come_one_after_another(app: Console, clock: Clock) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await two_errors(app, pilot, clock)
        first = app.screen
        await listens(pilot, clock)
        clock.now += 60
        await asyncio.sleep(0.3)  # three looks whether the next one may open
        assert app.screen is first
        await pilot.press("enter")
        clock.now += 1
        await until(pilot, lambda: isinstance(app.screen, MessageScreen) and app.screen is not first)
        await pilot.press("escape")
        assert isinstance(app.screen, MessageScreen)
        await listens(pilot, clock)
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointsScreen)


async def test_who_types_all_the_time_is_heard_after_a_while(
    app: Console, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "QUIET", 0.6)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        clock.now += 1
        app.tell(LONG)
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        while clock.now < app._deaf_at_most - 0.5:
            await pilot.press("x")
            clock.now += 0.5
        assert isinstance(app.screen, MessageScreen) and app._deaf is not None
        await listens(pilot, clock)


async def attached(pilot: Pilot[Any], services: Scripted) -> tuple[RunScreen, Callable[[], None]]:
    """The screen of a run, and what lets it ask its question."""
    run = "moons-20270115-075825-1f3a"
    asked = run_events(run, upto=5, question=True)
    services.events[run] = asked[:-1]
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    return screen, lambda: services.events.update({run: asked})


async def test_a_question_of_a_run_is_not_answered_by_a_key_for_something_else(
    app: Console, services: Scripted, clock: Clock
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        _, ask = await attached(pilot, services)
        ask()
        clock.now += 1
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        dialog = app.screen
        drawn = choices(app)
        await pilot.press("enter", "enter")
        await pilot.click("#choices", offset=(drawn.index(dialog._choices[0]), 0))  # type: ignore[attr-defined]
        assert app.screen is dialog and services.done == []
        assert "Esc leaves" not in choices(app), "a key is named as long as it counts"
        await listens(pilot, clock)
        assert "Esc leaves" in choices(app)
        await pilot.press("enter")
        await until(pilot, lambda: len(services.done) == 1)


async def test_a_question_does_not_come_between_what_is_being_typed_and_its_enter(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen, ask = await attached(pilot, services)
        screen.show_part("log")
        await until(pilot, lambda: isinstance(app.focused, LogView))
        await pilot.press("slash", *"los")
        ask()
        await until(pilot, lambda: screen.state.question is not None)
        await pilot.press("s", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen), "it is asked afterwards")
        assert services.done == [] and screen.query_one(LogView).term == "loss"


async def test_a_question_that_comes_late_waits_for_what_is_typed_by_then(
    app: Console, services: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyorder, "HELD", 0.01)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, EndpointsScreen) and app.screen.rows().items)
        services.hang.set()
        await pilot.press("d")
        await until(pilot, lambda: not app._held)
        await pilot.press("slash", *"mo")
        services.hang.clear()
        await until(pilot, lambda: app._interruptions)
        await pilot.press("enter")
        assert isinstance(app.screen, EndpointsScreen) and app.screen.filter == "mo"
        clock.now += 1
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        assert isinstance(app.screen, ConfirmScreen)
        await listens(pilot, clock)
        await pilot.press("right", "enter")
        await until(pilot, lambda: any(call[0] == "delete_endpoint" for call in services.done))


async def test_who_has_gone_on_is_not_taken_to_what_was_started(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", "enter")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        services.hang.set()
        await pilot.press("ctrl+s")
        await app.go("endpoints")
        await pilot.press("slash", "m")
        services.hang.clear()
        await until(pilot, lambda: "Started in a process of its own" in (app.flash_text or ("",))[0])
        await pilot.press("o")
        assert isinstance(app.screen, EndpointsScreen) and app.screen.filter == "mo"


async def test_a_dialog_that_opens_by_itself_may_be_open_while_the_console_ends(
    app: Console, clock: Clock
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await two_errors(app, pilot, clock)
        assert app._deaf is app.screen
    # Its timer and the one of the next dialog go off when the screens are gone already.
    assert not app.screen_stack
    app._hear()
    app._open_next()
    assert app._deaf is None
