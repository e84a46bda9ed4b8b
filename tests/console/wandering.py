"""Walks over the console that nobody has thought of: keys, clicks, sizes and data by chance, and what has to hold after each step.

A walk is a list of steps that are made of a seed alone and not of what the screen shows: so a part of a walk can be walked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from textual import events
from textual.geometry import Offset
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot
from textual.screen import ModalScreen

from console.actions import ACTIONS
from console.app import Console
from console.screens.dialogs import ChoiceScreen
from console.widgets.rows import Rows
from tests.console import endpoint_data, lesson_data, rollout_data, run_data
from tests.console.changing import NASTY, changed, flood
from tests.console.scripted import Scripted, populated, publish_experiments
from tests.console.upholding import Broken, Step, Walk, see
from workflows import topics
from workflows.problem import Problem

DEAD = 20.0
"""Seconds after which a key that waits is dead, on a machine that does other things too."""
SIZES = ((80, 24), (120, 40), (220, 70), (10, 4), (37, 13), (60, 20), (100, 30), (160, 45), (20, 8), (1, 1))
LEAVING = {"q", "ctrl+q", "ctrl+c", "ctrl+z"}
"""Keys that end a walk: each has tests of its own."""
COMMANDS = (
    "jobs", "jobs failed", "endpoints", "endpoints moons", "studies", "studies moons", "studies plagiarism", "tuning", "costs", "lessons", "lessons 1",
    "lessons 3", "ab", "ab spam", "audit", "targets", "targets prod", "s3 s3://", "s3 my-bucket/moons/", "help", "job moons-high-20270115-075812-41c2",
    "job plagiarism-sklearn-20270115-071530-77aa", "job nothing-of-this-name", "endpoint moons-ab-20270115-074500",
    "endpoint plagiarism-20270115-075900", "endpoint nothing", "tuning-job boston-xgb-0114", "run moons-20270115-075825-1f3a",
    "run moons-20270115-074355-c0de", "run moons-20270114-180210-77b1", f"run {lesson_data.TAKEN}", "run nothing", "model nothing", "alarm x",
    "endpoint-config moons-ab-20270115-074500-config", "test spam", "sort name desc", "sort", "view save one", "view one", "view default",
    "view delete one", "theme light", "theme contrast", "theme plain", "theme ansi-dark", "theme dark", "picture", "export csv", "export json",
    "target aws", "region eu-west-1", "profile prod", "later", "earlier", "describe", "related", "code", "watch", "pause", "refresh", "log",
    "filter -f mn", "filter [", "sort status asc", "columns", "transform moons-batch", "repaint",
)  # fmt: skip
TRIPS: tuple[tuple[str, ...], ...] = (
    ("2", "enter"), ("2", "down", "down", "enter", "tab"), ("3", "enter"), ("3", "enter", "tab", "tab"), ("3", "a"), ("3", "a", "enter"), ("3", "enter", "s"),
    ("3", "enter", "t"), ("3", "enter", "D"), ("3", "enter", "o"), ("3", "enter", "a"), ("3", "enter", "i"), ("4", "enter"), ("4", "end", "enter"),
    ("5", "enter"), ("5", "enter", "tab"), ("5", "enter", "tab", "tab"), ("5", "enter", "e"), ("5", "enter", "w"), ("6", "tab"), ("6", "tab", "a", "d"), ("7", "enter"),
    ("2", "J"), ("2", "R"), ("2", "Y"), ("2", "t"), ("2", "b"), ("2", "x"), ("3", "d"), ("5", "d"), ("2", "space", "down", "down", "space", "equals_sign"),
    ("4", "end", "space", "up", "space", "d"), ("C",), ("E",), ("apostrophe", "a"), ("apostrophe",), ("slash",), ("question_mark",), ("colon",), ("escape", "escape", "escape"),
)  # fmt: skip


def account(**options: Any) -> Scripted:
    """An account with something of everything."""
    services = populated(batch=True, **options)
    lesson_data.attended(services)
    publish_experiments(services)
    services.publish(topics.REPLAYS, (endpoint_data.replay(),))
    services.publish(topics.rollout(rollout_data.NAME), rollout_data.baking())
    run = "moons-20270115-074355-c0de"
    services.events[run] = run_data.events(run, services.events[run])
    return services


# Steps


def steps(seed: int, count: int, *, nasty: bool = True) -> list[Step]:
    """A walk."""
    chance = random.Random(seed)
    bound = sorted({key for action in ACTIONS for key in action.keys.split(",") if key} - LEAVING)
    other = [
        *"abcdefghijklmnoprstuvwxyzABCXYZ0123456789",
        "é",
        "ß",
        "日",
        "enter",
        "escape",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
    ]
    other += [
        "pageup",
        "pagedown",
        "home",
        "end",
        "backspace",
        "delete",
        "ctrl+k",
        "ctrl+u",
        "ctrl+w",
        "ctrl+s",
        "f2",
        "space",
        "alt+x",
        "ctrl+a",
        "ctrl+e",
    ]
    moving = [
        "enter",
        "enter",
        "escape",
        "tab",
        "tab",
        "down",
        "up",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "left",
        "right",
    ]
    found: list[Step] = []
    for _ in range(count):
        kind = chance.choices(
            ("bound", "other", "moving", "trip", "command", "click", "wheel", "size", "paste", "data", "fault", "flood", "time", "sections"),
            (20, 8, 20, 8, 6, 8, 3, 3, 1.5, 7, 2, 2, 1, 1),
        )[0]  # fmt: skip
        if kind == "bound":
            found.append(("keys", *chance.choices(bound, k=chance.choice((1, 1, 2, 3)))))
        elif kind == "other":
            found.append(("keys", *chance.choices(other, k=chance.choice((1, 1, 2, 5)))))
        elif kind == "moving":
            found.append(("keys", *chance.choices(moving, k=chance.choice((1, 1, 2)))))
        elif kind == "trip":
            found.append(("keys", "escape", "escape", *chance.choice(TRIPS)))
        elif kind == "command":
            found.append(("command", chance.choice(COMMANDS), chance.random() < 0.85))
        elif kind == "click":
            found.append(("click", chance.random(), chance.random(), chance.choice((1, 1, 2))))
        elif kind == "wheel":
            found.append(
                ("wheel", chance.random(), chance.random(), chance.choice((-1, 1)), chance.choice((1, 3, 20)))
            )
        elif kind == "size":
            width, height = chance.choice(SIZES)
            if chance.random() < 0.4:
                width, height = chance.randint(10, 220), chance.randint(4, 70)
            found.append(("size", width, height))
        elif kind == "paste":
            found.append(("paste", chance.choice(NASTY)))
        elif kind == "data":
            found.append(("data", chance.randrange(1 << 30), nasty and chance.random() < 0.6))
        elif kind == "fault":
            found.append(
                ("fault", chance.choice(("", "", "hang", "fail", "lost", "throttled", "errors", "denied")))
            )
        elif kind == "flood":
            found.append(("flood", chance.randrange(1 << 30), chance.choice((1, 30, 3000, 20_000))))
        elif kind == "time":
            found.append(("time", chance.choice((0.1, 1.0, 60.0, 90_000.0, -30.0))))
        else:
            found.append(("sections",))
    return found


# Walking


def make(services: Scripted) -> Walk:
    """A walk on these services; its application is to be run."""
    app = Console(services, theme_name="mlconsole-dark")
    return Walk(app, services, {topic: snapshot.value for topic, snapshot in services.values.items()})


@contextlib.contextmanager
def confirmations(walk: Walk) -> Iterator[None]:
    """Note which questions are answered, and how."""
    dismiss = ChoiceScreen.dismiss

    def noted(self: ChoiceScreen, result: Any = None) -> Any:
        if result is not None:
            if self._typed and result in self._needs_typing and self._blocked(result):
                raise Broken(f"{result} without typing {self._typed}")
            walk.confirmed.append((" ".join([self._title, *self._sentences, *self.listed]), result))
        return dismiss(self, result)

    ChoiceScreen.dismiss = noted  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ChoiceScreen.dismiss = dismiss  # type: ignore[method-assign]


async def take(walk: Walk, pilot: Pilot[Any], step: Step) -> None:
    """Do a step."""
    app, services = walk.app, walk.services
    walk.trace.append(step)
    kind, *about = step
    if kind == "keys":
        await press(walk, pilot, *about)
    elif kind == "command":
        await press(walk, pilot, "colon")
        await rest(walk, pilot)
        app.post_message(events.Paste(about[0]))
        await rest(walk, pilot)
        if about[1]:
            await press(walk, pilot, "enter")
    elif kind in ("click", "wheel"):
        x, y = int(about[0] * app.size.width), int(about[1] * app.size.height)
        if kind == "click":
            for chain in range(about[2]):
                for sort in (events.MouseDown, events.MouseUp, events.Click):
                    mouse(app, sort, x, y, **({"chain": chain + 1} if sort is events.Click else {}))
                    await rest(walk, pilot)
        else:
            for _ in range(about[3]):
                mouse(app, events.MouseScrollDown if about[2] > 0 else events.MouseScrollUp, x, y)
    elif kind == "size":
        await pilot.resize_terminal(*about)
    elif kind == "paste":
        app.post_message(events.Paste(about[0]))
    elif kind == "data":
        chance = random.Random(about[0])
        before = cursors(app)
        idle = not walk.hanging
        changed(chance, services, walk.originals, about[1])
        await rest(walk, pilot)
        if idle:
            check_cursors(app, before)
    elif kind == "flood":
        flood(random.Random(about[0]), services, about[1])
    elif kind == "time":
        services.time = max(0.0, services.time + about[0])
        app._tick()
    elif kind == "fault":
        fault(walk, about[0])
    elif kind == "sections":
        await back(walk, pilot)
    await rest(walk, pilot)


async def press(walk: Walk, pilot: Pilot[Any], *keys: str) -> None:
    """Send keys as the terminal does, all at once."""
    app = walk.app
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        try:
            letter: str | None = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
        except KeyError:
            letter = key if len(key) == 1 else None
        assert app._driver is not None
        app._driver.send_message(events.Key(name, letter))
    await rest(walk, pilot)


def mouse(app: Console, sort: type[events.MouseEvent], x: int, y: int, **more: Any) -> None:
    screen = app.screen
    app.mouse_position = Offset(x, y)
    places = {
        "x": x,
        "y": y,
        "delta_x": 0,
        "delta_y": 0,
        "button": 1,
        "shift": False,
        "meta": False,
        "ctrl": False,
    }
    screen._forward_event(sort(widget=screen, screen_x=x, screen_y=y, **places, **more))


async def rest(walk: Walk, pilot: Pilot[Any]) -> None:
    """Wait until the messages that are there now are done, and no key waits."""
    app = walk.app
    deadline = time.monotonic() + DEAD
    while True:
        for _ in range(2):
            await asyncio.sleep(0)
            await pilot._wait_for_screen()
        if app._exception is not None or app._exit or not app.key_waits:
            break
        if time.monotonic() > deadline:
            raise Broken(f"a key waits for {app._at!r} on {app.screen!r}; {app._held}, {app._waiting}")
        await asyncio.sleep(0.01)
    if app._exception is None and not app._exit:
        app.screen._on_timer_update()


def fault(walk: Walk, what: str) -> None:
    """The backend behaves so from now on."""
    services = walk.services
    services.hang.clear()
    services.fail = None
    walk.hanging = what == "hang"
    services.tell(backend="ok")
    if what == "hang":
        services.hangs()
    elif what == "fail":
        services.fail = Problem(
            "AWS answers with an error: " + NASTY[7], "Try again, or not.", "InternalFailure"
        )
    elif what == "lost":
        services.tell(backend="lost")
    elif what == "throttled":
        services.tell(backend="throttled", throttles=7)
    elif what in ("errors", "denied"):
        problem = Problem(
            "User x is not authorized to perform: y. [bold]" + "long " * 40, "Ask.", "AccessDeniedException"
        )
        for topic in list(services.values):
            services.publish_error(topic, problem)


def cursors(app: Console) -> list[tuple[Rows[Any], Any]]:
    screen = app.screen
    return [
        (rows, rows.cursor_key) for rows in screen.query(Rows) if rows.display and rows.cursor_key is not None
    ]


def check_cursors(app: Console, before: Sequence[tuple[Rows[Any], Any]]) -> None:
    for rows, key in before:
        if (
            rows.is_attached
            and rows in app.screen.query(Rows)
            and key in rows.keys
            and rows.cursor_key != key
        ):
            raise Broken(f"the cursor of {rows!r} went from {key!r} to {rows.cursor_key!r}")


async def back(walk: Walk, pilot: Pilot[Any]) -> None:
    """Esc, as often as it takes, leads to a section."""
    app = walk.app
    for _ in range(25):
        if (
            len(app.screen_stack) == 1
            and not isinstance(app.screen, ModalScreen)
            and app.current_mode == "home"
        ):
            break
        await press(walk, pilot, "escape")
        await rest(walk, pilot)
        await look(walk, pilot)
    else:
        raise Broken(f"Esc does not leave {app.screen!r} of {app.screen_stack}, focus {app.focused!r}")
    for digit, mode in zip(
        "1234567", ("home", "jobs", "endpoints", "studies", "tuning", "costs", "lessons"), strict=True
    ):
        deadline = time.monotonic() + DEAD
        while app.current_mode != mode:
            if time.monotonic() > deadline:
                raise Broken(f"{digit} does not lead to {mode} but to {app.current_mode}, {app.screen!r}")
            # once more where an error that was told meanwhile has taken the key
            await press(walk, pilot, "escape", digit)
        await rest(walk, pilot)
        await look(walk, pilot)


async def look(walk: Walk, pilot: Pilot[Any]) -> None:
    """Everything that has to hold once the screen has come to rest."""
    deadline = time.monotonic() + 4
    while True:
        try:
            see(walk)
            return
        except Broken:
            if time.monotonic() > deadline or walk.app._exception is not None:
                raise
            await asyncio.sleep(0.05)
            await rest(walk, pilot)


async def wander(walk: Walk, path: Sequence[Step], told: Callable[[Step], None] = lambda step: None) -> None:
    """Take all steps, and look after each."""
    with confirmations(walk):
        async with walk.app.run_test(size=(80, 24)) as pilot:
            await rest(walk, pilot)
            try:
                for step in path:
                    told(step)
                    await take(walk, pilot, step)
                    if walk.app.moving_to is not None or (step[0] == "click" and walk.app._exit):
                        return  # to another target, or by a click on the key that quits
                    await look(walk, pilot)
                fault(walk, "")
                await back(walk, pilot)
            finally:
                walk.services.hang.clear()
