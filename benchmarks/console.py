"""The console as a person at a terminal feels it, with 5,000 jobs, beside a bare Textual DataTable of the same rows.

Everything goes through a real pseudo-terminal. The backend is the real engine; it is hung by stopping its process (its socket goes
on accepting and nobody answers), and gone by killing it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.report import Row
from benchmarks.seeding import JOBS, TRIALS, TUNING, seed
from benchmarks.terminal import SIZE, Screen, percentile, start_time

LAST = f"bench-job-{JOBS - 1:05}"
TAB, ENTER = b"\t", b"\r"
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


@contextmanager
def home(more: Callable[[Path], None] | None = None) -> Iterator[tuple[dict[str, str], int]]:
    """An environment with an own home whose engine knows the jobs, and the engine's process.

    Args:
        more: Gets the engine's data folder before the engine starts, to write more of an account.
    """
    home = Path(tempfile.mkdtemp(prefix="mlconsole-bench-console-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLCONSOLE_")}
    for name in ("NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES", "SSH_CONNECTION"):
        environment.pop(name, None)
    environment |= {"MLCONSOLE_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    data = home / "data" / "engine"
    try:
        seed(data)
        if more is not None:
            more(data)
        command = [sys.executable, "-m", "engine", "start", "--json", "--data-dir", str(data), "--port", "0"]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        pid = int(json.loads((data / "connection.json").read_text())["pid"])
        yield environment, pid
        for last in (signal.SIGCONT, signal.SIGTERM):
            if psutil.pid_exists(pid):
                os.kill(pid, last)
    finally:
        subprocess.run(
            [sys.executable, "-m", "engine", "reset", "--yes", "--data-dir", str(data)],
            capture_output=True,
            check=False,
        )
        shutil.rmtree(home, ignore_errors=True)


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
    with home() as (environment, engine):
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
            Row(
                "mlconsole --help",
                "ms",
                start_time([str(Path(sys.executable).with_name("mlconsole")), "--help"], environment),
                None,
                100,
                higher=False,
            ),
            Row("first byte", "ms", first, table_first, higher=False),
            Row("list on the screen, from the cache", "ms", full, table_full, higher=False),
            Row(
                "key to repaint p50, backend healthy",
                "ms",
                percentile(healthy, 0.5),
                percentile(table_keys, 0.5),
                higher=False,
            ),
        ]
        for name, keys in (("healthy", healthy), ("hung", hung), ("gone", gone)):
            rows.append(
                Row(
                    f"key to repaint p95, backend {name}",
                    "ms",
                    percentile(keys, 0.95),
                    None,
                    50,
                    higher=False,
                )
            )
        for about, part, target in (("p50", 0.5, None), ("p95", 0.95, 50)):
            name = f"Tab to repaint {about}, tuning job of {TRIALS} trials"
            rows.append(Row(name, "ms", percentile(parts, part), None, target, higher=False))
        rows += [
            Row(
                "key to repaint p95, without a backend",
                "ms",
                percentile(gone, 0.95),
                percentile(table_keys, 0.95),
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
