"""The installed command as a person has it: in a process of its own, on a pipe or on a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from workflows import locations, runs
from workflows.runs import Run

COMMAND = str(Path(sys.executable).with_name("mlconsole"))
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run(
    *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command on pipes and wait for it."""
    return subprocess.run(
        [COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **(env or {})},
    )


def prepared_run(number: int = 1) -> Run:
    """The folder of a run that nothing works for yet: `tests.console.slow_run` is to be its process."""
    name = f"moons-20260101-00000{number}-abcd"
    folder = locations.runs_dir() / name
    (folder / "control").mkdir(parents=True)
    (folder / "work").mkdir()
    made = Run(
        id=name, folder=folder, study="moons", interface="low", status="starting", created=time.time(),
        parameters={"epochs": 3}, configuration={"target": "embedded"},
    )  # fmt: skip
    runs.save(made)
    made.events_file.touch()
    return made


class Terminal:
    """The command on a pseudo-terminal of its own, as a session leader."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.output = ""
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(
                COMMAND,
                [COMMAND, *arguments],
                {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **(env or {})},
            )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(10)
        os.close(self.fd)

    @property
    def text(self) -> str:
        """What it has written so far, without escape sequences."""
        return _ESCAPES.sub("", self.output).replace("\r", "")

    def read(self, seconds: float) -> bool:
        """Read what comes within this time; False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.output += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, text: str, seconds: float = 60) -> None:
        """Read until a text has been written."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} did not come: {self.text[-2000:]!r}")
            if not self.read(0.2) and text not in self.text:
                raise AssertionError(f"it ended without {text!r}: {self.text[-2000:]!r}")

    def send(self, text: str) -> None:
        """Type."""
        os.write(self.fd, text.encode())

    def wait(self, seconds: float = 60) -> int:
        """The exit status, once it has ended; everything it wrote has been read then."""
        deadline = time.monotonic() + seconds
        while self.status is None and time.monotonic() < deadline:
            self.read(0.05)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                while self.read(0.05) and select.select([self.fd], [], [], 0)[0]:
                    pass
                self.status = os.waitstatus_to_exitcode(status)
        assert self.status is not None, f"it did not end: {self.text[-2000:]!r}"
        return self.status
