"""Random walks over the whole console: it never ends by itself, no key dies, nothing is changed unasked, every line has the width of the screen.

A walk that fails says its seed and how many steps it took; `wandering.steps` makes the same walk of them again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from console import terminal
from tests.console import wandering


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures, lists and logs are saved into a folder that goes; there is no shell and no browser."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(terminal, "shell_waits", lambda: False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


async def _walks(seed: int, count: int, target: str = "embedded") -> None:
    walk = wandering.make(wandering.account(target=target))
    try:
        await wandering.wander(walk, wandering.steps(seed, count))
    except Exception as error:
        error.add_note(f"seed {seed}, step {len(walk.trace)} of {count}: {walk.trace[-8:]}")
        raise


@pytest.mark.parametrize("seed", [2, 53])
async def test_a_short_walk_finds_nothing(seed: int) -> None:
    await _walks(seed, 25)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["embedded", "aws"])
@pytest.mark.parametrize("seed", range(100, 120))
async def test_a_long_walk_finds_nothing(seed: int, target: str) -> None:
    await _walks(seed, 250, target)
