"""Waiting until the console has come to rest, however long the machine takes for it: for what it shows, not for a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot

DEADLINE = 120.0


async def settle(pilot: Pilot[Any], *, timers: bool = True) -> None:
    """Wait until nothing is going on any more that can change the screen; a failure names what never ended.

    ``timers`` waits also for what a widget does after a while: the preview of the row on which the cursor rests.
    """
    deadline = time.monotonic() + DEADLINE
    quiet = 0
    while quiet < 2:  # what a thread has posted is in a queue only after a turn of the loop
        await pilot._wait_for_screen(DEADLINE)
        await asyncio.sleep(0)
        found = next(_going_on(pilot.app, timers), "")
        quiet = 0 if found else quiet + 1
        assert time.monotonic() < deadline, f"the screen never came to rest: {found}"
        if found:
            await asyncio.sleep(0.002)


def _going_on(app: App[Any], timers: bool) -> Iterator[str]:
    """What is going on. Timers of the application are not looked at: they only take messages out of the key line."""
    for thread in threading.enumerate():
        if thread.name == "console-work":
            yield "work in a thread"
    services = app.services  # type: ignore[attr-defined]
    for run, told in services.followed.items():
        if told < len(services.events.get(run, ())):
            yield f"events of {run}"
    for worker in app.workers:
        if not worker.is_finished:
            yield f"worker {worker}"
    if app.animator._animations or app.animator._scheduled:
        yield "an animation"
    screen = app.screen
    if screen._callbacks or screen._dirty_widgets or screen._layout_widgets:
        yield f"a refresh of {screen}"
    for widget in screen.walk_children(with_self=True):
        if not widget.is_mounted:
            yield f"{widget} that is not mounted"
        if widget._layout_required or widget._repaint_required or widget._scroll_required:
            yield f"a refresh of {widget}"
        for timer in list(widget._timers) if timers else ():
            if timer._repeat == 0 and timer._task is not None and not timer._task.done():
                yield f"{timer} of {widget}"
    for below in app.screen_stack:  # what is covered is not drawn, but takes messages
        for widget in below.walk_children(with_self=True):
            if _has_messages(widget):
                yield f"a message to {widget}"
    if _has_messages(app):
        yield "a message to the application"


def _has_messages(pump: MessagePump) -> bool:
    return bool(pump.message_queue_size or pump._next_callbacks or pump._pending_message)
