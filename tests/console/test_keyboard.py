"""Every key of every screen: it does something or says why not, Esc comes back, and read-only mode lets none change anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.keys import Keys, _character_to_key
from textual.screen import ModalScreen
from textual.widgets import Input

import console
from console import actions
from console.app import Console, make_app
from console.screens.base import ConsoleScreen
from console.widgets.line import Line
from tests.console import lesson_data
from tests.console.scripted import Scripted, populated
from tests.console.settling import settle
from tests.console.test_snapshots import BATCH, LESSONS, RESULTS, SCREENS, with_results

LEAVING = {"close", "back", "quit", "lesson", "endpoint", "vary", "again", "start", "new"}
"""Verbs that go elsewhere by their nature."""
MOVING = {"next_chart", "next_parameter", "next_trial"}
"""Verbs that turn round what finds no room, or go down a list: at its end, or where all is in sight, nothing moves."""
CHANGING = ("start_", "stop_", "delete_", "create_", "change_", "promote", "roll_back", "begin_", "clean_", "remove_", "weigh_", "set_", "sweep", "answer", "resume", "host_", "deploy_", "invoke", "feed_", "settle_")  # fmt: skip
FIRST = ("jobs", "endpoint", "tuning-job", "leftovers", "run")

Made = Callable[[], Scripted]
EVERYTHING: dict[str, tuple[list[str], Made]] = {
    **{name: (keys, populated) for name, keys in SCREENS.items() if name not in ("columns", "jump")},
    **{f"lesson-{name}": (keys, lambda: lesson_data.attended(populated())) for name, keys in LESSONS.items()},
    **{f"batch-{name}": (keys, lambda: populated(batch=True)) for name, keys in BATCH.items()},
    **{f"result-{name}": (keys, with_results) for name, keys in RESULTS.items()},
}


def shown(app: Console) -> str:
    return "\n".join(strip.text + repr([segment.style for segment in strip]) for strip in app.screen._compositor.render_strips())  # fmt: skip


def test_no_method_is_taken_for_the_handler_of_a_key() -> None:
    """Textual calls ``_key_at`` when ``@`` is pressed: a method of a list that was called so ended the console."""
    keys = {_character_to_key(chr(code)) for code in range(32, 127)} | {str(key.value) for key in Keys}
    found = [
        f"{path.name}: {name}"
        for path in Path(console.__file__).parent.rglob("*.py")
        for name in re.findall(r"^    (?:async )?def _?key_(\w+)", path.read_text(encoding="utf-8"), re.M)
        if name in keys
    ]
    assert not found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in EVERYTHING]
)
async def test_every_key_answers_and_in_read_only_mode_none_changes_anything(name: str) -> None:
    keys, made = EVERYTHING[name]
    services = made()
    services.read_only = True
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, timers=False)
        for key in keys:
            await pilot.press(key)
            await settle(pilot, timers=False)
        base = app.base_screen
        assert base is not None and isinstance(base, ConsoleScreen)
        silent = []
        for action in actions.of(base.place):
            if (
                not action.keys
                or action.verb in LEAVING
                or action.verb.startswith(("previous_", "next_field"))
            ):
                continue
            app.flash_text = None
            focused = app.focused
            part, before, done = base.part, shown(app), len(services.done)
            await pilot.press(action.keys.split(",")[0])
            await settle(pilot, timers=False)
            if shown(app) == before and not app.flash_text and len(services.done) == done:
                there = action.verb in (base.part, *MOVING)
                silent += [] if there else [action.id]
            for _ in range(6):
                typing = isinstance(app.focused, Input) and app.focused is not focused
                if app.screen is base and not typing:
                    break
                await pilot.press("escape")
                await settle(pilot, timers=False)
            assert app.screen is base, f"{action.id} leads where Esc does not come back from"
            if base.part != part:
                base.show_part(part)
                await settle(pilot, timers=False)
        assert not silent
        assert not isinstance(app.screen, ModalScreen)
        changed = [call for call in services.done if str(call[0]).startswith(CHANGING)]
        assert not changed


@pytest.mark.parametrize("batch, keys, here, still", [(False, ["m"], "m metrics", "l log"), (False, ["l"], "l log", "m metrics"), (True, ["o"], "o output", "l log")])  # fmt: skip
async def test_no_key_is_offered_for_the_part_in_sight(
    batch: bool, keys: list[str], here: str, still: str
) -> None:
    """In 60 columns the axis of the charts had no room beside the key of the charts."""
    app = make_app(populated(batch=batch), theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "home", "enter")
        await settle(pilot)
        line = app.screen.query_one("#keys", Line)
        assert here in line.text
        await pilot.press(*keys)
        await settle(pilot)
        app.unflash()
        await settle(pilot)
        assert here not in line.text and still in line.text
