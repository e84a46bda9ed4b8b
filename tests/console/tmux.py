"""The installed program in a tmux of its own: keys go in, the screen comes out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.terminals import DEADLINE

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """The installed program in a terminal of its own."""

    def __init__(self, folder: Path, **variables: str) -> None:
        program = Path(sys.executable).with_name("mlconsole")
        if not program.exists():
            pytest.skip("mlconsole is not installed beside this Python")
        self._socket = f"mlconsole-test-{os.getpid()}-{folder.name}"
        given = [f"{name}={value}" for name, value in {"MLCONSOLE_HOME": str(folder), **variables}.items()]
        started = self._call(
            "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
            *(part for one in given for part in ("-e", one)), f"{program}; echo left with $?; cat",
        )  # fmt: skip
        if started.returncode:
            pytest.skip("tmux cannot start here")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, check=False
        )

    @property
    def screen(self) -> str:
        """What stands on it."""
        return self._call("capture-pane", "-p").stdout

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        if keys:
            self._call("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._call("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as dragging a window does."""
        self._call("resize-window", "-x", str(columns), "-y", str(rows))

    def until(self, condition: Callable[[str], bool], what: str, seconds: float = DEADLINE) -> str:
        """Wait until the screen is as it should be; returns it."""
        deadline = time.monotonic() + seconds
        while not condition(screen := self.screen):
            assert time.monotonic() < deadline, f"never {what}:\n{screen}"
            time.sleep(0.1)
        return screen

    def shows(self, text: str, yes: bool = True, seconds: float = DEADLINE) -> str:
        """Wait until a text is there, or gone; returns the screen."""
        what = f"{'' if yes else 'without '}{text!r}"
        return self.until(lambda screen: (text in screen) == yes, what, seconds)

    def rests(self) -> str:
        """Wait until all that came together is painted; returns the screen."""
        seen: list[str] = []

        def again(screen: str) -> bool:
            seen.append(screen)
            return seen[-2:-1] == [screen]

        return self.until(again, "at rest")

    def close(self) -> None:
        """Leave nothing behind."""
        self._call("kill-server")
