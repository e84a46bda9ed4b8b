"""The process of the console: its terminal, its signals, its memory, and how it ends."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from console import terminal
from console.app import SLOW_TICK, Console, make_app
from console.memory import Memory
from console.services import Services
from workflows import courtesy

if TYPE_CHECKING:
    from workflows.configuration import Configuration


def run(application: Console, crash_folder: Path, *, again: bool = False) -> int:
    """Run until the person leaves; returns the exit status. The terminal is restored whatever happens.

    ``again``: it follows another one in this process, which has made the arrangements that last."""
    if not terminal.interactive():
        print("mlconsole needs a terminal to draw on. `mlconsole --help` lists the commands that print text.")
        return 2
    if os.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    for name in ("COLUMNS", "LINES"):  # exported, they would freeze the size of the screen
        os.environ.pop(name, None)
    if not again:
        terminal.remember_terminal()
        terminal.leave_on_hangup(0)
    signalled: list[int] = []

    def leave(number: int) -> None:
        signalled.append(number)
        with contextlib.suppress(RuntimeError):
            application.leave_soon()

    terminal.restore_on_signals(leave)
    if again:
        terminal.forget_driver()
        gc.unfreeze()
        forget_pictures()
        gc.collect()  # the console before this one: 15 MB
    # A full collection goes through all that is known of thousands of jobs: a tenth of a second between a key and its picture.
    gc.freeze()
    gc.enable()
    gc.set_threshold(5_000, 10, 50)
    sys.setswitchinterval(courtesy.INTERVAL)
    mouse = os.environ.get("MLCONSOLE_MOUSE", "on") != "off"
    error: BaseException | None = None
    try:
        application.run(mouse=mouse)
        error = application.crash
    except Exception as unexpected:
        error = unexpected
        terminal.give_back_terminal()
    if application.titled:
        print(terminal.GIVE_TITLE_BACK, end="", flush=True)
    if error is not None:
        application.forget_last_place()
        path = terminal.write_crash_report(error, crash_folder)
        print(f"mlconsole ended on an unexpected error: {type(error).__name__}. Runs and jobs go on.")
        print(f"The report is in {path}; please send it with what you did last.")
        return 1
    if signalled:
        return 128 + signalled[0]
    return int(application.return_value or 0)


def forget_pictures() -> None:
    """Let go what Textual keeps of the widgets of all applications before: a cache of 1,024 colours has in its keys the widgets' own caches, and
    with them every line that they have drawn. 46 of them, 2.7 MB, stayed of each console, up to 60 MB."""
    from textual._styles_cache import StylesCache

    StylesCache.get_inner_outer.cache_clear()


def main(
    configuration: Configuration | None = None,
    *,
    read_only: bool = False,
    low_bandwidth: bool = False,
    first_run: str = "",
) -> NoReturn:
    """Open the console on a configuration's target, at a run if one is named, and end the process with its status.

    The interpreter is not taken down in order: that takes up to a second with an AWS client loaded and its calls in
    flight, and everything that has to be kept is written by then.
    """
    from console.live import LiveServices
    from workflows import locations
    from workflows.configuration import load

    grain = SLOW_TICK if low_bandwidth else 0.0  # what comes in redraws durations, too
    going: Services | None = LiveServices(configuration or load(), read_only=read_only, grain=grain)
    memory = Memory(locations.memory_file())
    begun = False
    while going is not None:
        application = make_app(
            going,
            first_run="" if begun else first_run,
            low_bandwidth=low_bandwidth,
            memory=memory,
            keymap_file=locations.keymap_file(),
            themes_dir=locations.themes_dir(),
        )
        status = run(application, locations.state_dir() / "crashes", again=begun)
        begun, going = True, application.moving_to
    memory.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
