"""A program on a real pseudo-terminal, as a person at the far end of a line feels it: paints, keys, bytes, memory, leaving."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

import psutil

SIZE = (160, 48)
KEYS = 60
IDLE = 10.0
DOWN, UP = b"\x1b[B", b"\x1b[A"
ORPHAN = 10.0
"""Seconds that a program without a terminal is watched."""
PRIMARY = b"\x1b[?1049l"
"""Back to the primary screen: what a program that restores the terminal writes last."""
_QUESTIONS: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[>0?q"), b"\x1bP>|bench 1\x1b\\"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[5n"), b"\x1b[0n"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
    (re.compile(rb"\x1b\]1([01]);\?(?:\x07|\x1b\\)"), b"\x1b]1%b;rgb:1010/1010/1010\x1b\\"),
)
"""What terminals are asked, and a modern one's answer: a program that waits for it is not punished."""
_LONGEST_QUESTION = 24


class Screen:
    """A program on a pseudo-terminal; ``output`` keeps the newest part of what it wrote, ``written`` counts all of it.

    Args:
        deaf: Start it with SIGHUP ignored, as ``nohup``, some containers and multiplexers do.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        deaf: bool = False,
        cwd: str | None = None,
    ) -> None:
        self.output, self.written = b"", 0
        self.chunks: list[tuple[float, bytes]] = []
        """What was written, with its time, as long as `recording`."""
        self.recording = True
        self._asked = b""
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGHUP, signal.SIG_IGN if deaf else signal.SIG_DFL)
                _resize(0)
                if cwd:
                    os.chdir(cwd)
                os.execvpe(command[0], list(command), dict(environment))
            finally:
                os._exit(127)
        _resize(self._terminal)

    def read(self, seconds: float, quiet: float | None = None) -> float | None:
        """Take what comes for some seconds, or until nothing came for ``quiet`` of them. Returns when the last byte came."""
        deadline, last = time.perf_counter() + seconds, None
        while (now := time.perf_counter()) < deadline:
            wait = deadline - now
            if quiet is not None and last is not None:
                wait = min(wait, last + quiet - now)
            if wait <= 0 or not select.select([self._terminal], [], [], wait)[0]:
                break
            try:
                data = os.read(self._terminal, 1 << 16)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                break
            if not data:
                break
            last = time.perf_counter()
            if self.recording:
                self.chunks.append((last, data))
            self.output = (self.output + data)[-400_000:]
            self.written += len(data)
            self._answer(data)
        return last

    def _answer(self, data: bytes) -> None:
        window, before = self._asked + data, len(self._asked)
        end = 0
        for question, answer in _QUESTIONS:
            for found in question.finditer(window):
                if found.end() > before:
                    self.press(answer % found.groups() if found.groups() else answer)
                    end = max(end, found.end())
        self._asked = window[end:][-_LONGEST_QUESTION:]

    def until(self, text: str, seconds: float = 60.0) -> float:
        """Milliseconds from the start until a text has been written."""
        deadline = time.perf_counter() + seconds
        while text.encode() not in self.output:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{text!r} never appeared; the end of the output: {self.output[-500:]!r}")
            self.read(0.5, quiet=0.0)
        return (time.perf_counter() - self.started) * 1000

    def press(self, keys: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._terminal, keys)

    def repaints(
        self, keys: Sequence[bytes] = (DOWN,) * 7 + (UP,) * 3, *, most: float = 0.5, number: int = KEYS
    ) -> list[float]:
        """Milliseconds from each of many single keys to the end of the repaint that it causes (``most`` seconds are looked at); sorted."""
        found = []
        for place in range(number):
            self.read(0.12)
            begin = time.perf_counter()
            self.press(keys[place % len(keys)])
            last = self.read(most, quiet=0.015)
            found.append((last - begin) * 1000 if last is not None else most * 1000)
        return sorted(found)

    def idle(self, seconds: float = IDLE) -> tuple[float, float]:
        """CPU in percent of one core, and kB a minute, while nobody types."""
        before, used = self.written, self._cpu()
        self.read(seconds)
        return (self._cpu() - used) / seconds * 100, (self.written - before) * 60 / seconds / 1000

    def rss(self) -> float:
        """Resident memory of the program and what it has started, in MB."""
        return float(sum(process.memory_info().rss for process in self._tree()) / 1e6)

    def quit(self, keys: bytes = b"q") -> float:
        """Milliseconds from the keys to the end of the process."""
        begin = time.perf_counter()
        self.press(keys)
        taken = self._gone(begin, 30.0)
        if taken is None:
            self.kill()
            raise RuntimeError(f"{keys!r} did not end the program")
        os.close(self._terminal)
        return taken * 1000

    def terminated(self) -> tuple[float | None, bool]:
        """SIGTERM: seconds to the end (None: it goes on), and whether the terminal was given back."""
        begin, self.output = time.perf_counter(), b""
        os.kill(self.pid, signal.SIGTERM)
        taken = self._gone(begin, 10.0)
        self.read(0.2)
        back = PRIMARY in self.output
        self.kill()
        return taken, back

    def hung_up(self) -> tuple[float | None, float]:
        """The terminal is gone: seconds to the end (None: alive after `ORPHAN` seconds), and the CPU until then in percent of a core."""
        begin, used = time.perf_counter(), self._cpu()
        os.close(self._terminal)
        taken = None
        while taken is None and time.perf_counter() - begin < ORPHAN:
            time.sleep(0.001)
            taken = self._gone(begin, 0.0)
        spent = 0.0 if taken is not None else (self._cpu() - used) / ORPHAN * 100
        self.kill()
        return taken, spent

    def kill(self) -> None:
        """Leave nothing behind."""
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            os.close(self._terminal)

    def _gone(self, since: float, seconds: float) -> float | None:
        while True:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return time.perf_counter() - since
            if time.perf_counter() - since >= seconds:
                return None
            self.read(0.005)

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _cpu(self) -> float:
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                total += sum(process.cpu_times()[:2])
        return total


def _resize(descriptor: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """A percentile of sorted values."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def start_time(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Milliseconds that a cheap command takes: the median of five runs after a first one.

    Raises:
        subprocess.CalledProcessError: It fails.
    """
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        subprocess.run(list(command), env=dict(environment), check=True, capture_output=True)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times[1:])
