"""The Textual application: modes, header data, background work, quitting. Screens are in `console.screens`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from textual import events, on
from textual.binding import BindingType
from textual.keys import key_to_character
from textual.screen import ModalScreen

from console import actions, terminal, theme
from console import keymap as keymaps
from console.header import freshness
from console.keymap import Keymap
from console.memory import Memory
from console.messages import FilesChanged, StatusArrived, WorkFinished
from console.screens.costs import CostsScreen
from console.screens.endpoints import EndpointsScreen
from console.screens.home import HomeScreen
from console.screens.jobs import JobsScreen
from console.screens.studies import StudiesScreen
from console.screens.tuning import TuningScreen
from console.services import Services
from console.travelling import Travelling
from console.view import View
from console.watching import Watcher
from console.widgets.drawing import Run
from workflows.explain import explain
from workflows.problem import Problem
from workflows.topics import HubStatus, Snapshot, Topic

if TYPE_CHECKING:
    from workflows.configuration import Configuration

FLASH_SECONDS = 5.0
SLOW_TICK = 5.0
"""Seconds between two drawings of ages and durations on a slow line."""


class Console(Travelling, inherit_bindings=False):
    """The console. It opens at once: observing begins after the first paint."""

    TITLE = "mlconsole"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("app"))
    MODES: ClassVar[dict[str, Any]] = {
        "home": HomeScreen,
        "jobs": JobsScreen,
        "endpoints": EndpointsScreen,
        "studies": StudiesScreen,
        "tuning": TuningScreen,
        "costs": CostsScreen,
    }
    DEFAULT_MODE = "home"

    def __init__(
        self,
        services: Services,
        *,
        theme_name: str = "",
        first_run: str = "",
        low_bandwidth: bool = False,
        memory: Memory | None = None,
        keymap_file: Path | None = None,
    ) -> None:
        super().__init__()
        self.keymap = Keymap()
        self._keymap_file = keymap_file
        self.memory = memory or Memory()
        self.low_bandwidth = low_bandwidth
        self._first_run = first_run
        self.services = services
        self.hub_status = HubStatus(target=services.target, region=services.region)
        self.flash_text: Run | None = None
        self._flashes = 0
        self._calls_shown = 0
        self._theme_name = theme_name or theme.default(slow=low_bandwidth)
        self.register_theme(theme.DARK)
        self.register_theme(theme.LIGHT)
        self.theme = self._theme_name
        self._watcher: Watcher | None = None
        self.crash: BaseException | None = None
        self._known: dict[Topic[Any], Snapshot[Any]] = {}
        self._event_loop: asyncio.AbstractEventLoop | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.VARIABLES

    def on_mount(self) -> None:
        self._event_loop = asyncio.get_running_loop()
        self.call_after_refresh(self._begin)
        self.set_interval(SLOW_TICK if self.low_bandwidth else 1.0, self._tick)

    def _begin(self) -> None:
        self.services.start(self._status_from_thread)
        if self._keymap_file is not None:
            self.read_keymap()
        self._watcher = Watcher(self._watched_files, lambda: self.post_message(FilesChanged()))
        self._watcher.start()
        if self._first_run:
            self.call_after_refresh(self.open_run, self._first_run)

    def _watched_files(self) -> list[Path]:
        """The files that count while the console runs."""
        return [self._keymap_file] if self._keymap_file is not None else []

    @on(FilesChanged)
    def _files_changed(self) -> None:
        if self._keymap_file is not None:
            self.read_keymap()

    def _status_from_thread(self, status: HubStatus) -> None:
        self.post_message(StatusArrived(status))

    @on(StatusArrived)
    def _status(self, message: StatusArrived) -> None:
        status = message.status
        self.hub_status = replace(status, region=status.region or self.hub_status.region)
        self._redraw()

    def _redraw(self) -> None:
        screen = self.base_screen
        if screen is not None:
            screen.draw_frame()

    def _tick(self) -> None:
        screen = self.base_screen
        # A screen that was just pushed has not all of its widgets yet when the machine is busy, and one that leaves has none any more.
        if (
            screen is not None
            and screen.is_mounted
            and screen.query("#keys")
            and not isinstance(self.screen, ModalScreen)
        ):
            screen.tick()
            screen.draw_frame()

    # The header

    def banner(self, primary: Snapshot[Any] | None) -> tuple[list[Run], list[Run]]:
        """The two sides of the header: what is worked on, and how fresh and how costly the view of it is."""
        status, services = self.hub_status, self.services
        left: list[Run] = [(" mlconsole ", "strong"), (" ", "")]
        if services.target == "aws":
            who = " ".join(part for part in (status.account, services.profile) if part)
            left.append((f" AWS {who} ".replace("  ", " "), "badge-aws"))
        else:
            left.append((" EMBEDDED ", "badge"))
        if services.read_only:
            left += [(" ", ""), ("read-only", "wait")]
        left += [("  ", ""), (status.region, "dim"), ("  ", ""), freshness(status, primary, services.now())]
        right: list[Run] = []
        if status.throttles:
            right.append((f"{status.throttles} throttled  ", "wait"))
        # A number that flickers around its mean would be written for nothing: it moves when it has really changed.
        if abs(status.calls_per_minute - self._calls_shown) >= max(1, self._calls_shown * 0.15):
            self._calls_shown = status.calls_per_minute
        right.append((f"{self._calls_shown} calls/min ", "dim"))
        return left, right

    # What screens have seen

    def remember(self, snapshot: Snapshot[Any]) -> None:
        """Keep the newest snapshot of a topic for other screens and for the palette."""
        self._known[snapshot.topic] = snapshot

    def known(self, topic: Topic[Any]) -> Any:
        """The last good value of a topic that some screen has seen, or None."""
        snapshot = self._known.get(topic)
        return snapshot.value if snapshot else None

    @property
    def _target_name(self) -> str:
        """What is remembered is remembered for this: embedded, or AWS with its profile and region."""
        services = self.services
        return " ".join(part for part in (services.target, services.profile, services.region) if part)

    def remembered_view(self, place: str) -> View:
        """How the list of a place was looked at last time, on this target."""
        return View.from_dict(self.memory.get("targets", self._target_name, "lists", place))

    def remember_view(self, place: str, view: View) -> None:
        """Look at it so next time, too."""
        self.memory.put(view.as_dict(), "targets", self._target_name, "lists", place)

    def saved_views(self, place: str) -> dict[str, View]:
        """The views of a list that have a name."""
        saved = self.memory.get("views", place)
        return (
            {name: View.from_dict(value) for name, value in saved.items()} if isinstance(saved, dict) else {}
        )

    def save_view(self, place: str, name: str, view: View | None) -> None:
        """Give a view a name, or forget the view of a name (None)."""
        self.memory.put(None if view is None else view.as_dict() or {}, "views", place, name)

    # Keys

    def key(self, identifier: str) -> str:
        """The first key of an action, as a person reads it."""
        return self.keymap.first(actions.get(identifier))

    def use_keymap(self, keymap: Keymap) -> None:
        """Other keys, from now on."""
        self.keymap = keymap
        self.set_keymap(dict(keymap.changed))
        self._redraw()

    def read_keymap(self) -> None:
        """Read the keymap file. With a mistake in it the keys stay what they are, and the mistake is told."""
        assert self._keymap_file is not None
        keymap, mistakes = keymaps.read(self._keymap_file)
        if mistakes:
            if len(mistakes) == 1:
                self.flash(f"✗ {self._keymap_file.name}, {mistakes[0]}", "bad")
            else:
                from console.screens.dialogs import MessageScreen

                lines = [str(mistake) for mistake in mistakes]
                self.push_screen(MessageScreen(f"{self._keymap_file} is not used", ["Until these are mended the keys stay as they were:"], listed=lines))  # fmt: skip
        elif keymap != self.keymap:
            self.use_keymap(keymap)
            self.flash(f"✓ Keys are those of {self._keymap_file.name} now.")

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """A key that the focused field takes for writing is never an action's, whatever the keymap says."""
        if (
            priority
            and self.focused is not None
            and self.focused.check_consume_key(key, key_to_character(key))
        ):
            return False
        return await super()._check_bindings(key, priority)

    # Messages to the person

    def flash(self, text: str, role: str = "ok") -> None:
        """Say something for some seconds in the key line."""
        self._flashes += 1
        number = self._flashes
        self.flash_text = (text, role)
        self._redraw()
        self.set_timer(FLASH_SECONDS, lambda: self._flash_over(number))

    def _flash_over(self, number: int) -> None:
        if number == self._flashes:
            self.flash_text = None
            self._redraw()

    def tell(self, problem: Problem) -> None:
        """Say what went wrong and what to do, in a dialog when it is too long for the key line."""
        text = f"✗ {problem}"
        if len(text) < self.size.width - 2:
            self.flash(text, "bad")
        else:
            from console.screens.dialogs import MessageScreen

            self.push_screen(MessageScreen("That did not work", [problem.sentence, problem.remedy]))

    # Work

    def in_background(
        self,
        task: Callable[[], Any],
        succeeded: Callable[[Any], None],
        failed: Callable[[Problem], None] | None = None,
    ) -> None:
        """Do blocking work in a daemon thread; a quit does not wait for it. The outcome is handled on the event loop."""
        on_failure = failed or self.tell

        def run() -> None:
            try:
                value = task()
            except Exception as error:
                self.post_message(
                    WorkFinished(succeeded, on_failure, problem=explain(error, self.services.target))
                )
            else:
                self.post_message(WorkFinished(succeeded, on_failure, value))

        threading.Thread(target=run, name="console-work", daemon=True).start()

    @on(WorkFinished)
    def _work_finished(self, message: WorkFinished) -> None:
        if message.problem is not None:
            message.failed(message.problem)
        else:
            message.succeeded(message.value)

    def allowed(self, action: actions.Action) -> bool:
        """Whether an action may be done here; says why not."""
        if action.changes and self.services.read_only:
            self.flash(
                f"Read-only: {action.label.lower()} is switched off. Start without --read-only to change things.",
                "wait",
            )
            return False
        return True

    async def action_jump(self) -> None:
        from console.screens.jump import jump

        await jump(self)

    def action_help(self) -> None:
        from console.screens.help import HelpScreen

        screen = self.base_screen
        if screen is not None:
            self.push_screen(HelpScreen(screen.places(), self.keymap))

    def action_palette(self) -> None:
        from console.screens.palette import PaletteScreen

        if not isinstance(self.screen, ModalScreen):
            self.push_screen(PaletteScreen())

    def action_refresh(self) -> None:
        self.services.refresh()
        self.flash("Asking for new data.", "dim")

    def action_pause(self) -> None:
        paused = not self.hub_status.paused
        self.services.pause(paused)
        self.flash(
            f"Polling is paused. {self.key('app.pause')} goes on, {self.key('app.refresh')} asks once."
            if paused
            else "Polling goes on.",
            "wait" if paused else "ok",
        )

    def themes(self) -> Sequence[str]:
        """The names of the themes that there are."""
        return theme.NAMES

    def use_theme(self, name: str) -> None:
        """Change the colours; ``dark`` and ``light`` are our own themes."""
        full = name if name in theme.NAMES else f"mlconsole-{name}"
        if full not in theme.NAMES:
            names = ", ".join(name.removeprefix("mlconsole-") for name in theme.NAMES)
            self.flash(f"There is no theme {name!r}. Themes: {names}.", "bad")
            return
        self.theme = full

    def action_theme(self) -> None:
        here = theme.NAMES.index(self.theme) if self.theme in theme.NAMES else 0
        self.use_theme(theme.NAMES[(here + 1) % len(theme.NAMES)])

    def on_unmount(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    async def action_quit(self) -> None:
        self.services.close()
        self.exit(0)

    def leave_soon(self) -> None:
        """Leave in an orderly way; may be called from a signal handler."""
        if self._event_loop is not None:
            self._event_loop.call_soon_threadsafe(self.exit)

    def copy(self, text: str, what: str) -> None:
        """Put a text into the clipboard of the person's own machine."""
        try:
            sequence = terminal.clipboard_sequence(text)
        except ValueError as error:
            self.flash(f"✗ Not copied: {error}", "bad")
            return
        driver = self._driver
        if driver is not None:
            driver.write(sequence)
            driver.flush()
        self.flash(f"Copied {what} through the terminal (OSC 52).", "ok")

    # Leaving

    def on_app_blur(self, event: events.AppBlur) -> None:
        self.services.hidden(True)

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.services.hidden(False)

    def _handle_exception(self, error: Exception) -> None:
        """Leave on an unexpected error without showing the values of variables; `run` reports it."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.crash = self.crash or error
        self._return_code = 1
        self._close_messages_no_wait()


def make_app(
    services: Services,
    *,
    theme_name: str = "",
    first_run: str = "",
    low_bandwidth: bool = False,
    memory: Memory | None = None,
    keymap_file: Path | None = None,
) -> Console:
    """The application on given services: the live ones, or those of a test. ``first_run`` is the run that it opens at once,
    ``low_bandwidth`` draws ages and charts less often, in the terminal's own colours; ``memory`` keeps views and commands, ``keymap_file`` has other keys."""
    return Console(
        services,
        theme_name=theme_name,
        first_run=first_run,
        low_bandwidth=low_bandwidth,
        memory=memory,
        keymap_file=keymap_file,
    )


def run(application: Console, crash_folder: Path) -> int:
    """Run until the person leaves; returns the exit status. The terminal is restored whatever happens."""
    if not terminal.interactive():
        print("mlconsole needs a terminal to draw on. `mlconsole --help` lists the commands that print text.")
        return 2
    if os.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    for name in ("COLUMNS", "LINES"):  # exported, they would freeze the size of the screen
        os.environ.pop(name, None)
    terminal.remember_terminal()
    terminal.survive_bytes()
    terminal.leave_on_hangup(0)
    signalled: list[int] = []

    def leave(number: int) -> None:
        signalled.append(number)
        with contextlib.suppress(RuntimeError):
            application.leave_soon()

    terminal.restore_on_signals(leave)
    # A full collection goes through all that is known of thousands of jobs: a tenth of a second between a key and its picture.
    gc.freeze()
    gc.set_threshold(5_000, 10, 50)
    mouse = os.environ.get("MLCONSOLE_MOUSE", "on") != "off"
    error: BaseException | None = None
    try:
        application.run(mouse=mouse)
        error = application.crash
    except Exception as unexpected:
        error = unexpected
        terminal.give_back_terminal()
    if error is not None:
        path = terminal.write_crash_report(error, crash_folder)
        print(f"mlconsole ended on an unexpected error: {type(error).__name__}. Runs and jobs go on.")
        print(f"The report is in {path}; please send it with what you did last.")
        return 1
    if signalled:
        return 128 + signalled[0]
    return int(application.return_value or 0)


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

    services = LiveServices(configuration or load(), read_only=read_only)
    memory = Memory(locations.state_dir() / "console.json")
    application = make_app(
        services,
        first_run=first_run,
        low_bandwidth=low_bandwidth,
        memory=memory,
        keymap_file=locations.keymap_file(),
    )
    status = run(application, locations.state_dir() / "crashes")
    memory.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
