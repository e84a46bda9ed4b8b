"""Process hygiene that Textual lacks: leave when the terminal is gone, restore it on SIGTERM and after a crash.

Each function repairs one thing, named with the upstream issue where there is one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

RESTORE = (
    "\x1b[<u"  # leave the Kitty keyboard protocol
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # no mouse reports
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l"  # no focus, paste and resize reports
    "\x1b[?2026l\x1b[?7h\x1b[0m\x1b[?25h"  # no synchronized update, wrap, plain, cursor
    "\x1b[?1049l"  # the primary screen
)
"""What undoes every mode that Textual sets."""


def leave_on_hangup(descriptor: int, leave: Callable[[], None] | None = None) -> threading.Thread:
    """Leave the process when the terminal is gone, even where SIGHUP is ignored (textual PR 6690).

    A daemon thread waits for POLLHUP only: it costs nothing while the terminal is there. Without it the input thread
    would read the end of file for ever at the price of one core.
    """
    poller = select.poll()
    poller.register(descriptor, 0)

    def wait() -> None:
        poller.poll()
        (leave or functools.partial(os._exit, 129))()

    thread = threading.Thread(target=wait, name="terminal-watch", daemon=True)
    thread.start()
    return thread


def restore_on_signals(leave: Callable[[int], None]) -> None:
    """End through ``leave`` on SIGTERM and SIGHUP, so that the terminal is restored (textual#5140).

    A second signal, or an application that does not end within two seconds, restores the terminal here and leaves.
    """
    asked = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            give_back_terminal()
            os._exit(128 + number)
        asked.set()
        overdue = threading.Timer(2.0, _leave_now, (number,))
        overdue.daemon = True
        overdue.start()
        leave(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def shell_waits() -> bool:
    """Whether somebody sees that this process stops, and can let it go on: its process group is not orphaned (POSIX.1-2017, 3.264).

    In a browser tab, in a recording, and as the command of ``ssh HOST mlconsole`` or ``tmux new mlconsole`` nobody does.
    """
    import psutil

    group, session = os.getpgrp(), os.getsid(0)
    with contextlib.suppress(OSError, psutil.Error):
        for parent in psutil.Process().parents():
            if os.getsid(parent.pid) != session:
                return False
            if os.getpgid(parent.pid) != group:
                return True
    return False


def forget_driver() -> None:
    """Let go of a driver that has given back the terminal: what it does on these signals would keep it, and its application with it."""
    for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH):
        signal.signal(number, signal.SIG_DFL)


def _leave_now(number: int) -> None:
    give_back_terminal()
    os._exit(128 + number)


def give_back_terminal() -> None:
    """Write what undoes Textual's modes and set the line discipline to what it was."""
    import termios

    with contextlib.suppress(OSError, ValueError):
        if os.isatty(1):
            os.write(1, RESTORE.encode())
    with contextlib.suppress(OSError, ValueError, termios.error):
        if settings := remembered():
            termios.tcsetattr(0, termios.TCSANOW, settings)


_SAVED: dict[str, list[Any]] = {}


def remember_terminal() -> None:
    """Note the line discipline before anything of ours changes it; only the first call in a process does."""
    import termios

    if not _SAVED:
        with contextlib.suppress(OSError, ValueError, termios.error):
            _SAVED["attributes"] = list(termios.tcgetattr(0))


def remembered() -> list[Any] | None:
    """The line discipline that was noted."""
    return _SAVED.get("attributes")


_NAMED_SECRET = re.compile(
    r"(?i)((?:secret|token|password|passwd|signature|credential|api_?key)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&)]+"
)
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_ADDRESS = re.compile(r"(https?://)(?:[^/\s\"'@]+@)?([^/\s\"'@]+)/[^\s\"')]+")
_SIGNED_IN = re.compile(r"(\w+://)[^/\s\"'@]+@")
_RANDOM = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+][A-Za-z0-9+/=_]{39,}")
"""Secret keys of AWS have 40 such characters, session tokens hundreds; a path begins with a slash, or has a dot or a dash soon."""
_SECRET_VARIABLE = re.compile(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY|WEBHOOK|CREDENTIAL")
LEAST_SECRET = 6
"""Characters from which on the value of a secret variable is looked for: shorter ones stand in every text."""


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """A text for strangers: without AWS key ids and what looks like AWS's secrets, paths and users of
    addresses, values that are named as secrets, and those of secret variables."""
    variables = os.environ if environment is None else environment
    for name, value in variables.items():
        if _SECRET_VARIABLE.search(name.upper()) and len(value) >= LEAST_SECRET:
            text = text.replace(value, "(hidden)")
    text = _ADDRESS.sub(r"\1\2/(hidden)", text)
    text = _SIGNED_IN.sub(r"\1(hidden)@", text)
    text = _NAMED_SECRET.sub(r"\1(hidden)", text)
    text = _KEY_ID.sub("(hidden)", text)
    return _RANDOM.sub(lambda found: "(hidden)" if _mixed(found[0]) else found[0], text)


def _mixed(text: str) -> bool:
    """Whether it has capitals, small letters and digits: digests and words do not."""
    return all(any(map(kind, text)) for kind in (str.isupper, str.islower, str.isdigit))


def write_crash_report(error: BaseException, folder: Path) -> Path:
    """Write a report of an unexpected error: versions and the stack, never values of variables, and messages without secrets.

    Returns:
        Its path, readable by its owner only.
    """
    import platform
    from importlib.metadata import version

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    text = (
        f"mlconsole {version('mlconsole')}, textual {version('textual')}, Python {platform.python_version()}, {platform.platform()}\n"
        f"TERM={os.environ.get('TERM', '')} tmux={'yes' if os.environ.get('TMUX') else 'no'} "
        f"ssh={'yes' if os.environ.get('SSH_CONNECTION') else 'no'}\n\n{without_secrets(stack)}"
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"
"""Put the window's title on the terminal's own stack, and take it from there (xterm, XTWINOPS)."""


def title_sequence(text: str) -> str:
    """The OSC 2 sequence that names the terminal's window; tmux and screen show it as the name of the pane."""
    return f"\x1b]2;{_harmless(text)}\x07"


def notification_sequence(text: str, environment: dict[str, str] | None = None) -> str:
    """The OSC 9 sequence by which a terminal shows a notification of the desktop, wrapped for tmux; others ignore it."""
    variables = os.environ if environment is None else environment
    plain = f"\x1b]9;{_harmless(text)}\x07"
    if variables.get("TMUX"):
        return "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return plain if not variables.get("TERM", "").startswith("screen") else ""


def _harmless(text: str) -> str:
    """The text without what would end the sequence or begin another one."""
    return "".join(letter for letter in text if letter.isprintable())[:200]


def interactive() -> bool:
    """Whether a person sits at both ends, keyboard and screen, and the screen can be drawn on."""
    try:
        return (
            os.environ.get("TERM") != "dumb"
            and sys.__stdin__ is not None
            and sys.__stdin__.isatty()
            and sys.__stdout__ is not None
            and sys.__stdout__.isatty()
        )
    except ValueError:
        return False
