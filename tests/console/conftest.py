"""A frozen clock, a fixed time zone, and waiting on conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console import interruption
from console.app import Console, make_app
from tests.console.scripted import Scripted, populated
from tests.stopping import stop_engine

DEADLINE = 60.0


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clock times on the screen do not depend on where the tests run, colours not on the terminal."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for name in ("NO_COLOR", "SSH_CONNECTION", "MLCONSOLE_THEME", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _nobody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialogs that open by themselves come at once and take keys at once: the pilot waits for what it types."""
    monkeypatch.setattr(interruption, "QUIET", 0.0)
    monkeypatch.setattr(interruption, "DEAF", 0.0)


@pytest.fixture
def services() -> Scripted:
    """A small account."""
    return populated()


@pytest.fixture
def app(services: Scripted) -> Console:
    """The application on it."""
    return make_app(services, theme_name="mlconsole-dark")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of an engine that lives as long as the tests of a file; commands start it themselves."""
    folder = tmp_path_factory.mktemp("engine")
    yield folder
    stop_engine(folder)


@pytest.fixture
def on_engine(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded SageMaker of this test is the file's engine."""
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(engine))


async def until(
    pilot: Pilot[Any], condition: Callable[[], object], what: str = "", *, seconds: float = DEADLINE
) -> None:
    """Wait until a condition holds, up to a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        await pilot.pause()
        if condition():
            await pilot.pause()
            return
        assert time.monotonic() < deadline, f"never happened: {what or condition}"
        await asyncio.sleep(0.02)
