"""Beginning where the last console was left, and at Home where that is not possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from console.app import Console, make_app
from console.memory import Memory
from console.process import run
from console.screens.base import ConsoleScreen
from console.screens.gone import FRAME
from console.screens.job import JobScreen
from console.screens.jobs import JobsScreen
from console.screens.run import RunScreen
from console.trail import Place
from console.widgets.page import Page
from tests.console.conftest import until
from tests.console.scripted import NOW, Scripted, endpoints
from tests.console.settling import settle
from workflows import topics
from workflows.events import RunStarted
from workflows.problem import Problem
from workflows.runs import RunError
from workflows.topics import Topic

TARGET = "embedded us-east-1"


def screen_text(app: Console) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize(
    "place",
    [["sheets", "x", "home"], ["sheets", ""], ["job", ""], ["job"], ["job", 7], "jobs", ["", ""], ["home", "", ""], ["job", "x", "jobs", "log", ""]],
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


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (["job", "moons-low-20270115-074400-9d01", "jobs", "settings"], "settings"),
        (["job", "moons-low-20270115-074400-9d01", "jobs", "no such part"], "overview"),
        (["jobs", "", "jobs", "transform"], "transform"),
    ],
)
async def test_a_console_begins_with_the_part_that_was_shown(
    place: list[str], part: str, services: Scripted, tmp_path: Path
) -> None:
    path = tmp_path / "console.json"
    path.write_text(json.dumps({"targets": {TARGET: {"place": place}}}), encoding="utf-8")
    app = make_app(services, memory=Memory(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot, lambda: app.base_screen is not None and app.base_screen.location == Place(*place[:2])
        )
        screen = app.base_screen
        assert screen is not None
        await until(pilot, lambda: screen.part == part)


async def test_the_part_is_remembered_with_its_place(services: Scripted) -> None:
    app = make_app(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "down", "enter")
        await until(pilot, lambda: isinstance(app.base_screen, JobScreen))
        await pilot.press("l")
        kept = app.memory.get("targets", TARGET, "place")
        assert kept[0] == "job" and kept[2:] == ["jobs", "log"]
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "endpoints")
        assert app.memory.get("targets", TARGET, "place")[3] == ""
        job = next(screen for screen in app._screen_stacks["jobs"] if isinstance(screen, JobScreen))
        job.begin_with("settings")  # another part than the one in which it was left
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.base_screen is job)
        assert job.part == "log"


GONE = [
    ("open_endpoint", topics.endpoint("nope"), Problem("Could not find endpoint nope.", "", "ValidationException")),
    ("open_experiment", topics.experiment("nope"), Problem("There is no A/B test nope.", "", "not-found")),
]  # fmt: skip


@pytest.mark.parametrize(("opener", "topic", "problem"), GONE)
async def test_what_is_gone_says_so_and_nothing_else(
    opener: str, topic: Topic[Any], problem: Problem, services: Scripted
) -> None:
    services.publish_error(topic, problem)
    app = make_app(services)
    async with app.run_test(size=(120, 36)) as pilot:
        await getattr(app, opener)("nope")
        await until(pilot, lambda: app.screen.query("#gone"))
        await until(pilot, lambda: "looks once more" in app.screen.query_one("#gone", Page).text)
        text = screen_text(app)
        assert problem.sentence in text and "✗ gone" in text and "Esc" in text
        for word in ("Loading", "Reading …", "starting", "No traffic", "Overview"):
            assert word not in text, word
        await pilot.press("tab", "d", "s", "i")
        screen = app.screen
        assert isinstance(screen, ConsoleScreen) and screen.gone, "nothing can be done with it"
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: screen.has_class("-wide") and screen.size.width == 160)
        assert {widget.id for widget in screen.children if widget.display} <= {*FRAME, "gone"}


async def test_what_is_deleted_while_it_is_open_shows_its_last_state_and_the_error(
    services: Scripted,
) -> None:
    app = make_app(services)
    name = endpoints()[0].name
    async with app.run_test(size=(120, 36)) as pilot:
        await app.open_endpoint(name)
        await until(pilot, lambda: "InService" in screen_text(app))
        services.publish_error(
            topics.endpoint(name), Problem(f"Could not find endpoint {name}.", "", "ValidationException")
        )
        await until(
            pilot,
            lambda: (
                f"Could not find endpoint {name}. Shown is the state of" in " ".join(screen_text(app).split())
            ),
        )
        assert "✗ gone" not in screen_text(app) and "InService" in screen_text(app)


async def test_a_run_that_is_gone_says_so_until_it_is_there(
    services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = False

    def follow(run: str, deliver: Any, closed: Any) -> None:
        if not there:
            raise RunError("There is no run 'nope'.")
        deliver(
            RunStarted(
                time=NOW, run=run, study="moons", interface="low", target="embedded", parameters={}, steps=[]
            )
        )

    monkeypatch.setattr(services, "follow", follow)
    app = make_app(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_run("nope")
        await until(pilot, lambda: app.screen.query("#gone"))
        assert "starting" not in screen_text(app)
        there = True
        await pilot.press("r")
        await until(pilot, lambda: not app.screen.query_one("#gone").display and "moons" in screen_text(app))


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


def test_a_file_that_is_no_json_is_put_beside_the_one_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    path.write_text('{"views": {"jobs": {"mine": ', encoding="utf-8")
    memory = Memory(path)
    memory.put("dark", "theme")
    memory.flush()
    assert json.loads(path.read_text(encoding="utf-8")) == {"theme": "dark"}
    assert (tmp_path / "console.broken.json").read_text(encoding="utf-8") == '{"views": {"jobs": {"mine": '
