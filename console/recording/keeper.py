"""Gives the terminal back whatever happens to the program that changed it."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import tty
from collections.abc import Iterator

from console.terminal import RESTORE


@contextlib.contextmanager
def raw_terminal(descriptor: int) -> Iterator[list[int | list[bytes | int]]]:
    """The terminal without echo, line editing and signal keys for a ``with`` block; gives the settings it had.

    Afterwards it is as before, also after ``kill -9``: a child that lives for this alone sees its end of a pipe closed, and
    puts back what is still as this program has left it.
    """
    before = termios.tcgetattr(descriptor)
    read_end, write_end = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        _keep(descriptor, before, read_end, write_end)
    os.close(read_end)
    try:
        tty.setraw(descriptor, termios.TCSADRAIN)
        os.write(write_end, b"r")
        yield before
    finally:
        with contextlib.suppress(termios.error, OSError):
            os.write(1, RESTORE.encode())
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        with contextlib.suppress(OSError):
            os.write(write_end, b"d")
        os.close(write_end)
        os.waitpid(keeper, 0)


def _keep(descriptor: int, before: list[int | list[bytes | int]], read_end: int, write_end: int) -> None:
    """The life of the child. A session of its own keeps it from signals of the terminal, and from being stopped when it sets it."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.close(write_end)
        said = b""
        while data := os.read(read_end, 16):
            said += data
        if said == b"r":  # neither done nor never begun
            with contextlib.suppress(termios.error, OSError):
                now = termios.tcgetattr(descriptor)
                if not now[3] & termios.ICANON:  # a shell may have set it already
                    termios.tcsetattr(descriptor, termios.TCSANOW, before)
                os.write(1, RESTORE.encode())
    finally:
        os._exit(0)
