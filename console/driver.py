"""Textual's terminal driver with an input thread that sleeps until there is input, and that takes over a screen begun by `console.curtain`."""

from __future__ import annotations

import codecs
import os
import re
import select
import threading
from collections.abc import Iterable

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from console import curtain, terminal
from workflows import courtesy

_ALTERNATE = "\x1b[?1049h"
_MOST = 4096
"""Bytes that are read at once."""
_INTRODUCERS = "\x1b\t[O"
"""What may follow Escape as the second character of a key: Escape again, some terminals' Shift+Tab, CSI and SS3."""
_PASTE = "\x1b[200~"
_PASTE_MARK = re.compile(r"\x1b\[20[01]~")
_ESCAPE_IN_PASTE = re.compile(r"\x1b(?!\[?\Z|\[20?1?\Z)")
"""None at the end of what has been read so far, which may begin the end of the paste."""


class Keys(XTermParser):
    """The parser, which does not lose an Escape that has a key right behind it.

    Textual takes the two for the beginning of a sequence that it does not know, goes on reading, and in the end types ``^`` and the
    rest as text, or makes ``£`` of Escape and 3. Here they are Alt with the key at once; `console.keyorder` knows which it is.
    For the same reason what follows an Escape in a pasted text would be typed, up to 32 keys of it: such an Escape is left out.
    """

    _pasting = False
    _before = ""
    """The last characters that were read, among which a mark may have begun."""

    def feed(self, data: str) -> Iterable[Message]:
        """What some characters from the terminal are."""
        seen, done, parts = self._before + data, len(self._before), []
        for mark in _PASTE_MARK.finditer(seen):
            if (mark[0] == _PASTE) != self._pasting:
                parts += [
                    self._cleaned(seen[done : mark.start()]),
                    seen[max(done, mark.start()) : mark.end()],
                ]
                self._pasting, done = not self._pasting, mark.end()
        parts.append(self._cleaned(seen[done:]))
        self._before = seen[1 - len(_PASTE) :]
        return super().feed("".join(parts))

    def _cleaned(self, text: str) -> str:
        return _ESCAPE_IN_PASTE.sub("", text) if self._pasting else text

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt or (len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1] not in _INTRODUCERS):
            for event in super()._sequence_to_key_events(sequence[-1]):
                key = (
                    f"shift+{event.key.lower()}" if len(event.key) == 1 and event.key.isupper() else event.key
                )
                yield events.Key(f"alt+{key}", event.character or sequence[-1])
        else:
            yield from super()._sequence_to_key_events(sequence)


class Bell(threading.Event):
    """An event that a thread can wait for together with a file: its descriptor is readable while it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._out, self._in = os.pipe()
        self.closed = False

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._out

    def set(self) -> None:
        """Set the event and wake who waits for the descriptor."""
        if not self.is_set():
            super().set()
            if not self.closed:
                os.write(self._in, b"\0")

    def clear(self) -> None:
        """Take the event back."""
        if self.is_set():
            if not self.closed:
                os.read(self._out, 64)  # two may have set it at once
            super().clear()

    def close(self) -> None:
        """Give the descriptors back; nobody waits any more."""
        if not self.closed:
            self.closed = True
            os.close(self._out)
            os.close(self._in)


class Driver(LinuxDriver):
    """The driver of a Unix terminal.

    Textual's own input thread wakes ten times a second for as long as the program runs, half of what the console uses at
    rest (0.16 % of a core), and leaving waits for its next turn.
    """

    exit_event: Bell

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.exit_event = Bell()

    def write(self, data: str) -> None:
        """Write to the terminal; the alternate screen is not entered a second time where that has been done."""
        if data == _ALTERNATE and curtain.dropped():
            return
        super().write(data)

    def start_application_mode(self) -> None:
        """Take the terminal. What is restored at the end is what the terminal was before `console.curtain`."""
        begun = curtain.dropped()
        if self.exit_event.closed:  # after a suspension
            self.exit_event = Bell()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if begun:
            self.attrs_before = terminal.remembered() or self.attrs_before
            curtain.taken()

    def close(self) -> None:
        """End the writing thread."""
        super().close()
        self.exit_event.close()

    def run_input_thread(self) -> None:
        """Read keys until the driver is left.

        After input the parser may wait for the rest of a sequence: it is asked once more when that is overdue (`ESCDELAY`), by
        then it has decided. Bytes that are not UTF-8 are replaced: after a tmux re-attach the mouse may fall back to X10
        reports, whose coordinates are raw bytes (textual#6668).
        """
        parser = Keys(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        keyboard, bell = self.fileno, self.exit_event
        wait: float | None = None
        try:
            while not bell.is_set():
                ready = select.select([keyboard, bell], [], [], wait)[0]
                wait = None
                if keyboard in ready:
                    data = os.read(keyboard, _MOST)
                    if not data:
                        return  # the terminal is gone: `terminal.leave_on_hangup` ends the process
                    courtesy.begin()
                    if text := decode(
                        data
                    ):  # nothing yet of a letter that comes in parts; an empty text would end the parser
                        for event in parser.feed(text):
                            self.process_message(event)
                    wait = constants.ESCAPE_DELAY + 0.001
                for event in parser.tick():
                    self.process_message(event)
        finally:
            if not parser.is_eof:
                for _ in parser.feed(""):
                    pass
