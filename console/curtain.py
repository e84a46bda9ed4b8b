"""The console's first sign of life: its name on the alternate screen, while what draws the rest is still being imported.

On a busy machine or a cold disk that takes seconds, in which a terminal that shows nothing looks hung, and in which keys that are
pressed would be written into the shell's last line. They are kept for the application instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

from console import terminal

_dropped = False


def drop(target: str) -> None:
    """Enter the alternate screen and write the beginning of the header there; keys are kept and not shown from here on.

    Nothing happens where the terminal cannot be drawn on.
    """
    global _dropped
    if _dropped or not terminal.interactive():
        return
    import termios

    terminal.remember_terminal()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    with contextlib.suppress(OSError, termios.error):
        now = termios.tcgetattr(0)
        now[0] &= ~termios.ICRNL  # Enter arrives as it does later
        now[3] &= ~(termios.ECHO | termios.ICANON)
        now[6][termios.VSUSP] = b"\0"  # Ctrl+Z would leave the shell on this screen; Ctrl+C ends the start
        termios.tcsetattr(0, termios.TCSANOW, now)
    _dropped = True
    sys.stdout.flush()
    os.write(1, f"\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J\x1b[1m mlconsole\x1b[0m   {target.upper()}".encode())


def dropped() -> bool:
    """Whether the alternate screen has been entered and no application has taken it over yet."""
    return _dropped


def taken() -> None:
    """The application has the terminal and will give it back."""
    global _dropped
    _dropped = False


def lift() -> None:
    """Give the terminal back, if no application has taken it over."""
    if _dropped:
        taken()
        terminal.give_back_terminal()


def _leave(number: int, frame: FrameType | None) -> None:
    lift()
    os._exit(128 + number)
