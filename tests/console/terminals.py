"""A program on a real pseudo-terminal: what it writes, what it leaves behind, how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

DEADLINE = 60.0
ALTERNATE_SCREEN_OFF = b"\x1b[?1049l"
CURSOR_ON = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1003l"


class Terminal:
    """Starts a command on a new pseudo-terminal and reads all that it writes."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: dict[str, str] | None = None,
        ignore_hangup: bool = False,
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self.output = b""
        self.status: int | None = None
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGHUP, signal.SIG_IGN if ignore_hangup else signal.SIG_DFL)
                os.execvpe(
                    command[0], list(command), {**os.environ, "TERM": "xterm-256color", **(environment or {})}
                )
            finally:
                os._exit(127)
        self.attributes = termios.tcgetattr(self.descriptor)
        """The line discipline before the program changes it: it has only just been forked."""
        self.resize(*size)
        os.set_blocking(self.descriptor, False)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as dragging a window does."""
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, data: bytes) -> None:
        """Press keys."""
        os.write(self.descriptor, data)

    def hang_up(self) -> None:
        """The terminal is gone."""
        os.close(self.descriptor)
        self.descriptor = -1

    def read(self, seconds: float = 0.05) -> None:
        """Take what was written within some seconds."""
        if self.descriptor < 0:
            time.sleep(seconds)
            return
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if ready:
            try:
                self.output += os.read(self.descriptor, 1 << 16)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                time.sleep(seconds)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Read until a condition holds."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, (
                f"never: {what}. The end of the output: {self.output[-2000:]!r}"
            )
            self.read()

    def shows(self, text: str) -> None:
        """Wait until a text was written."""
        self.until(lambda: text.encode() in self.output, f"{text!r} on the screen")

    def sane(self) -> bool:
        """Whether the line discipline is what it was before."""
        return termios.tcgetattr(self.descriptor) == self.attributes

    def ended(self) -> bool:
        """Whether the process has ended; `status` is its exit status then, negative for a signal."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def stopped(self) -> bool:
        """Whether the process is stopped, as Ctrl-Z does it."""
        text = Path(f"/proc/{self.pid}/stat").read_text()
        return text.rpartition(")")[2].split()[0] in ("T", "t")

    def close(self) -> None:
        """Leave nothing behind."""
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.descriptor >= 0:
            os.close(self.descriptor)
