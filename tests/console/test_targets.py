"""Several targets on the screen and on the command line."""

from __future__ import annotations

import gc
import json
import socket
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual._styles_cache import StylesCache
from textual.color import Color

from console import process
from console.app import Console, make_app
from console.memory import Memory
from console.screens import exports
from console.screens.columns import ColumnsScreen
from console.screens.targets import EVERY, TargetsScreen
from tests.console import command, target_data
from tests.console.conftest import until
from tests.console.scripted import Scripted, populated
from workflows.costs.estimates import Hourly
from workflows.targets.entries import Entry
from workflows.targets.glance import Glance


def shown(app: Console) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def asked(services: Scripted) -> list[tuple[Any, ...]]:
    return [call[1:] for call in services.done if call[0] == "glances"]


def listed(screen: TargetsScreen) -> list[str]:
    return [str(row.entry) for row in screen.rows().items]


def under_cursor(screen: TargetsScreen) -> Entry | None:
    row = screen.rows().current
    return row.entry if row is not None else None


def message(app: Console) -> str:
    return app.flash_text[0] if app.flash_text else ""


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
        assert under_cursor(screen) == target_data.PROD, "keys are answered while it hangs"
        unseen = json.loads(copied[-1])
        assert (unseen["target"], unseen["at"], unseen["training"]) == ("prod@us-east-1", None, None)
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
        assert screen._cells(screen.everything()[0])[-1].role == "wait"
        await pilot.press("2")
        services.time += 10 * EVERY
        app._tick()
        await pilot.pause()
        assert len(asked(services)) == 2, "nobody looks"


async def test_it_is_filtered_as_every_list() -> None:
    services = populated()
    services.silent = {target_data.PROD}
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"targets prod", "enter")
        await until(pilot, lambda: isinstance(app.screen, TargetsScreen))
        screen: TargetsScreen = app.screen  # type: ignore[assignment]
        await until(pilot, lambda: len(screen.seen) == 2 and len(screen.failed) == 1)
        assert listed(screen) == ["prod@us-east-1", "prod@eu-west-2"]
        assert screen.summary() == "2 of 4 targets · /prod · 1 failed · asking 1 …"
        await until(pilot, lambda: "2 of 4 targets · /prod · 1 failed · askin…" in shown(app))
        assert "credentials have expired" not in shown(app), "reasons are told of those that are listed"
        await pilot.press("colon", *"targets state:asking", "enter")
        await until(pilot, lambda: listed(screen) == ["prod@us-east-1"])
        assert app.screen is screen and len(asked(services)) == 1, "what is known is not asked for anew"
        services.silent = set()
        await until(pilot, lambda: not listed(screen))
        assert "None of 4 targets matches 'state:asking'." in shown(app)
        assert "Press / to change the filter, Esc to drop it." in shown(app)
        await pilot.press("escape")
        assert app.screen is screen and len(listed(screen)) == 4
        for text, left in (
            ("!region:us account:1234", ["prod@eu-west-2"]),
            ("state:expired", ["research"]),
            ("endpoints:failed", ["prod@us-east-1"]),
            ("^(emb|res)", ["embedded", "research"]),
            ("-f prdus1", ["prod@us-east-1"]),
        ):
            await pilot.press("slash", "ctrl+u")
            screen.query_one("Field").value = text  # type: ignore[attr-defined]
            await pilot.press("enter")
            assert listed(screen) == left, text


async def test_any_column_sorts_it_and_who_has_not_answered_stands_last() -> None:
    services = populated()
    services.silent = {target_data.LONDON}
    app = make_app(services, theme_name="mlconsole-dark")
    configured = [str(entry) for entry in target_data.ENTRIES]
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await opened(pilot, app)
        await until(pilot, lambda: len(screen.seen) == 2 and len(screen.failed) == 1)
        assert listed(screen) == configured
        for name, descending, order in (
            ("cost", None, ["prod@us-east-1", "embedded", "research", "prod@eu-west-2"]),
            ("cost", None, ["embedded", "prod@us-east-1", "research", "prod@eu-west-2"]),
            ("training", None, ["prod@us-east-1", "embedded", "research", "prod@eu-west-2"]),
            ("endpoints", False, ["embedded", "prod@us-east-1", "research", "prod@eu-west-2"]),
            ("account", None, ["prod@us-east-1", "embedded", "research", "prod@eu-west-2"]),
            ("region", True, ["embedded", "prod@us-east-1", "prod@eu-west-2", "research"]),
            ("state", None, ["research", "embedded", "prod@us-east-1", "prod@eu-west-2"]),
            ("state", None, ["embedded", "prod@us-east-1", "research", "prod@eu-west-2"]),
            ("age", True, ["embedded", "prod@us-east-1", "research", "prod@eu-west-2"]),
            ("profile", None, ["prod@us-east-1", "prod@eu-west-2", "research", "embedded"]),
            ("target", True, ["research", "prod@us-east-1", "prod@eu-west-2", "embedded"]),
        ):
            screen.sort_by(name, descending)
            assert listed(screen) == order, name
        await pilot.press("end", "colon", *"sort cost", "enter")
        await until(pilot, lambda: "$/h ▼" in shown(app))
        assert under_cursor(screen) == target_data.EMBEDDED, "the cursor stays on its target"
        services.glanced[target_data.LONDON] = replace(
            target_data.glances(services.time)[target_data.PROD], entry=target_data.LONDON, hourly=Hourly(99)
        )
        services.silent = set()
        await until(pilot, lambda: listed(screen)[0] == "prod@eu-west-2")
        await pilot.press("s", "s")
        assert screen.view.sort == "listed" and listed(screen) == configured, "behind the last column"
        await pilot.press("S")
        assert listed(screen) == configured[::-1]
        await pilot.click("#list", offset=(4, 0))
        assert screen.view.sort == "target" and listed(screen)[0] == "embedded"


