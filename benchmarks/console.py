"""The console as a person at a terminal feels it, with 5,000 jobs, beside a bare Textual DataTable of the same rows.

Everything goes through a real pseudo-terminal. The backend is the real engine; it is hung by stopping its process (its socket goes
on accepting and nobody answers), and gone by killing it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.report import Row
from benchmarks.seeding import JOBS, TRIALS, TUNING, seed

SIZE = (160, 48)
KEYS = 60
IDLE = 10.0
LAST = f"bench-job-{JOBS - 1:05}"
DOWN, UP, TAB, ENTER = b"\x1b[B", b"\x1b[A", b"\t", b"\r"
TABLE = """
import sys
from textual.app import App
from textual.widgets import DataTable

class Table(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield DataTable(cursor_type="row")
    def on_mount(self):
        table = self.query_one(DataTable)
        for name, width in (("Name", 40), ("Status", 14), ("Type", 14), ("Created", 20), ("Duration", 12)):
            table.add_column(name, width=width)
        table.add_rows(
            (f"bench-job-{i:05}", "Completed", "ml.m5.large", "2026-11-22 12:00", "42 s") for i in reversed(range(%d))
        )

Table().run()
"""


class Screen:
    """A program on a pseudo-terminal; ``output`` keeps the newest part of what it wrote, ``written`` counts all of it."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.output, self.written = b"", 0
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            try:
                _resize(0)
                os.execvpe(command[0], list(command), environment)
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
            self.output = (self.output + data)[-400_000:]
            self.written += len(data)
        return last

    def until(self, text: str, seconds: float = 60.0) -> float:
        """Milliseconds from the start until a text has been written."""
        deadline = time.perf_counter() + seconds
        while text.encode() not in self.output:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{text!r} never appeared; the end of the output: {self.output[-500:]!r}")
            self.read(0.5, quiet=0.0)
        return (time.perf_counter() - self.started) * 1000

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def repaints(self, keys: Sequence[bytes] = (DOWN,) * 7 + (UP,) * 3) -> list[float]:
        """Milliseconds from each of many single keys to the end of the repaint that it causes; sorted."""
        found = []
        for number in range(KEYS):
            self.read(0.12)
            begin = time.perf_counter()
            self.press(keys[number % len(keys)])
            last = self.read(0.5, quiet=0.015)
            found.append((last - begin) * 1000 if last is not None else 500.0)
        return sorted(found)

    def idle(self) -> tuple[float, float]:
        """CPU in percent of one core, and kB a minute, while nobody types."""
        process, before = psutil.Process(self.pid), self.written
        used = sum(process.cpu_times()[:2])
        self.read(IDLE)
        return (sum(process.cpu_times()[:2]) - used) / IDLE * 100, (self.written - before) * 60 / IDLE / 1000

    def rss(self) -> float:
        return float(psutil.Process(self.pid).memory_info().rss / 1e6)

    def quit(self) -> float:
        """Milliseconds from ``q`` to the end of the process."""
        begin = time.perf_counter()
        self.press(b"q")
        while time.perf_counter() - begin < 30:
            self.read(0.005)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                os.close(self._terminal)
                return (time.perf_counter() - begin) * 1000
        os.kill(self.pid, signal.SIGKILL)
        raise RuntimeError("q did not end the program")


def _resize(descriptor: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))


@contextmanager
def _home() -> Iterator[tuple[dict[str, str], int]]:
    """An environment with an own home whose engine knows the jobs, and the engine's process."""
    home = Path(tempfile.mkdtemp(prefix="mlconsole-bench-console-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLCONSOLE_")}
    for name in ("NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES", "SSH_CONNECTION"):
        environment.pop(name, None)
    environment |= {"MLCONSOLE_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    data = home / "data" / "engine"
    try:
        seed(data)
        command = [sys.executable, "-m", "engine", "start", "--json", "--data-dir", str(data), "--port", "0"]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        pid = int(json.loads((data / "connection.json").read_text())["pid"])
        yield environment, pid
        for last in (signal.SIGCONT, signal.SIGTERM):
            if psutil.pid_exists(pid):
                os.kill(pid, last)
    finally:
        subprocess.run(
            [sys.executable, "-m", "engine", "stop", "--data-dir", str(data)],
            capture_output=True,
            check=False,
        )
        shutil.rmtree(home, ignore_errors=True)


def _p(sorted_values: Sequence[float], part: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]


def _help(environment: dict[str, str]) -> float:
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        subprocess.run(
            [str(Path(sys.executable).with_name("mlconsole")), "--help"],
            env=environment,
            check=True,
            capture_output=True,
        )
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times[1:])


