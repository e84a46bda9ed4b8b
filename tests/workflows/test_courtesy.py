"""Long computations wait for a key, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from workflows import courtesy


@pytest.fixture(autouse=True)
def no_key() -> Iterator[None]:
    courtesy.end()
    yield
    courtesy.end()


def test_without_a_key_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "sleep", lambda _: pytest.fail("it waited"))
    assert list(courtesy.in_turns(range(1_000))) == list(range(1_000))
    courtesy.begin()
    courtesy.end()
    courtesy.give_way()


def test_a_computation_goes_on_when_the_key_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "LONGEST", 60.0)
    courtesy.begin()
    read: list[int] = []
    thread = threading.Thread(target=lambda: read.extend(courtesy.in_turns(range(1_000))), daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive() and not read
    courtesy.end()
    thread.join(10.0)
    assert read == list(range(1_000))


def test_a_key_that_draws_nothing_holds_nobody_up() -> None:
    begin = monotonic()
    courtesy.begin()
    courtesy.give_way()
    assert monotonic() - begin >= courtesy.LONGEST * 0.9
    held = threading.Event()

    def leaning() -> None:
        while not held.wait(0.005):
            courtesy.begin()

    thread = threading.Thread(target=leaning, daemon=True)
    thread.start()
    courtesy.give_way()  # it returns although a key is held down and nothing is ever drawn
    held.set()
    thread.join()
