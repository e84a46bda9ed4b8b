"""The console side by side with other terminal programs, each on the same pseudo-terminal in the same run: one row per program.

The peers are installed by this benchmark into virtual environments in the cache folder (`benchmarks.venvs`), htop by apt where one is root; what cannot be
had is skipped with the reason. All figures but bytes and memory depend on what else the machine does: read the ratios.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import mysql
from benchmarks.console import home
from benchmarks.paint import paint
from benchmarks.report import Row
from benchmarks.seeding import JOBS
from benchmarks.terminal import DOWN, Screen, percentile, start_time
from benchmarks.venvs import Unavailable, environment

LAUNCHES = 3
SETTLE, IDLE = 4.0, 15.0
LONGEST_START = 15.0
"""Seconds that a start may take: on a busy machine, and for what never falls silent."""
SINGLE_KEYS = 40
LOOKED_AT = 0.11
"""Seconds after a key within which its repaint has to begin and end."""
SITTER = "tree-sitter<0.26"
"""posting 2.11 does not say so, and 0.26 ends it with a segmentation fault."""
DOLPHIE_URI = "MLCONSOLE_BENCH_MYSQL"
"""A server to show instead of the scratch one of `benchmarks.mysql`."""
LIVE_JOB = "bench-live"
TRAIN = """
import math, time
for step in range(100_000):
    print(f"step={step} loss={math.exp(-step / 100):.4f};", flush=True)
    time.sleep(1)
"""


@dataclass(frozen=True)
class Program:
    """How a program is started, brought to what is measured, and left."""

    name: str
    command: Sequence[str]
    help: Sequence[str] = ()
    setup: Sequence[tuple[bytes, float]] = ()
    """Keys that bring a long list into focus, and seconds after each."""
    key: bytes = DOWN
    quit: bytes = b"q"
    variables: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    textual: bool = True
    own_home: bool = True


@dataclass(frozen=True)
class Figures:
    """What was measured of a program; None where there is nothing to measure."""

    program: Program
    help: float | None
    first: float
    full: float
    kilobytes: float
    rss: float
    cpu: float
    idle: float
    p50: float | None
    p95: float | None
    per_key: float | None
    quit: float
    hung_up: float | None
    orphan: float | None
    orphan_cpu: float
    terminated: float | None
    restored: bool


@contextmanager
def _variables(program: Program) -> Iterator[dict[str, str]]:
    """The environment of a launch; an empty home unless the program brings one."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(("MLCONSOLE_", "XDG_"))}
    for name in ("NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES", "SSH_CONNECTION"):
        found.pop(name, None)
    found |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    folder = tempfile.mkdtemp(prefix="mlconsole-bench-home-") if program.own_home else ""
    if folder:
        found["HOME"] = folder
    try:
        yield found | dict(program.variables)
    finally:
        shutil.rmtree(folder, ignore_errors=True) if folder else None


@contextmanager
def _launched(program: Program, *, deaf: bool = False) -> Iterator[Screen]:
    with _variables(program) as variables:
        screen = Screen(program.command, variables, deaf=deaf, cwd=program.cwd)
        screen.read(SETTLE)
        screen.read(LONGEST_START - SETTLE, quiet=SETTLE / 2)
        try:
            yield screen
        finally:
            screen.kill()


def measure(program: Program) -> Figures:
    """All figures of a program.

    Raises:
        Unavailable: It does not paint anything.
    """
    with _variables(program) as variables:
        help_time = start_time(program.help, variables) if program.help else None
    paints = []
    for _ in range(LAUNCHES):
        with _launched(program) as screen:
            paints.append(paint(screen.chunks, screen.started))
    if not any(line.strip() for line in paints[-1].lines):
        raise Unavailable(f"{program.name} paints nothing here")
    with _launched(program) as screen:
        for keys, seconds in program.setup:
            screen.press(keys)
            screen.read(seconds)
        screen.recording = False
        screen.read(SETTLE)
        cpu, idle = screen.idle(IDLE)
        rss, written = screen.rss(), screen.written
        keys_taken = screen.repaints([program.key], most=LOOKED_AT, number=SINGLE_KEYS)
        per_key = (screen.written - written) / SINGLE_KEYS
        answered = percentile(keys_taken, 0.5) < LOOKED_AT * 1000
        try:
            left = screen.quit(program.quit)
        except RuntimeError:
            left = float("nan")
    with _launched(program) as screen:
        hung_up, _ = screen.hung_up()
    with _launched(program, deaf=True) as screen:
        orphan, spent = screen.hung_up()
    with _launched(program) as screen:
        terminated, restored = screen.terminated()

    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    return Figures(
        program=program,
        help=help_time,
        first=median([one.first for one in paints]),
        full=median([one.full for one in paints]),
        kilobytes=median([one.kilobytes for one in paints]),
        rss=rss,
        cpu=cpu,
        idle=idle,
        p50=percentile(keys_taken, 0.5) if answered else None,
        p95=percentile(keys_taken, 0.95) if answered else None,
        per_key=per_key if answered else None,
        quit=left,
        hung_up=hung_up,
        orphan=orphan,
        orphan_cpu=spent,
        terminated=terminated,
        restored=restored,
    )


