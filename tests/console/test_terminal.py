"""How the program behaves on a terminal that goes away, sends garbage, changes its size, or is left."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console.command import COMMAND
from tests.console.terminals import ALTERNATE_SCREEN_OFF, CURSOR_ON, MOUSE_OFF, Terminal
from tests.console.tmux import Tmux, needs_tmux

ROOT = Path(__file__).parents[2]
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program of `tests.console.program` and waits for its first paint."""
    started: list[Terminal] = []

    def begin(what: str = "", until: str = "Runs now", **options: object) -> Terminal:
        command = [sys.executable, "-m", "tests.console.program", what, str(tmp_path / "crashes")]
        found = Terminal(command, environment={"PYTHONPATH": str(ROOT), "PWD": str(ROOT)}, **options)  # type: ignore[arg-type]
        started.append(found)
        found.shows(until)
        return found

    yield begin
    for found in started:
        found.close()


def restored(screen: Terminal) -> bool:
    end = screen.output[-400:]
    return ALTERNATE_SCREEN_OFF in end and CURSOR_ON in end and MOUSE_OFF in screen.output and screen.sane()


def in_flight(screen: Terminal) -> None:
    """Start something that hangs."""
    screen.write(b"2")
    screen.shows("Duration")
    screen.write(b"x")
    screen.shows("Stop training job")
    screen.write(b"\x1b[C")
    time.sleep(0.2)
    screen.write(b"\r")
    screen.shows("Stopping")


def test_quit_leaves_at_once_with_a_call_in_flight(start: Start) -> None:
    screen = start("hang")
    in_flight(screen)
    screen.write(b"q")
    screen.until(screen.ended, "the end after q")
    assert screen.status == 0
    screen.read()
    assert restored(screen)


@pytest.mark.parametrize("what", ["", "hang"], ids=["at-rest", "call-in-flight"])
def test_sigterm_restores_the_terminal(start: Start, what: str) -> None:
    screen = start(what)
    assert not screen.sane(), "raw while it runs"
    if what:
        in_flight(screen)
    os.kill(screen.pid, signal.SIGTERM)
    screen.until(screen.ended, "the end after SIGTERM")
    for _ in range(5):
        screen.read()
    assert screen.status == 128 + signal.SIGTERM
    assert restored(screen)


@pytest.mark.parametrize("ignore", [False, True], ids=["sighup", "sighup-ignored"])
def test_it_leaves_when_the_terminal_is_gone(start: Start, ignore: bool) -> None:
    screen = start(ignore_hangup=ignore)
    screen.hang_up()
    screen.until(screen.ended, "the end after the terminal was closed")


def test_a_byte_that_is_not_utf8_is_survived(start: Start) -> None:
    screen = start()
    screen.write(b"\x1b[M \xa1\xff\xfe")
    time.sleep(0.3)
    screen.write(b"2")
    screen.shows("Duration")
    assert not screen.ended()


def test_a_storm_of_resizes_is_survived(start: Start) -> None:
    screen = start()
    for step in range(60):
        screen.resize(20 + step * 3, 5 + step)
        screen.read(0.005)
    screen.resize(160, 48)
    screen.write(b"2")
    screen.shows("Metric")
    assert not screen.ended()


def test_suspending_gives_the_terminal_back_and_fg_paints_again(start: Start) -> None:
    screen = start()
    screen.output = b""
    screen.write(b"\x1a")
    screen.shows("There is no shell here")  # nobody could wake it: it does not stop
    os.kill(screen.pid, signal.SIGTSTP)
    screen.until(screen.stopped, "the process stops")
    screen.read()
    assert ALTERNATE_SCREEN_OFF in screen.output
    assert screen.sane()
    screen.output = b""
    for key, shown in ((b"2", "Duration"), (b"3", "Up")):  # keys are read again, and after a second time, too
        os.kill(screen.pid, signal.SIGCONT)
        screen.shows("mlconsole")
        screen.write(key)
        screen.shows(shown)
        screen.output = b""
        os.kill(screen.pid, signal.SIGTSTP)
        screen.until(screen.stopped, "the process stops again")
    os.kill(screen.pid, signal.SIGCONT)
    screen.write(b"q")
    screen.until(screen.ended, "the end")
    assert screen.status == 0


def test_what_another_program_wrote_over_is_painted_anew(start: Start) -> None:
    screen = start()
    screen.write(b"2")
    screen.shows("Duration")
    screen.output = b""
    screen.write(b"\x1b[B")
    screen.read(0.5)
    assert b"Duration" not in screen.output, "only the two rows of the cursor are written"
    screen.write(b"\x0c")
    screen.shows("Duration")


