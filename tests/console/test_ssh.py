"""The console at the end of a real SSH connection over loopback, which is cut in the middle of a run."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.console.command import prepared_run
from tests.console.terminals import ALTERNATE_SCREEN_OFF, Terminal
from workflows import runs
from workflows.runs import Run

ROOT = Path(__file__).parents[2]
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
CUTS = ("client", "server")
"""Which end of the connection dies without a word: the person's machine, or the session on this one."""
Login = Callable[..., Terminal]

pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None, reason="needs sshd and ssh (Debian: openssh-server)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """An sshd of our own on loopback; the command that logs in on it."""
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "person"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)],
            check=True,
            capture_output=True,
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "person.pub",
        "PidFile": folder / "pid",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PrintMotd": "no",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    assert SSHD is not None
    daemon = subprocess.Popen([SSHD, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")])
    command = ["ssh", "-tt", "-p", str(port), "-i", str(folder / "person"), "-F", "/dev/null"]
    for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"):
        command += ["-o", option]
    command.append(f"{getpass.getuser()}@127.0.0.1")
    deadline = time.monotonic() + 60
    while True:
        tried = subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if tried.returncode == 0:
            break
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.kill()
            pytest.skip(f"sshd does not let us in here: {(folder / 'log').read_text()[-300:]}")
        time.sleep(0.1)
    yield command
    daemon.terminate()
    daemon.wait(20)


@pytest.fixture
def login(server: list[str], tmp_path: Path) -> Iterator[Login]:
    """Logs in and becomes the console, whose target is an AWS account that nobody has: nothing is started for it."""
    started: list[Terminal] = []
    home = os.environ["MLCONSOLE_HOME"]
    variables = {"MLCONSOLE_HOME": home, "MLCONSOLE_TARGET": "aws", "AWS_PROFILE": "nobody-here", "PYTHONPATH": str(ROOT)}  # fmt: skip

    def begin(*arguments: str) -> Terminal:
        words = ["env", *(f"{name}={value}" for name, value in variables.items())]
        words += [sys.executable, "-m", "tests.console.ssh_start", *arguments]
        found = Terminal([*server, f"cd {ROOT} && exec {' '.join(words)}"], size=(120, 40))
        started.append(found)
        found.shows("Runs now")
        return found

    yield begin
    for found in started:
        found.close()
    for process in of_this_test():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture
def prepared() -> Run:
    """The folder of a run that the login starts."""
    return prepared_run()


def of_this_test() -> list[psutil.Process]:
    """The processes on this machine that belong to the test's home, the test itself left out."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.pid != os.getpid()
                and process.environ().get("MLCONSOLE_HOME") == os.environ["MLCONSOLE_HOME"]
            ):
                found.append(process)
    return found


def consoles() -> list[psutil.Process]:
    found = []
    for process in of_this_test():
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if "slow_run" not in line and "ssh " not in line and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def progress(run: Run) -> int:
    return run.events_file.read_text().count("progress")


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> float:
    """Seconds until a condition held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"never: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("cut", CUTS)
def test_a_connection_that_is_cut_ends_the_console_and_not_the_run(
    cut: str, login: Login, prepared: Run
) -> None:
    screen = login(str(prepared.folder))
    screen.shows(prepared.id[:14])
    screen.write(b"\r")
    screen.shows("Train the net")
    (console,) = consoles()
    if cut == "client":
        os.kill(screen.pid, signal.SIGKILL)
    else:
        session = console.parent()
        assert session is not None and "sshd" in session.name()
        session.kill()
    gone = until(lambda: not consoles(), "the console has gone")
    print(f"gone after {gone:.2f} s")
    run = runs.read(prepared.folder)
    assert run.active and psutil.pid_exists(run.pid)
    before = progress(run)
    until(lambda: progress(run) > before, "the run goes on")

    again = login()
    again.shows(prepared.id[:14])
    again.output = b""
    again.write(b"\r")
    again.shows("Train the net")
    (prepared.control / "finish").write_text("completed")
    again.shows("completed")
    again.output = b""
    again.write(b"q")
    again.until(again.ended, "the end of the second login")
    again.read()
    assert again.status == 0
    assert ALTERNATE_SCREEN_OFF in again.output
    assert runs.read(prepared.folder).status == "completed"
