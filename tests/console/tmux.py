"""The installed program in tmux: keys as a person presses them, the screen as a person sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.console.command import COMMAND
from tests.console.terminals import DEADLINE

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
_NUMBERS = count()


class Tmux:
    """A tmux server of its own in which ``mlconsole`` runs; its exit status is shown when it has ended.

    ``variables`` are the program's environment on top of the test's.
    """

    def __init__(self, size: tuple[int, int] = (80, 24), **variables: str) -> None:
        if not Path(COMMAND).exists():
            pytest.skip("mlconsole is not installed beside this Python")
        self._socket = f"mlconsole-test-{os.getpid()}-{next(_NUMBERS)}"
        given = (part for name, value in variables.items() for part in ("-e", f"{name}={value}"))
        started = self._call(
            "-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *given,
            f"{COMMAND}; echo left with $?; cat",
        )  # fmt: skip
        if started.returncode:
            pytest.skip("tmux cannot start here")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, text=True, check=False
        )

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return self._call("capture-pane", "-p").stdout

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names of them."""
        if keys:
            self._call("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a text as it is."""
        self._call("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as dragging a window does."""
        self._call("resize-window", "-x", str(columns), "-y", str(rows))

    def until(self, condition: Callable[[str], bool], what: str, seconds: float = DEADLINE) -> str:
        """Wait until the screen is as it should be; the screen."""
        deadline = time.monotonic() + seconds
        while not condition(screen := self.screen):
            assert time.monotonic() < deadline, f"never {what}:\n{screen}"
            time.sleep(0.1)
        return screen

    def shows(self, *texts: str, seconds: float = DEADLINE) -> str:
        """Wait until all texts are on the screen at once; the screen."""
        return self.until(lambda screen: all(text in screen for text in texts), f"together: {texts}", seconds)

    def hides(self, text: str, seconds: float = DEADLINE) -> str:
        """Wait until a text is on the screen no more; the screen."""
        return self.until(lambda screen: text not in screen, f"without {text!r}", seconds)

    def rests(self) -> str:
        """Wait until all that came together is painted; the screen."""
        seen: list[str] = []

        def again(screen: str) -> bool:
            seen.append(screen)
            return seen[-2:-1] == [screen]

        return self.until(again, "at rest")

    def close(self) -> None:
        """End it, and what runs in it."""
        self._call("kill-server")