# The peers


def _scratch() -> Path:
    """A folder for what peers show."""
    folder = Path(tempfile.gettempdir()) / f"mlconsole-bench-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder


def _posting() -> Program:
    folder = _scratch() / "requests"
    folder.mkdir(exist_ok=True)
    for number in range(500):
        text = f"name: request-{number:03}\nmethod: GET\nurl: http://127.0.0.1/{number}\n"
        (folder / f"request-{number:03}.posting.yaml").write_text(text)
    program = str(environment("posting-sitter", "posting", SITTER) / "bin" / "posting")
    return Program(
        "posting, 500 requests",
        [program, "--collection", str(folder)],
        [program, "--help"],
        quit=b"\x03",
        variables={"POSTING_FOCUS__ON_STARTUP": "collection"},
    )


def _harlequin() -> Program:
    database = _scratch() / "rows.db"
    database.unlink(missing_ok=True)
    with sqlite3.connect(database) as connection:
        connection.execute("create table t (a integer, b text, c real)")
        connection.executemany(
            "insert into t values (?, ?, ?)", [(i, f"row {i}", i / 7) for i in range(5_000)]
        )
    program = str(environment("harlequin", "harlequin") / "bin" / "harlequin")
    return Program(
        "harlequin, 5,000 rows of sqlite",
        [program, "-a", "sqlite", str(database)],
        [program, "--help"],
        setup=[(b"select * from t", 0.5), (b"\x0a", 3.0), (b"\x1b[15~", 1.0)],
        quit=b"\x11",
    )


def _toolong() -> Program:
    log = _scratch() / "long.log"
    if not log.exists():
        log.write_text("".join(f"2026-11-22 12:00:00 INFO line {i} of the log\n" for i in range(200_000)))
    program = str(environment("toolong", "toolong") / "bin" / "tl")
    return Program("toolong, 200,000 lines", [program, str(log)], [program, "--help"], quit=b"\x03")


def _memray() -> Program:
    folder = environment("memray", "memray")
    recorded = _scratch() / "memray.bin"
    program = str(folder / "bin" / "memray")
    script = _scratch() / "allocate.py"
    script.write_text("import json, http.client, asyncio, sqlite3\nx = [bytes(2000) for _ in range(5000)]\n")
    done = subprocess.run(
        [program, "run", "-f", "-o", str(recorded), str(script)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"memray records nothing here: {done.stderr.strip()[-200:]}")
    return Program("memray tree", [program, "tree", str(recorded)], [program, "--help"])


def _dolphie() -> Program:
    program = str(environment("dolphie", "dolphie") / "bin" / "dolphie")
    uri = os.environ.get(DOLPHIE_URI) or mysql.uri()
    return Program("dolphie, an idle MariaDB", [program, uri], [program, "--help"])


def _htop() -> Program:
    found = shutil.which("htop")
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "htop"], capture_output=True, check=False)
        found = shutil.which("htop")
    if found is None:
        raise Unavailable("htop is not installed, and apt-get cannot install it here")
    return Program("htop", [found], [found, "--version"], textual=False)


PEERS: tuple[Callable[[], Program], ...] = (_htop, _toolong, _memray, _posting, _harlequin, _dolphie)


# Ours