def test_a_crash_restores_the_terminal_and_names_a_report(start: Start, tmp_path: Path) -> None:
    screen = start("crash")
    screen.write(b"r")
    screen.until(screen.ended, "the end after a crash")
    for _ in range(5):
        screen.read()
    assert screen.status == 1
    assert b"mlconsole ended on an unexpected error: RuntimeError." in screen.output
    assert ALTERNATE_SCREEN_OFF in screen.output
    (report,) = (tmp_path / "crashes").iterdir()
    text = report.read_text()
    assert "RuntimeError: no 7" in text
    assert "hunter2" not in text.replace('secret = "hunter2"', "")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_start_that_is_ended_gives_the_terminal_back(start: Start, number: int) -> None:
    screen = start("stuck", until="mlconsole")
    assert not screen.sane(), "keys are kept and not shown"
    os.kill(screen.pid, number)
    screen.until(screen.ended, "the end")
    for _ in range(3):
        screen.read()
    assert screen.status in (128 + number, 130, -number) and ALTERNATE_SCREEN_OFF in screen.output
    assert screen.sane()


def test_keys_that_are_pressed_while_it_starts_are_neither_lost_nor_shown(start: Start) -> None:
    screen = start("late", until="mlconsole")
    screen.write(b"2/train\r")
    screen.shows("Duration")
    screen.shows("/train")
    assert screen.output.count(b"\x1b[?1049h") == 1
    before, _, _ = screen.output.partition(b"\x1b[?1000h")
    assert b"train" not in before, "not echoed"
    screen.output = b""
    screen.write(b":endpoints fraud\r")
    screen.shows("/fraud")
    screen.write(b"q")
    screen.until(screen.ended, "the end")
    screen.read()
    assert restored(screen)


def test_an_error_before_the_first_picture_is_told_on_the_screen_of_the_shell(tmp_path: Path) -> None:
    screen = Terminal(
        [COMMAND], environment={"MLCONSOLE_HOME": str(tmp_path), "TEXTUAL_DRIVER": "nowhere:Driver"}
    )
    try:
        screen.until(screen.ended, "the end")
        for _ in range(3):
            screen.read()
        told = screen.output.rpartition(ALTERNATE_SCREEN_OFF)[2]
        assert b"mlconsole" in screen.output.partition(ALTERNATE_SCREEN_OFF)[0]
        assert screen.status == 1 and b"nowhere" in told
        assert screen.sane()
    finally:
        screen.close()


@needs_tmux
def test_the_installed_program_in_tmux(tmp_path: Path) -> None:
    tmux = Tmux(MLCONSOLE_HOME=str(tmp_path), MLCONSOLE_TARGET="aws", AWS_PROFILE="nobody-here")
    try:
        tmux.shows("mlconsole")
        tmux.shows("AWS")
        tmux.press("4")
        tmux.shows("Case studies")
        tmux.press("?")
        tmux.shows("In every list")
        tmux.press("Escape")
        tmux.hides("In every list")
        tmux.press("q")
        tmux.shows("left with 0")
    finally:
        tmux.close()


def test_a_crash_report_names_no_secret(tmp_path: Path) -> None:
    from console.terminal import without_secrets, write_crash_report

    told = "AKIAIOSFODNN7EXAMPLE aws_secret_access_key='wJalrXUtnFEMI' password: hunter2, https://hooks.example.com/T0/B0/x9 "
    told += "ftp://jane:pa55@host/x wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY Signature=5d672d79c15b13162d9279b0855cfba6 kept"
    shown = without_secrets(
        told + " from-the-environment", {"MY_TOKEN": "from-the-environment", "HOME": "kept"}
    )
    for secret in ("AKIA", "wJalr", "hunter2", "T0/B0", "pa55", "K7MDENG", "5d672d", "from-the-environment"):
        assert secret not in shown
    digest = "a" * 32 + "0" * 32
    assert without_secrets(f"/Users/Jane/Projects2/console/workflows/embedded.py {digest}", {}).endswith(
        digest
    )
    assert "/Projects2/console/" in without_secrets("/Users/Jane/Projects2/console/workflows/embedded", {})
    assert "hooks.example.com" in shown and shown.endswith("kept (hidden)")
    try:
        raise RuntimeError(told)
    except RuntimeError as error:
        report = write_crash_report(error, tmp_path).read_text()
    assert "hunter2" not in report and "test_a_crash_report_names_no_secret" in report


def test_a_dumb_terminal_is_told_that_it_cannot_be_drawn_on(tmp_path: Path) -> None:
    screen = Terminal([COMMAND], environment={"TERM": "dumb", "MLCONSOLE_HOME": str(tmp_path)})
    try:
        screen.until(screen.ended, "the end")
        screen.read()
        assert screen.status == 2 and b"TERM is dumb" in screen.output and b"\x1b" not in screen.output
    finally:
        screen.close()
