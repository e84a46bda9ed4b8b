"""Records what a program shows on the terminal, while a person uses it as ever."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence

from console.pseudoterminal import PseudoTerminal
from console.recording.cast import INPUT, OUTPUT, RESIZE, Event, Writer
from console.recording.keeper import raw_terminal
from console.recording.signals import wakening

CHUNK = 1 << 16
LOOK = 1.0
"""Seconds of silence after which it is looked whether the program still is there."""


def record(
    command: Sequence[str], environment: Mapping[str, str], writer: Writer, *, keys: bool = False
) -> int:
    """Run a command on a pseudo-terminal within this one, and write down its output, its sizes, and with ``keys`` what is typed.

    Returns:
        Its exit status as a shell tells it; 128 and the number of the signal that ended the recording.

    Raises:
        OSError: The command cannot be started.
    """
    with wakening(signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP) as waker, raw_terminal(0) as modes:
        size = os.get_terminal_size(0)
        terminal = PseudoTerminal(command, environment, (size.columns, size.lines), modes=modes)
        try:
            return _Session(terminal, writer, waker, keys=keys).run()
        finally:
            terminal.close()


class _Session:
    def __init__(self, terminal: PseudoTerminal, writer: Writer, waker: int, *, keys: bool) -> None:
        self._terminal, self._writer, self._waker, self._keys = terminal, writer, waker, keys
        self._begun = time.monotonic()
        decoder = codecs.getincrementaldecoder("utf-8")
        self._shown, self._typed = decoder("replace"), decoder("replace")

    def run(self) -> int:
        """Carry bytes both ways until the program ends or a signal asks."""
        master = self._terminal.descriptor
        poller = select.poll()
        for descriptor in (0, master, self._waker):
            poller.register(descriptor, select.POLLIN)
        while True:
            ready = poller.poll(int(LOOK * 1000))
            if (
                not ready and self._terminal.ended()
            ):  # something that it has left behind keeps the terminal open
                return self._status()
            for descriptor, _ in ready:
                if descriptor == self._waker:
                    number = self._signalled()
                    if number:
                        return 128 + number
                elif descriptor == master:
                    if not self._output(master):
                        return self._status()
                elif not self._input(master):
                    return 128 + signal.SIGHUP

    def _output(self, master: int) -> bool:
        try:
            data = os.read(master, CHUNK)
        except OSError:  # the program has ended
            return False
        _write_all(1, data)
        self._note(OUTPUT, self._shown.decode(data))
        return bool(data)

    def _input(self, master: int) -> bool:
        try:
            data = os.read(0, CHUNK)
        except OSError:
            return False
        if data:
            with contextlib.suppress(OSError):
                _write_all(master, data)
            if self._keys:
                self._note(INPUT, self._typed.decode(data))
        return bool(data)

    def _signalled(self) -> int:
        """Take what signals have come; the number of one that ends the recording, or 0."""
        numbers = os.read(self._waker, 256)
        if signal.SIGWINCH in numbers:
            size = os.get_terminal_size(0)
            self._terminal.resize(size.columns, size.lines)
            self._note(RESIZE, f"{size.columns}x{size.lines}")
        return next((number for number in numbers if number in (signal.SIGTERM, signal.SIGHUP)), 0)

    def _note(self, code: str, data: str) -> None:
        if data:
            self._writer.write(Event(time.monotonic() - self._begun, code, data))

    def _status(self) -> int:
        deadline = time.monotonic() + 5.0
        while not self._terminal.ended() and time.monotonic() < deadline:
            time.sleep(0.005)
        self._terminal.kill()
        status = self._terminal.status or 0
        return status if status >= 0 else 128 - status


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
