"""Several targets on the screen and on the command line."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from console.app import Console, make_app
from console.screens.targets import EVERY, TargetsScreen
from tests.console import command, target_data
from tests.console.conftest import until
from tests.console.scripted import Scripted, populated
from workflows.targets.glance import Glance


def shown(app: Console) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def asked(services: Scripted) -> list[tuple[Any, ...]]:
    return [call[1:] for call in services.done if call[0] == "glances"]


async def opened(pilot: Any, app: Console) -> TargetsScreen:
    await pilot.press("colon", *"targets", "enter")
    await until(pilot, lambda: isinstance(app.screen, TargetsScreen))
    return app.screen  # type: ignore[return-value]


async def test_one_that_hangs_and_one_that_fails_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    services = populated()
    services.silent = {target_data.PROD}
    app = make_app(services, theme_name="mlconsole-dark")
    copied: list[str] = []
    monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, app)
        await until(pilot, lambda: len(screen.seen) == 2 and len(screen.failed) == 1)
        text = shown(app)
        for part in (
            "✓ ok",
            "✗ expired",
            "! in part",
            "… asking",
            "aws sso login --profile research",
        ):
            assert part in text
        await pilot.press("down", "down", "y")
        assert screen._list.current == target_data.PROD, "keys are answered while it hangs"
        assert json.loads(copied[-1]) == {"target": "prod@us-east-1"}
        await pilot.press("r")
        await until(pilot, lambda: len(asked(services)) == 2)
        assert asked(services)[1] == ("embedded", "research", "prod@eu-west-2"), (
            "who hangs is not asked once more"
        )
        services.silent = set()
        await until(pilot, lambda: "100+" in shown(app) and not screen._asking)
        await pilot.press("y")
        assert json.loads(copied[-1])["training"] == {"count": 100, "more": True}


async def test_it_asks_again_while_it_is_in_sight_and_marks_what_is_old() -> None:
    services = populated()
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        await until(pilot, lambda: len(screen.seen) == 3 and not screen._asking)
        services.glanced[target_data.EMBEDDED] = Glance(
            entry=target_data.EMBEDDED, at=services.time, problem=target_data.EXPIRED
        )
        services.time += EVERY
        await until(pilot, lambda: target_data.EMBEDDED in screen.failed)
        assert "Shown is what was seen last." in shown(app)
        assert len(asked(services)) == 2
        assert screen._cells(target_data.EMBEDDED)[-1].role == "wait"
        await pilot.press("2")
        services.time += 10 * EVERY
        app._tick()
        await pilot.pause()
        assert len(asked(services)) == 2, "nobody looks"


async def test_enter_moves_to_the_target() -> None:
    services = populated()
    moved: list[dict[str, str]] = []
    services.elsewhere = lambda **changes: moved.append(changes) or services  # type: ignore[method-assign, func-returns-value, assignment]
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        assert not moved and "You work there already." in shown(app)
        await pilot.press("end", "enter")
        await until(pilot, lambda: moved)
    assert moved == [{"target": "aws", "profile": "prod", "region": "eu-west-2"}]
    assert app.moving_to is services


async def test_who_names_none_is_told_how() -> None:
    services = populated()
    services.entries = (target_data.EMBEDDED,)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await until(pilot, lambda: 'targets = "embedded, PROFILE' in shown(app))


def test_the_command_tells_who_answered_and_who_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound, but nobody listens: refused at once
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        keys = {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "x" * 40,
            "AWS_ENDPOINT_URL": url,
        }
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        done = command.run("targets", "--json", env={"MLCONSOLE_TARGETS": "embedded, nobody, @eu-west-1"})
        none = command.run("targets", env={"MLCONSOLE_TARGETS": "@eu-west-1", "MLCONSOLE_TARGET": "aws", "MLCONSOLE_REGION": "eu-west-1"})  # fmt: skip
    command.run("engine", "stop")
    here, nobody, dead = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (here["target"], here["present"], here["problem"]) == ("embedded", True, None)
    assert here["endpoints"] == {"in_service": 0, "changing": 0, "failed": 0, "more": False}
    assert nobody["problem"]["code"] == "credentials" and "--profile nobody" in nobody["problem"]["remedy"]
    assert dead["problem"]["code"] == "unreachable" and dead["region"] == "eu-west-1"
    assert none.returncode == 1 and "✗ no network" in none.stdout and "cannot be reached" in none.stderr
    wrong = command.run("targets", env={"MLCONSOLE_TARGETS": "embedded, eu-west-1"})
    assert wrong.returncode == 2 and "write @eu-west-1" in wrong.stderr
