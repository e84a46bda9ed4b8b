"""Shows a recording in the terminal: pause, step, seek, speed."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from bisect import bisect_right
from collections.abc import Callable

from console.recording.cast import OUTPUT, Recording, played
from console.recording.harmless import Harmless
from console.recording.keeper import raw_terminal
from console.recording.signals import wakening

SEEK = 5.0
"""Seconds that an arrow key goes."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
KEYS = "space pause  . step  ← → seek  + - speed  q quit"
_KEY = re.compile(rb"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-D]|\x1b|[^\x1b]", re.DOTALL)
_MEANS = {
    b" ": "pause", b".": "step", b"q": "quit", b"\x03": "quit", b"\x1b": "quit", b"\x04": "quit",
    b"\x1b[C": "forward", b"\x1b[D": "back", b"\x1bOC": "forward", b"\x1bOD": "back", b"+": "faster", b"=": "faster", b"-": "slower",
    b"\x1b[H": "begin", b"\x1b[1~": "begin", b"0": "begin",
}  # fmt: skip


class Player:
    """Plays frames (times and texts) into a terminal of some size.

    Args:
        write: Takes text for the terminal.
        size: Columns and lines of the terminal.
    """

    def __init__(
        self, recording: Recording, write: Callable[[str], None], size: tuple[int, int], *, speed: float = 1.0, idle: float | None = None
    ) -> None:  # fmt: skip
        clean = Harmless()
        self.frames = [
            (event.time, clean.feed(event.data)) for event in played(recording, idle) if event.code == OUTPUT
        ]
        self._times = [at for at, _ in self.frames]
        self._write, self._size = write, size
        self._room = size[1] > recording.largest[1]
        self.speed, self.paused = speed, False
        self.shown = 0
        """How many frames are on the screen."""
        self.at = 0.0
        """Seconds of the recording that have passed."""

    @property
    def seconds(self) -> float:
        """How long the recording is, without long pauses."""
        return self._times[-1] if self._times else 0.0

    @property
    def over(self) -> bool:
        """Whether all is shown."""
        return self.shown >= len(self.frames)

    def wait(self) -> float | None:
        """Seconds of this world until the next frame; None while it is paused or at the end."""
        if self.paused or self.over:
            return None
        return max(0.0, (self._times[self.shown] - self.at) / self.speed)

    def passed(self, seconds: float) -> None:
        """So many seconds of this world have passed: show what is due."""
        if not self.paused:
            self._go(min(self.at + seconds * self.speed, self.seconds))

    def press(self, key: bytes) -> bool:
        """Do what a key stands for; False when it ends the show."""
        meaning = _MEANS.get(key, "")
        if meaning == "quit":
            return False
        if meaning == "pause":
            self.paused = not self.paused
            if not self.paused:
                self._anew()
        elif meaning == "step":
            self.paused = True
            if not self.over:
                self._go(self._times[self.shown], one=True)
        elif meaning == "forward":
            self._go(min(self.seconds, self.at + SEEK))
        elif meaning in ("back", "begin"):
            self.at = max(0.0, self.at - SEEK) if meaning == "back" else 0.0
            self._anew()
        elif meaning in ("faster", "slower"):
            faster = [speed for speed in SPEEDS if speed > self.speed]
            slower = [speed for speed in SPEEDS if speed < self.speed]
            self.speed = (faster or [SPEEDS[-1]])[0] if meaning == "faster" else (slower or [SPEEDS[0]])[-1]
        self.draw_line()
        return True

    def _go(self, at: float, *, one: bool = False) -> None:
        self.at = at
        until = self.shown + 1 if one else bisect_right(self._times, at)
        if until > self.shown:
            self._write("".join(text for _, text in self.frames[self.shown : until]))
            self.shown = until

    def _anew(self) -> None:
        """Paint all up to now again: a picture depends on everything before it."""
        self.shown = 0
        self._write("\x1b[!p\x1b[?25h\x1b[r\x1b[0m\x1b(B\x0f\x1b[H\x1b[2J\x1b[3J")
        self._go(self.at)

    def draw_line(self) -> None:
        """Time, speed and keys in the last line: below the recording where there is room, else over it while it is paused."""
        if not (self._room or self.paused):
            return
        width, height = self._size
        text = f" {_clock(self.at)} / {_clock(self.seconds)}  {self.speed:g}×{'  paused' if self.paused else ''}   {KEYS} "
        self._write(f"\x1b7\x1b[{height};1H\x1b[0;7m{text[:width].ljust(width)[: width - 1]}\x1b[0m\x1b8")


def play(recording: Recording, *, speed: float, idle: float | None) -> int:
    """Show it on this terminal until its end, or until the person has enough; returns the exit status.

    The terminal is as before afterwards. The pictures come on the alternate screen.
    """
    size = os.get_terminal_size(1)
    with wakening(signal.SIGTERM, signal.SIGHUP) as waker, raw_terminal(0):
        _write("\x1b[?1049h\x1b[H\x1b[2J")
        player = Player(recording, _write, (size.columns, size.lines), speed=speed, idle=idle)
        player.draw_line()
        return _loop(player, waker)


def _loop(player: Player, waker: int) -> int:
    poller = select.poll()
    poller.register(0, select.POLLIN)
    poller.register(waker, select.POLLIN)
    now = time.monotonic()
    while not player.over or player.paused:
        wait = player.wait()
        ready = dict(poller.poll(None if wait is None else min(1.0, wait) * 1000))
        then, now = now, time.monotonic()
        player.passed(now - then)
        player.draw_line()
        if waker in ready:
            return 128 + os.read(waker, 1)[0]
        if 0 in ready:
            try:
                typed = os.read(0, 1024)
            except OSError:  # the terminal is gone
                return 128 + signal.SIGHUP
            if not typed or not all(player.press(key) for key in _KEY.findall(typed)):
                break
    return 0


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _write(text: str) -> None:
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(1, data) :]
