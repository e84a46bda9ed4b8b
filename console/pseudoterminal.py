"""A program on a pseudo-terminal of its own: the console in a browser tab, or one that is recorded."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence

LEAST, MOST = 2, 1000
"""Columns or lines of a terminal."""
PATIENCE = 1.0
"""Seconds that a program has to end by itself when its terminal hangs up. The console takes a tenth of that."""

_HANDLED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGWINCH)


class PseudoTerminal:
    """Runs a command as the leader of a session whose controlling terminal this is.

    ``descriptor`` is our end: what the program writes is read from it, and what is written to it are its keys.
    When this process dies, even by ``kill -9``, the kernel hangs up and the program ends.

    Raises:
        OSError: There is no free pseudo-terminal, or the command cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int], *, modes: list[int | list[bytes | int]] | None = None
    ) -> None:  # fmt: skip
        self.descriptor, program_end = pty.openpty()
        try:
            if modes is not None:
                termios.tcsetattr(program_end, termios.TCSANOW, modes)
            self.resize(*size)
            # Without fork(): a server has threads. The session begins before the terminal is opened, which makes it the controlling one.
            self.pid = os.posix_spawn(
                command[0],
                list(command),
                dict(environment),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.ttyname(program_end), os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_HANDLED,
            )
        except BaseException:
            os.close(self.descriptor)
            self.descriptor = -1
            raise
        finally:
            os.close(program_end)
        self.status: int | None = None

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; the program is told by SIGWINCH. Impossible sizes are brought into bounds."""
        columns, lines = (max(LEAST, min(MOST, number)) for number in (columns, lines))
        with contextlib.suppress(OSError):  # the program may be gone
            fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def ended(self) -> bool:
        """Whether the program has ended; ``status`` is its exit status then, negative for a signal."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def hang_up(self) -> None:
        """The terminal is gone: the program gets SIGHUP and the end of its input."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def kill(self) -> None:
        """End the program's session the hard way, and wait for it."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self) -> None:
        """Hang up, and kill what does not end within `PATIENCE`. Blocks."""
        self.hang_up()
        deadline = time.monotonic() + PATIENCE
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()


def console_command(arguments: Sequence[str]) -> list[str]:
    """The command line of mlconsole itself with these arguments, whatever the current folder holds."""
    return [sys.executable, "-P", "-m", "console", *arguments]


def passed_on(flags: Mapping[str, object], *, read_only: bool) -> list[str]:
    """The options of the caller's command line, for a console that is started by it."""
    options = [part for name, value in flags.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return [*options, "--read-only"] if read_only else options