async def test_columns_and_order_are_remembered_and_marked_targets_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(tmp_path / "console.json")
    app = make_app(populated(), memory=memory)
    copied: list[str] = []
    monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        await until(pilot, lambda: len(screen.seen) == 3 and not screen._asking)
        assert "Train" in shown(app) and "Account" not in shown(app)
        await pilot.press("C")
        assert isinstance(app.screen, ColumnsScreen)
        await pilot.press("down", "down", *["K"] * 2, "enter")  # the account, before all others
        assert screen.view.columns[:2] == ("account", "target")
        await pilot.press("S", "home", "space", "space", "y")
        assert [json.loads(line)["target"] for line in copied[-1].splitlines()] == [
            "prod@eu-west-2",
            "prod@us-east-1",
        ]
        await pilot.press("W")
        assert "Put the cursor on a job" in message(app), "a target is nothing to be watched"
        await pilot.press("escape")
        assert not screen.rows().chosen
        await pilot.resize_terminal(160, 48)
        await until(pilot, lambda: "Training" in shown(app))
    memory.flush()
    again = make_app(populated(), memory=Memory(tmp_path / "console.json"))
    async with again.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, again)
        assert listed(screen)[0] == "prod@eu-west-2" and screen.shown[0].id == "account"
        await until(pilot, lambda: "439406257577" in shown(again))


async def test_a_target_is_exported_with_what_was_seen(tmp_path: Path) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await opened(pilot, app)
        await until(pilot, lambda: len(screen.seen) == 3 and not screen._asking)
        for kind in ("csv", "json"):
            exports.export(app, kind, f"{tmp_path}/found.{kind}")
            await until(pilot, lambda kind=kind: (tmp_path / f"found.{kind}").exists())  # type: ignore[misc]
    rows = (tmp_path / "found.csv").read_text().splitlines()
    assert rows[0] == "target,region,account,state,training,tuning,transform,endpoints,cost,age"
    assert rows[3].startswith("prod@us-east-1,us-east-1,123456789012,✓ ok,100+,4,0,")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found[2]["training"] == {"count": 100, "more": True} and found[1]["problem"]["code"] == "ExpiredTokenException"  # fmt: skip


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


def test_consoles_that_were_left_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of the target makes a console in this process, of 15 MB: only the one before may still be there."""

    class Left:
        """A console that goes on to the next services, which the old ones know as their listeners do."""

        def __init__(self, services: Scripted) -> None:
            self.services, self.moving_to = services, populated()
            services.left = self  # type: ignore[attr-defined]

    there: list[weakref.ref[Left]] = []

    def run(left: Left, folder: Path, *, again: bool) -> int:
        there.append(weakref.ref(left))
        gc.collect()
        assert sum(one() is not None for one in there) <= 2
        if len(there) == 5:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "make_app", lambda services, **options: Left(services))
    monkeypatch.setattr("console.live.LiveServices", lambda *arguments, **options: populated())
    with pytest.raises(KeyboardInterrupt):
        process.main()
    assert len(there) == 5


def test_what_widgets_have_drawn_is_let_go_with_their_console() -> None:
    drawn = StylesCache()  # every widget has one, with the lines that it has drawn
    drawn.get_inner_outer(Color(18, 22, 28), Color(24, 29, 37))
    there = weakref.ref(drawn)
    del drawn
    process.forget_pictures()
    gc.collect()
    assert there() is None


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
        ordered = command.run("targets", "--name", "E", "--sort", "state", "--json", env={"MLCONSOLE_TARGETS": "embedded, nobody, @eu-west-1"})  # fmt: skip
        unknown = command.run("targets", "--name", "york", env={"MLCONSOLE_TARGETS": "embedded, nobody"})
        none = command.run("targets", env={"MLCONSOLE_TARGETS": "@eu-west-1", "MLCONSOLE_TARGET": "aws", "MLCONSOLE_REGION": "eu-west-1"})  # fmt: skip
    command.run("engine", "stop")
    here, nobody, dead = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (here["target"], here["present"], here["problem"]) == ("embedded", True, None)
    assert here["endpoints"] == {"in_service": 0, "changing": 0, "failed": 0, "more": False}
    assert nobody["problem"]["code"] == "credentials" and "--profile nobody" in nobody["problem"]["remedy"]
    assert dead["problem"]["code"] == "unreachable" and dead["region"] == "eu-west-1"
    assert none.returncode == 1 and "✗ no network" in none.stdout and "cannot be reached" in none.stderr
    assert [row["target"] for row in json.loads(ordered.stdout)] == ["@eu-west-1", "embedded"]
    assert unknown.returncode == 2 and "'york'. There are embedded, nobody." in " ".join(unknown.stderr.split())  # fmt: skip
    wrong = command.run("targets", env={"MLCONSOLE_TARGETS": "embedded, eu-west-1"})
    assert wrong.returncode == 2 and "write @eu-west-1" in wrong.stderr