def train(environment_of: Mapping[str, str], script: str = TRAIN) -> None:
    """A training job `LIVE_JOB`; by default one that reports its loss once a second, for as long as it is looked at."""
    import boto3

    found = json.loads(
        (Path(environment_of["MLCONSOLE_HOME"]) / "data" / "engine" / "connection.json").read_text()
    )

    def client(service: str) -> object:
        return boto3.client(
            service, endpoint_url=found["url"], region_name=found["region"],
            aws_access_key_id=found["access_key"], aws_secret_access_key=found["secret_key"],
        )  # fmt: skip

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(script)
        archive.addfile(member, io.BytesIO(script.encode()))
    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(Bucket="bench")  # type: ignore[attr-defined]
    s3.put_object(Bucket="bench", Key="source.tar.gz", Body=buffer.getvalue())  # type: ignore[attr-defined]
    sagemaker.create_training_job(  # type: ignore[attr-defined]
        TrainingJobName=LIVE_JOB,
        RoleArn=found["role_arn"],
        AlgorithmSpecification={
            "TrainingImage": "246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        },
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://bench/source.tar.gz",
        },
        OutputDataConfig={"S3OutputPath": "s3://bench/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def ours(
    variables: Mapping[str, str], *options: str, name: str, setup: Sequence[tuple[bytes, float]]
) -> Program:
    """The installed console."""
    program = str(Path(sys.executable).with_name("mlconsole"))
    return Program(
        name, [program, *options], [program, "--help"], setup=setup, variables=variables, own_home=False
    )


def main() -> tuple[str, str, list[Row]]:
    """Measure all, print the whole table; returns ours beside the best Textual program in every column."""
    measured: list[Figures] = []
    for make in PEERS:
        try:
            program = make()
            print(f"measuring {program.name}", file=sys.stderr, flush=True)
            measured.append(measure(program))
        except (Unavailable, OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"skipped: {make.__name__.strip('_')}: {error}", flush=True)
    with home() as (variables, _):
        listing = ours(variables, name=f"mlconsole, {JOBS:,} jobs", setup=[(b"2", 3.0)])
        with _launched(listing) as first:  # what it knows is the cached state from here on
            first.press(b"2")
            first.read(5.0)
            first.quit()
        console = measure(listing)
        train(variables)
        live, slow = _live(variables), _live(variables, "--low-bandwidth")
    print(_table([*measured, console]), flush=True)
    return (
        "The console beside other terminal programs",
        "best Textual program",
        _rows(console, [one for one in measured if one.program.textual], live, slow),
    )


def _live(variables: Mapping[str, str], *options: str) -> tuple[float, float]:
    """kB a minute and CPU of a training job's screen with its charts and log, a new line and point every second."""
    program = ours(variables, *options, name="live", setup=())
    with _launched(program) as screen:
        screen.press(b"2")
        screen.until(LIVE_JOB)  # not the newest one of the last session, whom the cursor would stay on
        screen.press(b"g\r")
        screen.until("loss")
        screen.recording = False
        screen.read(12.0)
        began, written = time.perf_counter(), screen.written
        screen.read(60.0)
        kilobytes = (screen.written - written) / 1000 * 60 / (time.perf_counter() - began)
        cpu, _ = screen.idle(IDLE)
        screen.quit()
    return kilobytes, cpu


def _rows(
    console: Figures, peers: Sequence[Figures], live: tuple[float, float], slow: tuple[float, float]
) -> list[Row]:
    def best(of: Callable[[Figures], float | None]) -> float | None:
        known = [value for one in peers if (value := of(one)) is not None and value == value]
        return min(known) if known else None

    columns: list[tuple[str, str, Callable[[Figures], float | None], float | None]] = [
        ("--help", "ms", lambda one: one.help, 100),
        ("first character", "ms", lambda one: one.first, None),
        ("whole screen, from disk", "ms", lambda one: one.full, 450),
        ("memory, with the AWS client", "MB", lambda one: one.rss, 85),
        ("CPU at rest, polling", "%", lambda one: one.cpu, 0.3),
        ("output at rest", "kB/min", lambda one: one.idle, 0),
        ("key to repaint p50", "ms", lambda one: one.p50, 6),
        ("key to repaint p95", "ms", lambda one: one.p95, 20),
        ("quit", "ms", lambda one: one.quit, 300),
        ("terminal gone", "s", lambda one: one.hung_up, 1),
        # Who leaves the terminal as it was while it ran has done nothing.
        ("SIGTERM", "s", lambda one: one.terminated if one.restored else None, 1),
    ]
    rows = []
    for name, unit, of, target in columns:
        value = of(console)
        if value is None:
            continue
        rows.append(Row(name, unit, value, None, target, higher=False))
        if (other := best(of)) is not None:
            rows.append(Row("… beside the best Textual program", unit, value, other, 1.0, higher=False))
    alive = console.orphan if console.orphan is not None else float("inf")
    rows += [
        Row("terminal gone, SIGHUP ignored", "s", alive, best(lambda one: one.orphan), None, higher=False),
        Row("output of a live training job", "kB/min", live[0], None, 100, higher=False),
        Row("… with --low-bandwidth", "kB/min", slow[0], None, 40, higher=False),
        Row("CPU of a live training job", "%", live[1], None, None, higher=False),
    ]
    return rows


def _table(measured: Sequence[Figures]) -> str:
    head = (
        "program", "--help ms", "first char ms", "full paint ms", "paint kB", "RSS MB", "CPU %", "kB/min", "key p50 / p95 ms",
        "B/key", "quit ms", "terminal gone s", "… SIGHUP ignored", "SIGTERM s",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]

    def text(value: float | None, digits: int = 0) -> str:
        return "–" if value is None or value != value else f"{value:,.{digits}f}"

    for one in measured:
        keys = f"{text(one.p50, 1)} / {text(one.p95, 1)}" if one.p50 is not None else "–"
        orphan = f"{one.orphan:.2f}" if one.orphan is not None else f"**alive, {one.orphan_cpu:.0f} %**"
        ended = f"{text(one.terminated, 2)}{'' if one.restored else ' (terminal not restored)'}"
        cells = [
            one.program.name, text(one.help), text(one.first), text(one.full), text(one.kilobytes), text(one.rss), text(one.cpu, 1),
            text(one.idle, 0), keys, text(one.per_key), text(one.quit), text(one.hung_up, 2), orphan, ended,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