def _launch(
    command: Sequence[str], environment: dict[str, str], keys: bytes, text: str
) -> tuple[Screen, float, float]:
    """The program with a text on its screen, and the milliseconds to its first byte and to that text."""
    screen = Screen(command, environment)
    first = screen.read(30, quiet=0.0)
    began = ((first or time.perf_counter()) - screen.started) * 1000
    screen.press(keys)
    return screen, began, screen.until(text)


def main() -> tuple[str, str, list[Row]]:
    """Measure; returns title, peer and rows."""
    rows: list[Row] = []
    with _home() as (environment, engine):
        table, table_first, table_full = _launch([sys.executable, "-c", TABLE % JOBS], environment, b"", LAST)
        table.read(3)
        table_cpu, table_bytes = table.idle()
        table_rss, table_keys = table.rss(), table.repaints()
        table_quit = table.quit()

        command = [sys.executable, "-m", "console"]
        earlier, _, _ = _launch(command, environment, b"2", f"{JOBS:,} jobs".replace(",", " "))
        earlier.read(2)
        earlier.quit()  # what it knew is the cached state from here on

        os.kill(engine, signal.SIGSTOP)  # what is painted now comes from the cache alone
        cached, first, full = _launch(command, environment, b"2", LAST)
        hung_quit = cached.quit()
        os.kill(engine, signal.SIGCONT)

        console, _, _ = _launch(command, environment, b"2", f"{JOBS:,} jobs".replace(",", " "))
        console.read(4)
        cpu, octets = console.idle()
        rss, healthy = console.rss(), console.repaints()
        console.press(b"5")
        console.until(TUNING)
        console.press(ENTER)
        console.until("validation:rmse")
        console.read(2)
        parts = console.repaints([TAB])
        console.press(b"2")
        console.read(1)
        os.kill(engine, signal.SIGSTOP)
        console.read(3)
        hung = console.repaints()
        os.kill(engine, signal.SIGKILL)
        console.read(3)
        gone = console.repaints()
        gone_quit = console.quit()

        rows += [
            Row("mlconsole --help", "ms", _help(environment), None, 100, higher=False),
            Row("first byte", "ms", first, table_first, higher=False),
            Row("list on the screen, from the cache", "ms", full, table_full, higher=False),
            Row(
                "key to repaint p50, backend healthy",
                "ms",
                _p(healthy, 0.5),
                _p(table_keys, 0.5),
                higher=False,
            ),
        ]
        for name, keys in (("healthy", healthy), ("hung", hung), ("gone", gone)):
            rows.append(
                Row(f"key to repaint p95, backend {name}", "ms", _p(keys, 0.95), None, 50, higher=False)
            )
        for about, part, target in (("p50", 0.5, None), ("p95", 0.95, 50)):
            name = f"Tab to repaint {about}, tuning job of {TRIALS} trials"
            rows.append(Row(name, "ms", _p(parts, part), None, target, higher=False))
        rows += [
            Row(
                "key to repaint p95, without a backend",
                "ms",
                _p(gone, 0.95),
                _p(table_keys, 0.95),
                higher=False,
            ),
            Row("idle CPU, polling", "%", cpu, table_cpu, higher=False),
            Row("idle output, polling", "kB/min", octets, table_bytes, higher=False),
            Row("memory, with the AWS client", "MB", rss, table_rss, higher=False),
            Row("q, calls in flight to a hung backend", "ms", hung_quit, None, 300, higher=False),
            Row("q, backend gone", "ms", gone_quit, table_quit, higher=False),
        ]
    return (
        f"The console with {JOBS:,} jobs at {SIZE[0]}x{SIZE[1]}",
        "Textual DataTable, nothing behind it",
        rows,
    )
