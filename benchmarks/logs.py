"""Keys while logs pour in: 5,000 jobs, 500 endpoints, one job that prints 20,000 lines a second, and a gigabyte of log.

The peer is toolong, Textual's log viewer, on a file of the same size that grows at the same rate.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.console import home
from benchmarks.consoles import LIVE_JOB, train
from benchmarks.report import Row
from benchmarks.seeding import JOBS, seed_endpoints
from benchmarks.terminal import Screen, percentile
from benchmarks.venvs import Unavailable, environment

ENDPOINTS = 500
RATE = 20_000
"""Lines a second."""
GIGABYTE = 1_000_000_000
LINE = "step={step:08d} loss=0.{step:08d} accuracy=0.9111 examples/s=20312.4 lr=0.00100000 grad_norm=1.2345 eta=00:12:34"
"""100 letters and more, as trainers print."""
FLOOD = f"""
import sys, time
begin, step, line = time.monotonic(), 0, {LINE!r}
while True:
    due = int((time.monotonic() - begin) * {RATE})
    sys.stdout.write("".join(line.format(step=one) + "\\n" for one in range(step, due)))
    sys.stdout.flush()
    step = due
    time.sleep(0.05)
"""
LOG, BOTTOM = b"l", b"G"
WATCHED = 20.0
SCROLL = (b"\x1b[A",) * 7 + (b"\x1b[B",) * 3


def main() -> tuple[str, str, list[Row]]:
    """Measure; returns title, peer and rows."""
    peer = _peer()
    rows: list[Row] = []
    with home(_more) as (variables, engine):
        train(variables, FLOOD)
        program = [str(Path(sys.executable).with_name("mlconsole"))]
        with _running(program, variables) as screen:
            screen.press(b"2")
            screen.until(LIVE_JOB)
            screen.read(10.0)
            rows.append(_keys("list of jobs beside the flood", screen.repaints(), None))
            screen.press(b"g\r")
            screen.read(3.0)
            screen.press(LOG)
            screen.until("eta=")
            screen.read(10.0)
            rows.append(_keys("the flooded log, scrolled", screen.repaints(SCROLL), peer.get("keys")))
            screen.press(BOTTOM)
            screen.read(2.0)
            before = _used(engine)
            cpu, written = screen.idle(WATCHED)
            rows += [
                Row("… followed: CPU", "%", cpu, peer.get("cpu"), higher=False),
                Row("… output", "kB/min", written, peer.get("output"), higher=False),
                Row("… memory, with the AWS client", "MB", screen.rss(), peer.get("memory"), higher=False),
                Row("… CPU of the engine that takes it in", "%", (_used(engine) - before) / WATCHED * 100, None, higher=False),
            ]  # fmt: skip
        with _running(program, variables) as screen:
            screen.press(b"2")
            screen.until("bench-job-04998")
            screen.press(b"/04999\r")
            screen.read(2.0)
            screen.press(b"\r")
            screen.read(1.0)
            screen.press(LOG)
            screen.read(5.0)
            rows += [
                _keys("a gigabyte of log, scrolled", screen.repaints(SCROLL), peer.get("keys")),
                Row("… memory, with the AWS client", "MB", screen.rss(), peer.get("memory"), higher=False),
            ]
    return (
        f"{JOBS:,} jobs, {ENDPOINTS} endpoints, {RATE:,} log lines a second, 1 GB of log",
        "toolong on a file of 1 GB that grows as fast",
        rows,
    )


def _more(data: Path) -> None:
    """The endpoints, and the gigabyte: the log of the newest job that has ended."""
    from engine.jobs.ingest import GROUP
    from engine.layout import Layout
    from engine.streams import LogStore

    seed_endpoints(data, ENDPOINTS)
    store = LogStore(Layout(data).logs)
    now, step, written = int(time.time() * 1000) - 3_600_000, 0, 0
    while written < GIGABYTE:
        lines = [(now + (step + one) // 100, LINE.format(step=step + one)) for one in range(10_000)]
        store.append(GROUP, f"bench-job-{JOBS - 1:05}/algo-1-1700000000", lines)
        step += len(lines)
        written += sum(len(line) for _, line in lines)
    store.close()


def _peer() -> dict[str, float]:
    """toolong on such a file; empty where it cannot be had."""
    try:
        program = str(environment("toolong", "toolong") / "bin" / "tl")
    except (Unavailable, OSError, subprocess.SubprocessError) as error:
        print(f"skipped: toolong: {error}", flush=True)
        return {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "train.log"
        with log.open("w") as file:
            step = 0
            while file.tell() < GIGABYTE:
                file.writelines(LINE.format(step=step + one) + "\n" for one in range(10_000))
                step += 10_000
        with log.open("a") as file:
            flood = subprocess.Popen([sys.executable, "-c", FLOOD], stdout=file)
            try:
                variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": folder}
                with _running([program, str(log)], variables) as screen:
                    screen.read(30.0)  # it looks for the ends of all lines first
                    screen.press(b"\x1b[F")
                    screen.read(2.0)
                    keys = screen.repaints(SCROLL)
                    screen.press(b"\x1b[F")
                    screen.read(2.0)
                    cpu, written = screen.idle(WATCHED)
                    return {
                        "keys": percentile(keys, 0.95),
                        "cpu": cpu,
                        "output": written,
                        "memory": screen.rss(),
                    }
            finally:
                flood.kill()
                flood.wait()


def _used(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _keys(name: str, taken: list[float], peer: float | None) -> Row:
    """The 95th percentile of key to repaint; without a peer 25 ms are allowed."""
    return Row(
        f"{name}: key to repaint p95", "ms", percentile(taken, 0.95), peer, 1.0 if peer else 25, higher=False
    )


@contextmanager
def _running(command: list[str], variables: dict[str, str]) -> Iterator[Screen]:
    screen = Screen(command, variables)
    screen.recording = False
    try:
        screen.read(6.0)
        yield screen
    finally:
        screen.kill()
