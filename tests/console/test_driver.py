"""The input thread of the terminal: what it makes of keys, and that it sleeps between them."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from console import driver
from console.painting import Painting
from workflows import courtesy


class Hand(driver.Driver):
    """The driver on a pseudo-terminal without an application: it keeps what it would have sent to one."""

    def __init__(self, descriptor: int) -> None:
        self._debug = False
        self.fileno = descriptor
        self.exit_event = driver.Bell()
        self.got: list[Any] = []

    def process_message(self, message: Any) -> None:
        self.got.append(message)

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.got if isinstance(message, events.Key)]


@pytest.fixture
def hand() -> Iterator[tuple[Hand, int, threading.Thread]]:
    far, near = pty.openpty()
    found = Hand(near)
    os.set_blocking(near, True)
    import tty

    tty.setraw(near)
    thread = threading.Thread(target=found.run_input_thread, daemon=True)
    thread.start()
    yield found, far, thread
    found.exit_event.set()
    thread.join(20)
    assert not thread.is_alive(), "leaving wakes it"
    found.exit_event.close()
    for descriptor in (far, near):
        os.close(descriptor)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_keys_escape_and_bytes_that_are_not_utf8(hand: tuple[Hand, int, threading.Thread]) -> None:
    found, far, _ = hand
    os.write(far, b"a")
    until(lambda: found.keys == ["a"])
    os.write(far, b"\x1b[A")
    until(lambda: found.keys == ["a", "up"])
    os.write(far, b"\x1b")
    until(lambda: found.keys == ["a", "up", "escape"])
    os.write(far, b"\xff\xfez")
    until(lambda: found.keys[-1:] == ["z"])
    os.write(far, "é".encode()[:1])
    os.write(far, "é".encode()[1:] + b"\x1b[200~two words\x1b[201~")
    until(lambda: any(isinstance(message, events.Paste) for message in found.got))
    assert "é" in [message.character for message in found.got if isinstance(message, events.Key)]


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        (["\x1b:jobs\r"], ["alt+colon", "j", "o", "b", "s", "enter"]),
        (["\x1b3", "\x1bX"], ["alt+3", "alt+shift+x"]),
        (["\x1b\r", "\x1b\x7f"], ["alt+enter", "alt+backspace"]),
        (["\x1b\x1bx"], ["escape", "alt+x"]),
        (["\x1b[A", "\x1bOP", "\x1b\t"], ["up", "f1", "shift+tab"]),
        (["\x1b[200~a\x1bd\x1b[A \x1b", "[201~y"], ["paste ad[A ", "y"]),
        (["\x1b[20", "0~d\x1b[200~x\x1b[2", "01~y"], ["paste d[200~x", "y"]),
        (["\x1b[200~\x1b" + "x" * 50 + "\x1b[201~"], ["paste " + "x" * 50]),
    ],
)
def test_no_escape_is_lost_and_no_paste_types(parts: list[str], keys: list[str]) -> None:
    parser = driver.Keys()
    found = [event for part in parts for event in parser.feed(part)]
    assert [event.key if isinstance(event, events.Key) else f"paste {event.text}" for event in found] == keys


def test_it_sleeps_between_keys(
    hand: tuple[Hand, int, threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, far, _ = hand
    waits: list[float | None] = []
    waiting = select.select

    def counted(*arguments: Any) -> Any:
        waits.append(arguments[3])
        return waiting(*arguments)

    monkeypatch.setattr(select, "select", counted)
    os.write(far, b"a")
    until(lambda: found.keys == ["a"])
    until(lambda: waits and waits[-1] is None)
    time.sleep(0.3)
    assert len(waits) <= 3 and waits[-1] is None, "after a key it looks once more, then it waits for the next"


def test_a_bell_is_readable_while_it_is_set() -> None:
    bell = driver.Bell()
    try:
        assert not select.select([bell], [], [], 0)[0]
        bell.set()
        bell.set()
        assert bell.is_set() and select.select([bell], [], [], 0)[0]
        bell.clear()
        bell.clear()
        assert not bell.is_set() and not select.select([bell], [], [], 0)[0]
    finally:
        bell.close()
    bell.set()
    assert bell.is_set(), "an event it stays"
    bell.close()


def test_computations_wait_from_a_key_until_it_is_drawn(
    hand: tuple[Hand, int, threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, far, _ = hand
    monkeypatch.setattr(courtesy, "LONGEST", 60.0)
    done = threading.Event()
    computing = threading.Thread(target=lambda: (courtesy.give_way(), done.set()), daemon=True)
    os.write(far, b"a")
    until(lambda: found.keys == ["a"])
    computing.start()
    assert not done.wait(0.1)
    asyncio.run(painted())
    assert done.wait(20)


async def painted() -> None:
    """A screen is drawn once."""

    class Host(Painting):
        def compose(self) -> ComposeResult:
            yield Static("drawn")

    async with Host().run_test() as pilot:
        await pilot.pause()
