"""Beginning where the last console was left, and at Home where that is not possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from console.app import Console, make_app, run
from console.memory import Memory
from console.screens.jobs import JobsScreen
from console.screens.run import RunScreen
from tests.console.conftest import until
from tests.console.scripted import Scripted
from tests.console.settling import settle

TARGET = "embedded us-east-1"


@pytest.mark.parametrize(
    "place",
    [["sheets", "x", "home"], ["sheets", ""], ["job", ""], ["job"], ["job", 7], "jobs", ["", ""], ["home", "", ""]],
)  # fmt: skip
async def test_a_place_that_is_none_of_this_console_is_no_place_to_begin(
    place: Any, services: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "console.json"
    path.write_text(json.dumps({"targets": {TARGET: {"place": place}}}), encoding="utf-8")
    app = make_app(services, memory=Memory(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert app.current_mode == "home" and app.base_screen is not None


async def test_a_console_begins_where_the_last_one_was_left(services: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    path.write_text(json.dumps({"targets": {TARGET: {"place": ["audit", "", "home"]}}}), encoding="utf-8")
    app = make_app(services, memory=Memory(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.base_screen is not None and str(app.base_screen.location) == "audit")


@pytest.fixture
def typed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that were pressed before the first picture."""
    begin = Console.on_mount

    def on_mount(app: Console) -> None:
        begin(app)
        app.post_message(events.Key("2", "2"))
        app.post_message(events.Key("slash", "/"))
        app.post_message(events.Key("x", "x"))

    monkeypatch.setattr(Console, "on_mount", on_mount)


@pytest.mark.usefixtures("typed_ahead")
async def test_keys_that_were_typed_ahead_go_before_what_is_restored(
    services: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "console.json"
    place = ["job", "moons-low-20270115-074400-9d01", "jobs"]
    path.write_text(json.dumps({"targets": {TARGET: {"place": place}}}), encoding="utf-8")
    app = make_app(services, memory=Memory(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, JobsScreen) and app.screen.query_one(Input).value == "x"
        )
        await settle(pilot, timers=False)
        assert isinstance(app.screen, JobsScreen)


@pytest.mark.usefixtures("typed_ahead")
async def test_keys_that_were_typed_ahead_wait_for_a_run_that_is_opened_first(services: Scripted) -> None:
    app = make_app(services, first_run="moons-20270115-074355-c0de")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, JobsScreen) and app.screen.query_one(Input).value == "x"
        )
        assert any(isinstance(screen, RunScreen) for stack in app._screen_stacks.values() for screen in stack)


def test_after_a_crash_the_next_console_begins_at_home(
    services: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = Memory(tmp_path / "console.json")
    memory.put(["job", "moons", "jobs"], "targets", TARGET, "place")
    app = make_app(services, memory=memory)
    monkeypatch.setattr("console.terminal.interactive", lambda: True)
    monkeypatch.setattr("console.terminal.restore_on_signals", lambda leave: None)

    def end(**_: Any) -> None:
        raise RuntimeError("the screen of this job")

    monkeypatch.setattr(app, "run", end)
    assert run(app, tmp_path / "crashes", again=True) == 1
    assert "RuntimeError" in capsys.readouterr().out
    assert memory.get("targets", TARGET, "place") is None
