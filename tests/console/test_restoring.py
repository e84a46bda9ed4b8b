"""Beginning where the last console was left, and at Home where that is not possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.app import make_app, run
from console.memory import Memory
from tests.console.conftest import until
from tests.console.scripted import Scripted

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
