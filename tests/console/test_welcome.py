"""The welcome of a person's first console."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from console.app import make_app
from console.screens.studies import StudiesScreen
from console.screens.welcome import Welcome, steps
from console.widgets.line import Line
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import Scripted, populated
from tests.console.settling import settle
from workflows import locations, topics
from workflows.firsttime import first_time


def test_it_is_the_first_time_once() -> None:
    assert [first_time(), first_time(), first_time()] == [True, False, False]
    assert stat.S_IMODE((locations.state_dir() / "welcomed").stat().st_mode) == 0o600


def test_nobody_is_welcomed_where_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path / "file" / "below"))
    assert not first_time()


async def test_the_first_console_says_three_steps_and_takes_no_key() -> None:
    services = populated()
    services.welcomes = True
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query_one(Welcome).has_class("-shown"))
        welcome = app.screen.query_one(Welcome)
        assert (
            all(len(line) <= 76 for target in ("embedded", "aws") for line in steps(target))
            and welcome.region.width == 80
        )
        lines = steps("aws")
        assert "Press 4, Enter, Ctrl+S " in lines[2] and "Press ?" in lines[4] and "Esc" in lines[-1]
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, StudiesScreen))
        await pilot.press("1")
        await until(pilot, lambda: bool(app.screen.query(Welcome)))
        await pilot.press("escape")
        await until(pilot, lambda: not welcome.has_class("-shown"))
        assert app.current_mode == "home"


async def test_other_consoles_say_nothing() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not app.screen.query_one(Welcome).has_class("-shown")


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_console_that_starts_nothing_offers_nothing_to_start(read_only: bool) -> None:
    services = Scripted(read_only=read_only)
    for topic in (topics.JOBS, topics.ENDPOINTS, topics.RUNS, topics.TUNING_JOBS, topics.TRANSFORMS):
        services.publish(topic, ())
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert ("new run" in app.screen.query_one("#keys", Line).text) != read_only
        said = " ".join(app.screen.query_one("#list", Rows)._empty)
        assert ("start a case study" in said) != read_only
        before = app.screen
        await pilot.press("n")
        await settle(pilot)
        assert (app.screen is before) == read_only
        await pilot.press("4", "enter")
        await settle(pilot)
        assert ("starts the run" in app.screen.query_one("#verdict", Line).text) != read_only
    assert all(len(line) <= 76 for line in steps("embedded", True))
    assert "Ctrl+S" not in "".join(steps("aws", True))
